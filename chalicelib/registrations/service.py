"""Taking captures in: each saved exactly once, each worker with at most one open registration."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Protocol

from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.campaigns.service import CampaignOffice
from chalicelib.clients.model import Caller
from chalicelib.clock import Clock, timestamp
from chalicelib.contributions.model import Quote
from chalicelib.contributions.service import Quoting
from chalicelib.pagination import Page, Position
from chalicelib.privacy.hashing import KeyedHash
from chalicelib.refusals import RulesBroken, TryAgain
from chalicelib.registrations import reference, rules
from chalicelib.registrations.errors import CaptureReused
from chalicelib.registrations.lifecycle import Life, Status
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import Answer, CaptureFacts, Outcome, Registration, Taken, Worker
from chalicelib.registrations.reference import Reference

# Each round ends unless another writer changed the very items in between; four rounds outlast any honest
# race.
_ROUNDS = 4


@dataclass(frozen=True)
class Limits:
    """What a stage sets: who may register, and when an application that nobody paid for expires."""

    ages: rules.AgeLimits = field(default_factory=rules.AgeLimits)
    unpaid_for: timedelta = timedelta(days=30)


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
    """The worker has a registration already, which may have ended."""

    def __init__(self, reference: Reference, status: Status, *, has_ended: bool) -> None:
        super().__init__(reference)
        self.reference = reference
        self.status = status
        self.has_ended = has_ended


class Contended(Exception):
    """Another writer was in the way; nothing was stored, and trying again may do."""


class Registrations(Protocol):
    """Where captures and registrations are kept.

    Every write is one conditional transaction.
    """

    def add(self, registration: Registration, capture: Capture) -> None:
        """Store a capture and the registration it makes.

        Raises CaptureKnown, WorkerKnown or Contended.
        """

    def add_repeat(self, capture: Capture, *, worker_key: str) -> None:
        """Store a capture whose worker still has the open registration it names.

        Raises CaptureKnown or Contended.
        """

    def add_refusal(self, capture: Capture, *, on_campaign_day: bool) -> None:
        """Note, without anything personal, that a capture was refused.

        Raises CaptureKnown if it was accepted before.
        """

    def get(self, reference: Reference) -> Registration:
        """Raises RegistrationUnknown."""

    def replace(self, registration: Registration, *, was: Registration) -> None:
        """Store the next version of a registration. Raises Contended or Superseded."""

    def captured_on(self, of: CampaignDay) -> Iterator[CaptureFacts]:
        """Every capture of a campaign day, in no order."""

    def registered_on(self, of: CampaignDay, *, after: Position | None, size: int) -> Page[Registration]:
        """The registrations of a campaign day after a position, by time of capture."""

    def in_status(self, status: Status, *, after: Position | None, size: int) -> Page[Registration]:
        """The registrations in one status after a position, by the time they came into it."""

    def due(self, day: date) -> Iterator[Reference]:
        """The references of the registrations that time may have changed by a day."""

    def sequences_of(self, client_id: str) -> Iterator[int]:
        """The numbers of a device's captures that have arrived, in order."""


@dataclass(frozen=True)
class Submitted:
    """What became of a send: the answer, and whether it had been given before."""

    answer: Answer
    replayed: bool


@dataclass(frozen=True)
class _Intake:
    """One send on its way in."""

    command: SubmitRegistration
    taken: Taken
    fingerprint: str

    def capture(self, outcome: Outcome, answer: Answer | None) -> Capture:
        facts = CaptureFacts(
            outcome=outcome,
            channel=self.taken.channel,
            client_id=self.taken.client_id,
            occupations=self.command.work.occupations,
        )
        return Capture(self.taken, self.fingerprint, facts, answer)

    def answer(self, outcome: Outcome, known_as: Reference, status: Status, quote: Quote) -> Answer:
        return Answer(
            capture_id=self.taken.capture_id,
            outcome=outcome,
            reference=known_as,
            status=status,
            received_at=timestamp(self.taken.received_at),
            quote=quote,
        )


class Registrar:
    """Takes captures in."""

    def __init__(
        self,
        *,
        registrations: Registrations,
        campaigns: CampaignOffice,
        quoting: Quoting,
        hashing: KeyedHash,
        limits: Limits,
        clock: Clock,
        random_index: Callable[[int], int],
    ) -> None:
        self._registrations = registrations
        self._campaigns = campaigns
        self._quoting = quoting
        self._hashing = hashing
        self._limits = limits
        self._clock = clock
        self._random_index = random_index

    def submit(self, command: SubmitRegistration, *, by: Caller, correlation_id: str) -> Submitted:
        """Register a worker, or find that this capture or this worker is known.

        The same capture with the same content gets its first answer again, whatever has happened since. A
        worker with an open registration gets that one's reference; one whose registration has ended gets a
        new one, which follows it. Raises CampaignNotYours, CampaignUnknown, CaptureReused, RulesBroken or
        TryAgain.
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
            device_sequence=command.device_sequence,
        )
        intake = _Intake(command, taken, self._hashing.of("capture", command.content()))
        try:
            worker = self._read_worker(intake, campaign)
            return Submitted(self._store(intake, worker, campaign), replayed=False)
        except CaptureKnown as known:
            if known.stored.fingerprint != intake.fingerprint or known.stored.answer is None:
                raise CaptureReused(taken.capture_id) from None
            return Submitted(known.stored.answer, replayed=True)

    def get(self, known_reference: str) -> Registration:
        """The registration with a reference that a message of ours carries.

        Raises RegistrationUnknown.
        """
        return self._registrations.get(Reference(known_reference))

    def captured_on(self, of: CampaignDay) -> Iterator[CaptureFacts]:
        """What counting needs of every capture of a campaign day."""
        return self._registrations.captured_on(of)

    def _read_worker(self, intake: _Intake, campaign: Campaign) -> Worker:
        now = intake.taken.received_at
        try:
            return rules.read_worker(intake.command, campaign, now=now, ages=self._limits.ages)
        except RulesBroken:
            # A capture that was accepted once stays accepted, even where today's rules would refuse it.
            self._registrations.add_refusal(
                intake.capture(Outcome.REFUSED, answer=None),
                on_campaign_day=campaign.has_day(intake.taken.day),
            )
            raise

    def _store(self, intake: _Intake, worker: Worker, campaign: Campaign) -> Answer:
        quote = self._quoting.quote(rules.quote_asked(intake.command))
        received_on = campaign.local_day(intake.taken.received_at)
        first = Registration(
            reference=reference.new(self._random_index),
            worker_key=self._hashing.of("nik", worker.nik),
            life=Life.begun(at=intake.taken.received_at, client_id=intake.taken.client_id),
            taken=intake.taken,
            worker=worker,
            work=intake.command.work,
            coverage=intake.command.coverage,
            consent=intake.command.consent,
            quote=quote,
            expires_on=received_on + self._limits.unpaid_for,
        )
        registration = first
        for _ in range(_ROUNDS):
            try:
                return self._store_new(intake, registration)
            except WorkerKnown as known:
                if known.has_ended:
                    registration = replace(registration, follows=known.reference)
                    continue
                answer = intake.answer(Outcome.ALREADY_REGISTERED, known.reference, known.status, quote)
            except Contended:
                registration = replace(first, reference=reference.new(self._random_index))
                continue
            try:
                repeat = intake.capture(Outcome.ALREADY_REGISTERED, answer)
                self._registrations.add_repeat(repeat, worker_key=first.worker_key)
            except Contended:
                continue
            return answer
        raise TryAgain("other writers were in the way")

    def _store_new(self, intake: _Intake, registration: Registration) -> Answer:
        outcome = Outcome.CREATED if registration.follows is None else Outcome.REACTIVATED
        answer = intake.answer(outcome, registration.reference, registration.life.status, registration.quote)
        self._registrations.add(registration, intake.capture(outcome, answer))
        return answer
