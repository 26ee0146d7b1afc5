"""Registering: each capture saved exactly once, each worker with at most one open registration."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.campaigns.service import CampaignOffice
from chalicelib.clients.model import Caller
from chalicelib.clock import Clock, timestamp
from chalicelib.privacy.hashing import KeyedHash
from chalicelib.refusals import RulesBroken, TryAgain
from chalicelib.registrations import reference, rules
from chalicelib.registrations.errors import CaptureReused, RegistrationUnknown
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import (
    Answer,
    CaptureFacts,
    Outcome,
    Registration,
    Status,
    Taken,
    Worker,
)
from chalicelib.registrations.reference import Reference

# Each round ends unless another writer changed the very items in between; four rounds outlast any honest
# race.
_ROUNDS = 4


@dataclass(frozen=True)
class Capture:
    """A capture as it is stored: what it came to, what its sender was told, and what counting needs."""

    taken: Taken
    fingerprint: str
    facts: CaptureFacts
    answer: Answer | None


class CaptureKnown(Exception):
    """The store holds this capture id already; `stored` is what stands there."""

    def __init__(self, stored: Capture) -> None:
        super().__init__(stored.taken.capture_id)
        self.stored = stored


class WorkerKnown(Exception):
    """The worker has an open registration already."""

    def __init__(self, reference: Reference, status: Status) -> None:
        super().__init__(reference)
        self.reference = reference
        self.status = status


class Contended(Exception):
    """Another writer was in the way; nothing was stored, and trying again may do."""


class Registrations(Protocol):
    """Where captures and registrations are kept. Every write is one conditional transaction."""

    def add(self, registration: Registration, capture: Capture, *, worker_key: str) -> None:
        """Store a capture and the registration it makes. Raises CaptureKnown, WorkerKnown or Contended."""

    def add_repeat(self, capture: Capture, *, worker_key: str) -> None:
        """Store a capture whose worker still has the open registration it names.

        Raises CaptureKnown or Contended.
        """

    def add_refusal(self, capture: Capture) -> None:
        """Note, without anything personal, that a capture was refused.

        Raises CaptureKnown if it was accepted before.
        """

    def get(self, reference: Reference) -> Registration:
        """Raises RegistrationUnknown."""

    def captured_on(self, of: CampaignDay) -> Iterator[CaptureFacts]:
        """Every capture of a campaign day, in no order."""


@dataclass(frozen=True)
class Submitted:
    """What became of a send: the answer, and whether it had been given before."""

    answer: Answer
    replayed: bool


class Registrar:
    """Takes captures in."""

    def __init__(
        self,
        *,
        registrations: Registrations,
        campaigns: CampaignOffice,
        hashing: KeyedHash,
        clock: Clock,
        random_index: Callable[[int], int],
    ) -> None:
        self._registrations = registrations
        self._campaigns = campaigns
        self._hashing = hashing
        self._clock = clock
        self._random_index = random_index

    def submit(self, command: SubmitRegistration, *, by: Caller, correlation_id: str) -> Submitted:
        """Register a worker, or find that this capture or this worker is known.

        The same capture with the same content gets its first answer again, whatever has happened since. A
        worker with an open registration gets that one's reference. Raises CampaignNotYours,
        CampaignUnknown, CaptureReused, RulesBroken or TryAgain.
        """
        by.require_campaign(command.campaign_id)
        campaign = self._campaigns.get(command.campaign_id)
        taken = Taken(
            capture_id=str(command.capture_id),
            campaign_id=campaign.campaign_id,
            day=campaign.local_day(command.captured_at),
            captured_at=command.captured_at,
            received_at=self._clock(),
            client_id=by.client_id,
            channel=by.channel,
            officer=command.officer,
            correlation_id=correlation_id,
        )
        fingerprint = self._hashing.of("capture", command.content())
        try:
            worker = self._read_worker(command, campaign, taken, fingerprint)
            return Submitted(self._store(command, taken, fingerprint, worker), replayed=False)
        except CaptureKnown as known:
            if known.stored.fingerprint != fingerprint or known.stored.answer is None:
                raise CaptureReused(taken.capture_id) from None
            return Submitted(known.stored.answer, replayed=True)

    def look_up(self, typed_reference: str, *, by: Caller) -> Registration:
        """The registration with a reference, for a caller who works for its campaign.

        Raises RegistrationUnknown.
        """
        parsed = reference.parse(typed_reference)
        if parsed is None:
            raise RegistrationUnknown("no reference looks like this")
        found = self._registrations.get(parsed)
        if not by.works_for(found.taken.campaign_id):
            raise RegistrationUnknown("of another campaign")
        return found

    def get(self, known_reference: str) -> Registration:
        """The registration with a reference that a message of ours carries. Raises RegistrationUnknown."""
        return self._registrations.get(Reference(known_reference))

    def captured_on(self, of: CampaignDay) -> Iterator[CaptureFacts]:
        """What counting needs of every capture of a campaign day."""
        return self._registrations.captured_on(of)

    def _read_worker(
        self, command: SubmitRegistration, campaign: Campaign, taken: Taken, fingerprint: str
    ) -> Worker:
        try:
            return rules.read_worker(command, campaign, now=taken.received_at)
        except RulesBroken:
            # A capture that was accepted once stays accepted, even where today's rules would refuse it.
            if campaign.has_day(taken.day):
                facts = _facts(command, taken, Outcome.REFUSED)
                self._registrations.add_refusal(Capture(taken, fingerprint, facts, answer=None))
            raise

    def _store(self, command: SubmitRegistration, taken: Taken, fingerprint: str, worker: Worker) -> Answer:
        worker_key = self._hashing.of("nik", worker.nik)
        for _ in range(_ROUNDS):
            try:
                return self._store_new(command, taken, fingerprint, worker, worker_key)
            except WorkerKnown as known:
                answer = _answer(taken, Outcome.ALREADY_REGISTERED, known.reference, known.status)
            except Contended:
                continue
            try:
                facts = _facts(command, taken, Outcome.ALREADY_REGISTERED)
                self._registrations.add_repeat(
                    Capture(taken, fingerprint, facts, answer), worker_key=worker_key
                )
            except Contended:
                continue
            return answer
        raise TryAgain("other writers were in the way")

    def _store_new(
        self, command: SubmitRegistration, taken: Taken, fingerprint: str, worker: Worker, worker_key: str
    ) -> Answer:
        registration = Registration(
            reference=reference.new(self._random_index),
            status=Status.RECEIVED,
            taken=taken,
            worker=worker,
            work=command.work,
            coverage=command.coverage,
            consent=command.consent,
        )
        answer = _answer(taken, Outcome.CREATED, registration.reference, registration.status)
        capture = Capture(taken, fingerprint, _facts(command, taken, Outcome.CREATED), answer)
        self._registrations.add(registration, capture, worker_key=worker_key)
        return answer


def _answer(taken: Taken, outcome: Outcome, known_as: Reference, status: Status) -> Answer:
    return Answer(
        capture_id=taken.capture_id,
        outcome=outcome,
        reference=known_as,
        status=status,
        received_at=timestamp(taken.received_at),
    )


def _facts(command: SubmitRegistration, taken: Taken, outcome: Outcome) -> CaptureFacts:
    return CaptureFacts(
        outcome=outcome,
        channel=taken.channel,
        client_id=taken.client_id,
        occupations=command.work.occupations,
    )
