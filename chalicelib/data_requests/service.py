"""Disclosing and erasing all that is held on one NIK; each request is on record before anything is done."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.callers import Caller
from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.data_requests.errors import RequestReused
from chalicelib.data_requests.model import DataRequest, DataRequestType
from chalicelib.data_requests.requests import SubmitDataRequest
from chalicelib.messaging.opt_outs import OptOut, OptOutStore
from chalicelib.notifications.model import Sms
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations import nik
from chalicelib.registrations.erasure import Application, CaptureLink
from chalicelib.registrations.intake import Capture
from chalicelib.registrations.model import Registration
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.references import Reference


class WorkerData(Protocol):
    """What is kept of workers: `registrations.erasing`."""

    def list_applications(self, worker_key: str) -> list[Application]:
        """Every registration of a worker, the latest first."""

    def iter_capture_links(self, worker_key: str) -> Iterator[CaptureLink]:
        """Every capture of a worker that led to a registration."""

    def get_capture(self, capture_link: CaptureLink) -> Capture:
        """The capture behind a link."""

    def erase(
        self, worker_key: str, *, received_before: datetime, erase_sms: Callable[[Reference], object]
    ) -> None:
        """Take away everything of a worker received before an instant. Raises TryAgain."""


class SmsHistory(Protocol):
    """What was sent to workers."""

    def iter_by_reference(self, reference: str) -> Iterator[Sms]:
        """The texts that a registration has led to."""

    def erase(self, reference: str) -> None:
        """Take them away, but for what is counted of each. Raises TryAgain."""


class DataRequests(Protocol):
    """Where requests are kept: added to, and never changed."""

    def begin(self, request: DataRequest) -> DataRequest:
        """Put a request on record; the one that stands under its id, which may be an earlier one."""

    def finish(self, request: DataRequest, *, occurred_at: datetime) -> DataRequest:
        """Note that it was done; as it was first noted."""

    def iter_by_subject(self, subject: str) -> Iterator[DataRequest]:
        """The requests about one person, in no order; one made this moment may be missing."""


@dataclass(frozen=True)
class DisclosureReport:
    """All that is held on one NIK. Opt-outs are by the numbers on the registrations."""

    request: DataRequest
    registrations: list[Registration]
    captures: list[Capture]
    sms_list: list[Sms]
    opt_outs: Mapping[Phone, OptOut]
    requests: list[DataRequest]


class DataRequestService:
    """Answers requests about one person's data, for admins."""

    def __init__(
        self,
        *,
        worker_data: WorkerData,
        sms_history: SmsHistory,
        opt_outs: OptOutStore,
        requests: DataRequests,
        hashing: KeyedHash,
        clock: Clock,
    ) -> None:
        self._worker_data = worker_data
        self._sms_history = sms_history
        self._opt_outs = opt_outs
        self._requests = requests
        self._hashing = hashing
        self._clock = clock

    def disclose(self, command: SubmitDataRequest, *, caller: Caller) -> DisclosureReport:
        """All that is held on a NIK now. The same request again is told what is held then.

        Raises RequestReused or RulesBroken.
        """
        number = self._parse_nik(command)
        worker_key = self._hashing.digest("nik", number)
        registrations = list(_iter_registrations(self._worker_data.list_applications(worker_key)))
        captures = [
            self._worker_data.get_capture(link) for link in self._worker_data.iter_capture_links(worker_key)
        ]
        texts = [
            text for each in registrations for text in self._sms_history.iter_by_reference(each.reference)
        ]
        found = (len(registrations), len(captures), len(texts))
        request = self._begin_request(command, DataRequestType.DISCLOSURE, number, caller, found)
        others = [
            each
            for each in self._requests.iter_by_subject(request.subject)
            if each.request_id != request.request_id
        ]
        return DisclosureReport(
            request=self._requests.finish(request, occurred_at=self._clock()),
            registrations=registrations,
            captures=captures,
            sms_list=texts,
            opt_outs=dict(self._iter_opt_outs(registrations)),
            requests=sorted(others, key=lambda each: each.asked_at),
        )

    def erase(self, command: SubmitDataRequest, *, caller: Caller) -> tuple[DataRequest, bool]:
        """Take the person away from wherever it is kept; the request, and whether it had been done before.

        What is counted stays as it is. A request that was cut off goes on where it stopped when it is sent
        again. Raises RequestReused, RulesBroken or TryAgain.
        """
        number = self._parse_nik(command)
        worker_key = self._hashing.digest("nik", number)
        references = [each.reference for each in self._worker_data.list_applications(worker_key)]
        captures = sum(1 for _ in self._worker_data.iter_capture_links(worker_key))
        texts = sum(1 for each in references for _ in self._sms_history.iter_by_reference(each))
        request = self._begin_request(
            command, DataRequestType.ERASURE, number, caller, (len(references), captures, texts)
        )
        if request.done_at is not None:
            return request, True
        self._worker_data.erase(
            worker_key, received_before=request.asked_at, erase_sms=self._sms_history.erase
        )
        return self._requests.finish(request, occurred_at=self._clock()), False

    def _iter_opt_outs(self, registrations: Iterable[Registration]) -> Iterator[tuple[Phone, OptOut]]:
        for phone in dict.fromkeys(each.worker.phone for each in registrations):
            opt_out = self._opt_outs.find(self._hashing.digest("phone", phone))
            if opt_out is not None:
                yield phone, opt_out

    def _parse_nik(self, command: SubmitDataRequest) -> nik.NIK:
        try:
            number, _ = nik.parse(command.nik, capture_day=self._clock().date())
        except nik.InvalidNIK as malformed:
            raise RulesBroken(BrokenRule("nik", malformed.code)) from None
        return number

    def _begin_request(
        self,
        command: SubmitDataRequest,
        request_type: DataRequestType,
        number: nik.NIK,
        caller: Caller,
        counts: tuple[int, int, int],
    ) -> DataRequest:
        request_id = str(command.request_id)
        # The id is in it, so that two requests about one person have nothing in common but their subject.
        content = "\x1f".join((request_id, request_type, number, command.reason))
        registrations, captures, texts = counts
        request = DataRequest(
            request_id=request_id,
            act=request_type,
            subject=self._hashing.digest("subject of a request", number),
            fingerprint=self._hashing.digest("request", content),
            reason=command.reason,
            client_id=caller.client_id,
            asked_at=self._clock(),
            registrations=registrations,
            captures=captures,
            texts=texts,
        )
        standing = self._requests.begin(request)
        if standing.fingerprint != request.fingerprint:
            raise RequestReused(request_id)
        return standing


def _iter_registrations(applications: Iterable[Application]) -> Iterator[Registration]:
    for each in applications:
        if each.registration is not None:
            yield each.registration
