"""Disclosure and erasure of all data on one NIK; each request is stored before anything is done."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Protocol

from chalicelib.audit.model import AuditRecord
from chalicelib.callers import Caller
from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.data_requests.errors import ErasureUnderWay, RequestReused
from chalicelib.data_requests.model import DataRequest, DataRequestType, DisclosureReport, LoggedErasure
from chalicelib.data_requests.schemas import SubmitDataRequest
from chalicelib.messaging.opt_outs import OptOut, OptOutStore
from chalicelib.notifications.model import Sms
from chalicelib.refusals import BrokenRule, RulesBroken, TryAgain
from chalicelib.registrations import nik
from chalicelib.registrations.captures import Capture
from chalicelib.registrations.erasure import Application, CaptureLink, ErasureService
from chalicelib.registrations.errors import CaptureErased
from chalicelib.registrations.model import Registration
from chalicelib.registrations.phone import Phone
from chalicelib.reviews.model import ReviewItem


class SmsHistory(Protocol):
    """The SMS that were sent to workers."""

    def iter_by_reference(self, reference: str) -> Iterator[Sms]:
        """Yield the SMS about a registration."""

    def erase(self, reference: str) -> None:
        """Erase the SMS about a registration, except its counted facts. Raise TryAgain."""


class Reviews(Protocol):
    """The review items of campaigns."""

    def iter_by_reference(self, reference: str) -> Iterator[ReviewItem]:
        """Yield the items that name a registration."""

    def erase(self, reference: str) -> None:
        """Erase what items hold of a registration."""

    def erase_item(self, item_id: str) -> None:
        """Erase an item that names no registration."""


class DataRequests(Protocol):
    """The store of requests: they are added and never changed."""

    def begin(self, request: DataRequest) -> DataRequest:
        """Store a request. Return the one stored under its id, which may be an earlier one."""

    def log_erasure(self, erasure: LoggedErasure) -> None:
        """Store whom a request erases, for as long as a backup may still hold the person."""

    def finish(self, request: DataRequest, *, occurred_at: datetime) -> DataRequest:
        """Store that a request was completed. Return it with the time of its first completion."""

    def iter_by_subject(self, subject: str) -> Iterator[DataRequest]:
        """Yield the requests about one person, in no order; the newest may be missing for a moment."""


class Trail(Protocol):
    """The audit trail of registrations."""

    def iter_by_registration(
        self, reference: str, campaign_day: tuple[str, date] | None
    ) -> Iterator[AuditRecord]:
        """Yield the records of a registration, and of the lists of its campaign day that showed it."""


class DataRequestService:
    """Answers requests about one person's data, for admins."""

    def __init__(  # noqa: PLR0913 - keyword-only, given by the composition root
        self,
        *,
        worker_data: ErasureService,
        sms_history: SmsHistory,
        reviews: Reviews,
        opt_outs: OptOutStore,
        trail: Trail,
        requests: DataRequests,
        hashing: KeyedHash,
        clock: Clock,
    ) -> None:
        self._worker_data = worker_data
        self._sms_history = sms_history
        self._reviews = reviews
        self._opt_outs = opt_outs
        self._trail = trail
        self._requests = requests
        self._hashing = hashing
        self._clock = clock

    def disclose(self, command: SubmitDataRequest, *, caller: Caller) -> DisclosureReport:
        """Return all data on a NIK as it is now, also when the same request is sent again.

        Nothing is returned or recorded while the data is being erased, because what is left is not all. Raise
        RequestReused, RulesBroken, ErasureUnderWay, or TryAgain if an erasure took something meanwhile.
        """
        number, started_at = self._parse_nik(command), self._clock()
        worker_key = self._hashing.digest("nik", number)
        links = list(self._worker_data.iter_capture_links(worker_key))
        applications = self._worker_data.list_applications(worker_key)
        registrations = list(_iter_registrations(applications))
        captures = list(self._iter_captures(links))
        photos = [photo for link in links for photo in self._worker_data.iter_photos(link)]
        sms_list = [
            sms for each in registrations for sms in self._sms_history.iter_by_reference(each.reference)
        ]
        review_items = list(self._iter_review_items(applications))
        chats = list(self._worker_data.iter_chat_records(worker_key))
        self._require_no_erasure(number, worker_key, links, started_at=started_at)
        counts = (len(registrations), len(captures), len(sms_list), len(chats))
        request = self._begin_request(command, DataRequestType.DISCLOSURE, number, caller, counts)
        others = [
            each
            for each in self._requests.iter_by_subject(request.subject)
            if each.request_id != request.request_id
        ]
        return DisclosureReport(
            request=self._requests.finish(request, occurred_at=self._clock()),
            registrations=registrations,
            captures=captures,
            photos=photos,
            sms_list=sms_list,
            review_items=review_items,
            opt_outs=dict(self._iter_opt_outs(registrations)),
            chats=chats,
            requests=sorted(others, key=lambda each: each.asked_at),
            trail=sorted(self._iter_trail(applications), key=lambda each: each.occurred_at),
        )

    def erase(self, command: SubmitDataRequest, *, caller: Caller) -> tuple[DataRequest, bool]:
        """Erase a person's data. Return the request, and True if it was completed before.

        Counts stay as they are. A request that was interrupted continues when it is sent again. Raise
        RequestReused, RulesBroken or TryAgain.
        """
        number = self._parse_nik(command)
        worker_key = self._hashing.digest("nik", number)
        references = [each.reference for each in self._worker_data.list_applications(worker_key)]
        capture_count = sum(1 for _ in self._worker_data.iter_capture_links(worker_key))
        sms_count = sum(1 for each in references for _ in self._sms_history.iter_by_reference(each))
        chats = list(self._worker_data.iter_chat_records(worker_key))
        counts = (len(references), capture_count, sms_count, len(chats))
        request = self._begin_request(command, DataRequestType.ERASURE, number, caller, counts)
        if request.done_at is not None:
            return request, True
        # Before anything is erased: a restore to the time in between must find it.
        self._requests.log_erasure(LoggedErasure(request.request_id, worker_key, request.asked_at))
        for item_id in filter(None, (each.review_item for each in chats)):
            self._reviews.erase_item(item_id)
        self._worker_data.erase(
            worker_key, received_before=request.asked_at, erase_attached=self.erase_attached
        )
        return self._requests.finish(request, occurred_at=self._clock()), False

    def erase_attached(self, reference: str) -> None:
        """Erase what hangs on a registration: its SMS, and what review items hold of it. Raise TryAgain."""
        self._sms_history.erase(reference)
        self._reviews.erase(reference)

    def _iter_review_items(self, applications: Iterable[Application]) -> Iterator[ReviewItem]:
        """Yield each item once: it may name two of the person's registrations."""
        items = {
            item.item_id: item
            for each in applications
            for item in self._reviews.iter_by_reference(each.reference)
        }
        yield from items.values()

    def _iter_captures(self, links: Iterable[CaptureLink]) -> Iterator[Capture]:
        for link in links:
            try:
                yield self._worker_data.get_capture(link)
            except CaptureErased:
                raise TryAgain("a capture was erased meanwhile") from None

    def _require_no_erasure(
        self, number: nik.NIK, worker_key: str, links: Iterable[CaptureLink], *, started_at: datetime
    ) -> None:
        """Raise ErasureUnderWay, or TryAgain if something was erased since `started_at`.

        An interrupted erasure is over when a later one is finished, because that erased the rest.
        """
        erasures = [
            each
            for each in self._requests.iter_by_subject(self._hash_subject(number))
            if each.act is DataRequestType.ERASURE
        ]
        last_done = max((each.asked_at for each in erasures if each.done_at is not None), default=None)
        if any(
            each.done_at is None and (last_done is None or each.asked_at > last_done) for each in erasures
        ):
            raise ErasureUnderWay("an erasure is not finished")
        # The newest request may be missing in the list for a moment; the links are read consistently.
        is_link_gone = not set(links) <= set(self._worker_data.iter_capture_links(worker_key))
        if is_link_gone or any(each.done_at is not None and each.done_at >= started_at for each in erasures):
            raise TryAgain("something was erased meanwhile")

    def _hash_subject(self, number: nik.NIK) -> str:
        return self._hashing.digest("subject of a request", number)

    def _iter_trail(self, applications: Iterable[Application]) -> Iterator[AuditRecord]:
        for each in applications:
            metadata = None if each.registration is None else each.registration.capture_metadata
            campaign_day = None if metadata is None else (metadata.campaign_id, metadata.day)
            yield from self._trail.iter_by_registration(each.reference, campaign_day)

    def _iter_opt_outs(self, registrations: Iterable[Registration]) -> Iterator[tuple[Phone, OptOut]]:
        phones = dict.fromkeys(each.worker.phone for each in registrations)
        for phone in filter(None, phones):
            opt_out = self._opt_outs.find(self._hashing.digest("phone", phone))
            if opt_out is not None:
                yield phone, opt_out

    def _parse_nik(self, command: SubmitDataRequest) -> nik.NIK:
        try:
            number, _ = nik.parse(command.nik, capture_day=self._clock().date())
        except nik.InvalidNIK as error:
            raise RulesBroken(BrokenRule("nik", error.code, digits=error.digits)) from None
        return number

    def _begin_request(
        self,
        command: SubmitDataRequest,
        request_type: DataRequestType,
        number: nik.NIK,
        caller: Caller,
        counts: tuple[int, int, int, int],
    ) -> DataRequest:
        request_id = str(command.request_id)
        # It includes the id, so that two requests about one person share nothing but their subject.
        content = "\x1f".join((request_id, request_type, number, command.reason))
        registrations, captures, sms_count, chats = counts
        request = DataRequest(
            request_id=request_id,
            act=request_type,
            subject=self._hash_subject(number),
            fingerprint=self._hashing.digest("request", content),
            reason=command.reason,
            client_id=caller.client_id,
            asked_at=self._clock(),
            registrations=registrations,
            captures=captures,
            texts=sms_count,
            chats=chats,
        )
        stored = self._requests.begin(request)
        if stored.fingerprint != request.fingerprint:
            raise RequestReused(request_id)
        return stored


def _iter_registrations(applications: Iterable[Application]) -> Iterator[Registration]:
    for each in applications:
        if each.registration is not None:
            yield each.registration
