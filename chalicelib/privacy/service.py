"""Disclosing and erasing all that is held on one NIK; each request is on record before anything is done."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from chalicelib.clients.model import Caller
from chalicelib.clock import Clock
from chalicelib.notifications.model import OptOut, Text
from chalicelib.privacy.errors import RequestReused
from chalicelib.privacy.hashing import KeyedHash
from chalicelib.privacy.messages import AskAboutPerson
from chalicelib.privacy.model import Act, PersonRequest
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations import nik
from chalicelib.registrations.erasing import Application, CaptureLink
from chalicelib.registrations.model import Registration
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.reference import Reference
from chalicelib.registrations.service import Capture


class People(Protocol):
    """What is kept of workers: `registrations.erasing`."""

    def applications(self, worker_key: str) -> list[Application]:
        """Every registration of a worker, the latest first."""

    def captures(self, worker_key: str) -> Iterator[CaptureLink]:
        """Every capture of a worker that led to a registration."""

    def capture(self, link: CaptureLink) -> Capture:
        """The capture behind a link."""

    def erase(
        self, worker_key: str, *, asked_at: datetime, forget_texts: Callable[[Reference], object]
    ) -> None:
        """Take away everything of a worker received before an instant. Raises TryAgain."""


class Texts(Protocol):
    """What was sent to workers."""

    def of(self, registration: str) -> Iterator[Text]:
        """The texts that a registration has led to."""

    def forget(self, registration: str) -> None:
        """Take them away, but for what is counted of each. Raises TryAgain."""

    def find_opt_out(self, phone_hash: str) -> OptOut | None:
        """What a phone's owner wanted last, also if it was lifted since."""


class Requests(Protocol):
    """Where requests are kept: added to, and never changed."""

    def begin(self, request: PersonRequest) -> PersonRequest:
        """Put a request on record; the one that stands under its id, which may be an earlier one."""

    def finish(self, request: PersonRequest, *, at: datetime) -> PersonRequest:
        """Note that it was done; as it was first noted."""

    def about(self, subject: str) -> Iterator[PersonRequest]:
        """The requests about one person, in no order; one made this moment may be missing."""


@dataclass(frozen=True)
class Disclosure:
    """All that is held on one NIK. Opt-outs are by the numbers on the registrations."""

    request: PersonRequest
    registrations: list[Registration]
    captures: list[Capture]
    texts: list[Text]
    opt_outs: Mapping[Phone, OptOut]
    requests: list[PersonRequest]


class PrivacyDesk:
    """Answers requests about one person's data, for admins."""

    def __init__(
        self, *, people: People, texts: Texts, requests: Requests, hashing: KeyedHash, clock: Clock
    ) -> None:
        self._people = people
        self._texts = texts
        self._requests = requests
        self._hashing = hashing
        self._clock = clock

    def disclose(self, command: AskAboutPerson, *, by: Caller) -> Disclosure:
        """All that is held on a NIK now. The same request again is told what is held then.

        Raises RequestReused or RulesBroken.
        """
        number = self._read(command)
        worker_key = self._hashing.of("nik", number)
        registrations = list(_registrations(self._people.applications(worker_key)))
        captures = [self._people.capture(link) for link in self._people.captures(worker_key)]
        texts = [text for each in registrations for text in self._texts.of(each.reference)]
        found = (len(registrations), len(captures), len(texts))
        request = self._begin(command, Act.DISCLOSURE, number, by, found)
        others = [
            each for each in self._requests.about(request.subject) if each.request_id != request.request_id
        ]
        return Disclosure(
            request=self._requests.finish(request, at=self._clock()),
            registrations=registrations,
            captures=captures,
            texts=texts,
            opt_outs=dict(self._opt_outs(registrations)),
            requests=sorted(others, key=lambda each: each.asked_at),
        )

    def erase(self, command: AskAboutPerson, *, by: Caller) -> tuple[PersonRequest, bool]:
        """Take the person away from wherever it is kept; the request, and whether it had been done before.

        What is counted stays as it is. A request that was cut off goes on where it stopped when it is sent
        again. Raises RequestReused, RulesBroken or TryAgain.
        """
        number = self._read(command)
        worker_key = self._hashing.of("nik", number)
        references = [each.reference for each in self._people.applications(worker_key)]
        captures = sum(1 for _ in self._people.captures(worker_key))
        texts = sum(1 for each in references for _ in self._texts.of(each))
        request = self._begin(command, Act.ERASURE, number, by, (len(references), captures, texts))
        if request.done_at is not None:
            return request, True
        self._people.erase(worker_key, asked_at=request.asked_at, forget_texts=self._texts.forget)
        return self._requests.finish(request, at=self._clock()), False

    def _opt_outs(self, registrations: Iterable[Registration]) -> Iterator[tuple[Phone, OptOut]]:
        for phone in dict.fromkeys(each.worker.phone for each in registrations):
            opt_out = self._texts.find_opt_out(self._hashing.of("phone", phone))
            if opt_out is not None:
                yield phone, opt_out

    def _read(self, command: AskAboutPerson) -> nik.NIK:
        try:
            number, _ = nik.parse(command.nik, on=self._clock().date())
        except nik.NIKMalformed as malformed:
            raise RulesBroken(BrokenRule("nik", malformed.code)) from None
        return number

    def _begin(
        self, command: AskAboutPerson, act: Act, number: nik.NIK, by: Caller, found: tuple[int, int, int]
    ) -> PersonRequest:
        request_id = str(command.request_id)
        # The id is in it, so that two requests about one person have nothing in common but their subject.
        content = "\x1f".join((request_id, act, number, command.reason))
        registrations, captures, texts = found
        request = PersonRequest(
            request_id=request_id,
            act=act,
            subject=self._hashing.of("subject of a request", number),
            fingerprint=self._hashing.of("request", content),
            reason=command.reason,
            client_id=by.client_id,
            asked_at=self._clock(),
            registrations=registrations,
            captures=captures,
            texts=texts,
        )
        standing = self._requests.begin(request)
        if standing.fingerprint != request.fingerprint:
            raise RequestReused(request_id)
        return standing


def _registrations(applications: Iterable[Application]) -> Iterator[Registration]:
    for each in applications:
        if each.registration is not None:
            yield each.registration
