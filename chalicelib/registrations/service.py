"""Taking captures in: each saved exactly once, each worker with at most one open registration."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from math import ceil
from typing import Protocol

from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.campaigns.service import CampaignOffice
from chalicelib.clients.caps import Allowance
from chalicelib.clients.errors import ClientCapReached
from chalicelib.clients.model import Caller, DailyCap
from chalicelib.clock import Clock, timestamp
from chalicelib.contributions.model import Quote
from chalicelib.contributions.service import Quoting
from chalicelib.pagination import Page, Position
from chalicelib.privacy.hashing import KeyedHash
from chalicelib.refusals import BrokenRule, RulesBroken, TryAgain
from chalicelib.registrations import reference, rules
from chalicelib.registrations.errors import CaptureReused, PhoneCapReached
from chalicelib.registrations.lifecycle import Life, Status
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import (
    Answer,
    CaptureFacts,
    DayFact,
    Flag,
    Outcome,
    Registration,
    Taken,
    Worker,
)
from chalicelib.registrations.nik import neighbourhoods
from chalicelib.registrations.reference import Reference

# Each round ends unless another writer changed the very items in between, or tells what the next has to go
# by: who the worker is, how often the phone number was given. Six rounds outlast any honest race.
_ROUNDS = 6

# More than any phone number is given for: the count goes on, and refuses nothing.
_NO_CAP = 10**9

_NEIGHBOUR_DIGITS = 3


@dataclass(frozen=True)
class Limits:
    """What a stage sets: how much a client may have accepted in a day, how often a phone number may be given
    in one, who may register, and when an application that nobody paid for expires.
    """

    clients: Allowance
    phone: DailyCap
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


@dataclass(frozen=True)
class Standing:
    """The latest registration of a worker."""

    reference: Reference
    status: Status
    has_ended: bool


@dataclass(frozen=True)
class PhoneCount:
    """One more registration that a phone number is given for on a day, if there were fewer than `below`."""

    phone_key: str
    day: date
    below: int


@dataclass(frozen=True)
class Known:
    """What the store says beforehand of a worker, and of a phone number's count of a day."""

    worker: Standing | None = None
    counted: int = 0


class WorkerKnown(Exception):
    """The worker has a registration already, which may have ended."""

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing.reference)
        self.standing = standing


class PhoneBusy(Exception):
    """The phone number was given for that many registrations of the day already."""

    def __init__(self, counted: int) -> None:
        super().__init__(str(counted))
        self.counted = counted


class Contended(Exception):
    """Another writer was in the way; nothing was stored, and trying again may do."""


class Registrations(Protocol):
    """Where captures and registrations are kept.

    Every write is one conditional transaction.
    """

    def known(self, worker_key: str, *, phone_key: str, day: date) -> Known:
        """What stands there of a worker and of a phone number, in one request."""

    def add(self, registration: Registration, capture: Capture, phone: PhoneCount) -> None:
        """Store a capture and the registration it makes, and count its phone number.

        Raises CaptureKnown, CaptureForgotten, WorkerKnown, PhoneBusy or Contended.
        """

    def add_repeat(self, capture: Capture, *, worker_key: str) -> None:
        """Store a capture whose worker still has the open registration it names.

        Raises CaptureKnown or Contended.
        """

    def add_unseen(
        self, registration: Registration, capture: Capture, phone: PhoneCount, standing: Standing | None
    ) -> None:
        """Store a capture as `add` does or, if its worker has the open registration `standing`, as a repeat.

        Neither what is asked of the store nor the work before it tells which of the two it was. Raises
        CaptureKnown, WorkerKnown, PhoneBusy or Contended.
        """

    def find_capture(self, capture_id: str) -> Capture | None:
        """A capture that was accepted or refused before."""

    def add_refusal(self, capture: Capture, *, on_campaign_day: bool) -> None:
        """Note, without anything personal, that a capture was refused.

        Raises CaptureKnown if it was accepted before.
        """

    def get(self, reference: Reference) -> Registration:
        """Raises RegistrationUnknown, or RegistrationDestroyed."""

    def replace(self, registration: Registration, *, was: Registration) -> None:
        """Store the next version of a registration. Raises Contended or Superseded."""

    def facts_of(self, of: CampaignDay, *, after: Position | None = None) -> Iterator[DayFact]:
        """All that counts for a campaign day, in order, from after a position."""

    def captures_of(self, of: CampaignDay) -> Iterator[DayFact]:
        """What counts of a campaign day's captures, in no order."""

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
    received_on: date
    day_ends_at: datetime
    speaks_with_strangers: bool
    facts: CaptureFacts
    is_over_flag: bool = False

    def of_worker(self, worker: Worker, neighbours: Iterable[str]) -> "_Intake":
        """With what is counted of its worker."""
        facts = replace(
            self.facts,
            sex=worker.sex,
            age=rules.age_band(self.taken.day, worker.birth_date),
            neighbours=tuple(neighbours),
        )
        return replace(self, facts=facts)

    def capture(self, outcome: Outcome, answer: Answer | None, *, flags: tuple[Flag, ...] = ()) -> Capture:
        facts = replace(self.facts, outcome=outcome, flags=flags)
        return Capture(self.taken, self.fingerprint, facts, answer)

    def refused(self, broken: Iterable[BrokenRule]) -> Capture:
        reasons = tuple(sorted({rule.code for rule in broken}))
        return Capture(self.taken, self.fingerprint, replace(self.facts, reasons=reasons), answer=None)

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
        new one, which follows it. Raises CampaignNotYours, CampaignUnknown, CaptureReused, CaptureForgotten,
        RulesBroken, ClientCapReached, PhoneCapReached or TryAgain.
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
        received_on = campaign.local_day(taken.received_at)
        intake = _Intake(
            command=command,
            taken=taken,
            fingerprint=self._hashing.of("capture", command.content()),
            received_on=received_on,
            day_ends_at=campaign.ends_at(received_on),
            speaks_with_strangers=by.speaks_with_strangers,
            facts=CaptureFacts(
                outcome=Outcome.REFUSED,
                channel=taken.channel,
                client_id=taken.client_id,
                occupations=command.work.occupations,
                officer=taken.officer,
                programmes=tuple(sorted(set(command.coverage.programmes))),
                hour=f"{campaign.local_hour(taken.captured_at):02}",
                received_on=received_on,
            ),
        )
        try:
            worker = self._read_worker(intake, campaign)
            return Submitted(self._store_within_cap(intake, worker, by), replayed=False)
        except CaptureKnown as known:
            if known.stored.fingerprint != intake.fingerprint or known.stored.answer is None:
                raise CaptureReused(taken.capture_id) from None
            return Submitted(known.stored.answer, replayed=True)

    def get(self, known_reference: str) -> Registration:
        """The registration with a reference that a message of ours carries.

        Raises RegistrationUnknown.
        """
        return self._registrations.get(Reference(known_reference))

    def facts_of(self, of: CampaignDay, *, after: Position | None = None) -> Iterator[DayFact]:
        """All that counts for a campaign day, in order, from after a position."""
        return self._registrations.facts_of(of, after=after)

    def captures_of(self, of: CampaignDay) -> Iterator[DayFact]:
        """What counts of a campaign day's captures, in no order."""
        return self._registrations.captures_of(of)

    def _read_worker(self, intake: _Intake, campaign: Campaign) -> Worker:
        now = intake.taken.received_at
        try:
            return rules.read_worker(intake.command, campaign, now=now, ages=self._limits.ages)
        except RulesBroken as refusal:
            # A capture that was accepted once stays accepted, even where today's rules would refuse it.
            self._registrations.add_refusal(
                intake.refused(refusal.broken),
                on_campaign_day=campaign.has_day(intake.taken.day),
            )
            raise

    def _store_within_cap(self, intake: _Intake, worker: Worker, by: Caller) -> Answer:
        """Store a capture if its client may have one more accepted today; only then is it counted."""
        try:
            is_over_flag = self._limits.clients.take(by, intake.received_on)
        except ClientCapReached as reached:
            # What was accepted once is answered as it was, also to a client that may send nothing new.
            stored = self._registrations.find_capture(intake.taken.capture_id)
            if stored is not None and stored.answer is not None:
                raise CaptureKnown(stored) from None
            raise reached.after(self._until_tomorrow(intake)) from None
        is_accepted = False
        try:
            known = intake.of_worker(worker, self._neighbours(worker))
            answer = self._store(replace(known, is_over_flag=is_over_flag), worker)
            is_accepted = True
        finally:
            if not is_accepted:
                self._limits.clients.give_back(by, intake.received_on)
        return answer

    def _neighbours(self, worker: Worker) -> Iterator[str]:
        # Long enough that a run of five does not come about by chance, and too short to name a neighbourhood
        # even for somebody who has the key: both hashes together are shared by some 30,000 stretches of
        # five serials.
        for neighbourhood in neighbourhoods(worker.nik):
            yield self._hashing.of("nik_neighbourhood", neighbourhood)[:_NEIGHBOUR_DIGITS]

    def _store(self, intake: _Intake, worker: Worker) -> Answer:
        registration = self._application(intake, worker)
        phone_key = self._hashing.of("phone", worker.phone)
        known = self._known_before(intake, registration, phone_key)
        for _ in range(_ROUNDS):
            try:
                return self._attempt(intake, registration, known, phone_key)
            except WorkerKnown as found:
                known = replace(known, worker=found.standing)
            except PhoneBusy as busy:
                known = replace(known, counted=busy.counted)
            except Contended:
                # Another writer came first, or the reference is in use.
                known = self._known_before(intake, registration, phone_key)
                registration = replace(registration, reference=reference.new(self._random_index))
        raise TryAgain("other writers were in the way")

    def _application(self, intake: _Intake, worker: Worker) -> Registration:
        return Registration(
            reference=reference.new(self._random_index),
            worker_key=self._hashing.of("nik", worker.nik),
            life=Life.begun(at=intake.taken.received_at, client_id=intake.taken.client_id),
            taken=intake.taken,
            worker=worker,
            work=intake.command.work,
            coverage=intake.command.coverage,
            consent=intake.command.consent,
            quote=self._quoting.quote(rules.quote_asked(intake.command)),
            expires_on=intake.received_on + self._limits.unpaid_for,
        )

    def _known_before(self, intake: _Intake, registration: Registration, phone_key: str) -> Known:
        """What to go by at first. The conditions of the write decide, whatever this says.

        Strangers can take the time: for them it is looked up, so that the first write succeeds for new and
        for known workers alike. For officers nothing is: most workers are new, and the write tells if not.
        """
        if not intake.speaks_with_strangers:
            return Known()
        return self._registrations.known(registration.worker_key, phone_key=phone_key, day=intake.received_on)

    def _attempt(self, intake: _Intake, application: Registration, known: Known, phone_key: str) -> Answer:
        standing, phone = known.worker, self._phone_count(intake, known.counted, phone_key)
        if standing is not None and standing.has_ended:
            application, standing = replace(application, follows=standing.reference), None
        registration = replace(application, flags=tuple(self._flags(intake, known.counted)))
        if standing is None:
            outcome = Outcome.CREATED if registration.follows is None else Outcome.REACTIVATED
            told_of, status = registration.reference, registration.life.status
        else:
            outcome = Outcome.ALREADY_REGISTERED
            told_of, status = standing.reference, standing.status
        answer = intake.answer(outcome, told_of, status, registration.quote)
        capture = intake.capture(outcome, answer, flags=registration.flags)
        if intake.speaks_with_strangers:
            self._registrations.add_unseen(registration, capture, phone, standing)
        elif standing is None:
            self._registrations.add(registration, capture, phone)
        else:
            self._registrations.add_repeat(capture, worker_key=registration.worker_key)
        return answer

    def _phone_count(self, intake: _Intake, counted: int, phone_key: str) -> PhoneCount:
        """What the count of the phone number must not have reached.

        Raises PhoneCapReached, but never to strangers: it would tell them that others gave this number.
        """
        limits = self._limits.phone
        if counted < limits.flag:
            return PhoneCount(phone_key, intake.received_on, below=limits.flag)
        if counted < limits.cap:
            return PhoneCount(phone_key, intake.received_on, below=limits.cap)
        if intake.speaks_with_strangers:
            return PhoneCount(phone_key, intake.received_on, below=_NO_CAP)
        raise PhoneCapReached(f"{counted} today").after(self._until_tomorrow(intake))

    def _flags(self, intake: _Intake, counted: int) -> Iterator[Flag]:
        if intake.is_over_flag:
            yield Flag.CLIENT_BUSY
        if counted >= self._limits.phone.cap:
            yield Flag.PHONE_OVER_CAP
        elif counted >= self._limits.phone.flag:
            yield Flag.PHONE_BUSY

    def _until_tomorrow(self, intake: _Intake) -> int:
        return max(1, ceil((intake.day_ends_at - intake.taken.received_at).total_seconds()))
