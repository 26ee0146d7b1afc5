"""Taking captures in: each saved exactly once, each worker with at most one open registration."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from math import ceil
from typing import Protocol

from chalicelib.callers import Caller, DailyCap
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.campaigns.service import CampaignService
from chalicelib.clients.caps import DailyCapLimiter
from chalicelib.clients.errors import ClientCapReached
from chalicelib.clock import Clock, to_timestamp
from chalicelib.contributions.model import Quote
from chalicelib.contributions.service import QuoteService
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.http.pagination import Page, Position
from chalicelib.refusals import BrokenRule, RulesBroken, TryAgain
from chalicelib.registrations import references, rules
from chalicelib.registrations.errors import CaptureReused, PhoneCapReached
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import (
    Answer,
    CaptureFacts,
    CaptureMetadata,
    DayFact,
    Flag,
    Outcome,
    Registration,
    Worker,
)
from chalicelib.registrations.nik import list_neighbourhoods
from chalicelib.registrations.references import Reference
from chalicelib.registrations.states import LifecycleState, Status

# Each round ends unless another writer changed the very items in between, or tells what the next has to go
# by: who the worker is, how often the phone number was given. Six rounds outlast any honest race.
_MAX_WRITE_ATTEMPTS = 6

# More than any phone number is given for: the count goes on, and refuses nothing.
_UNLIMITED_COUNT = 10**9

_NEIGHBOURHOOD_HASH_DIGITS = 3


@dataclass(frozen=True)
class IntakeLimits:
    """What a stage sets: how much a client may have accepted in a day, how often a phone number may be given
    in one, who may register, and when an application that nobody paid for expires.
    """

    client_allowance: DailyCapLimiter
    phone_cap: DailyCap
    age_limits: rules.AgeLimits = field(default_factory=rules.AgeLimits)
    payment_period: timedelta = timedelta(days=30)


@dataclass(frozen=True)
class Capture:
    """A capture as it is stored: what it came to, what its sender was told, and what counting needs."""

    capture_metadata: CaptureMetadata
    fingerprint: str
    facts: CaptureFacts
    answer: Answer | None


class CaptureExists(Exception):
    """The store holds this capture id already; `capture` is what stands there."""

    def __init__(self, capture: Capture) -> None:
        super().__init__(capture.capture_metadata.capture_id)
        self.capture = capture


@dataclass(frozen=True)
class WorkerRecord:
    """The latest registration of a worker."""

    reference: Reference
    status: Status
    has_ended: bool


@dataclass(frozen=True)
class PhoneCountIncrement:
    """One more registration that a phone number is given for on a day, if there were fewer than `below`."""

    phone_key: str
    day: date
    limit: int


@dataclass(frozen=True)
class PriorState:
    """What the store says beforehand of a worker, and of a phone number's count of a day."""

    worker_record: WorkerRecord | None = None
    phone_count: int = 0


class WorkerExists(Exception):
    """The worker has a registration already, which may have ended."""

    def __init__(self, worker_record: WorkerRecord) -> None:
        super().__init__(worker_record.reference)
        self.worker_record = worker_record


class PhoneCountExceeded(Exception):
    """The phone number was given for that many registrations of the day already."""

    def __init__(self, phone_count: int) -> None:
        super().__init__(str(phone_count))
        self.phone_count = phone_count


class WriteConflict(Exception):
    """Another writer was in the way; nothing was stored, and trying again may do."""


class Registrations(Protocol):
    """Where captures and registrations are kept.

    Every write is one conditional transaction.
    """

    def read_prior_state(self, worker_key: str, *, phone_key: str, day: date) -> PriorState:
        """What stands there of a worker and of a phone number, in one request."""

    def add(self, registration: Registration, capture: Capture, phone_increment: PhoneCountIncrement) -> None:
        """Store a capture and the registration it makes, and count its phone number.

        Raises CaptureExists, CaptureErased, WorkerExists, PhoneCountExceeded or WriteConflict.
        """

    def add_repeat(self, capture: Capture, *, worker_key: str) -> None:
        """Store a capture whose worker still has the open registration it names.

        Raises CaptureExists or WriteConflict.
        """

    def add_public(
        self,
        registration: Registration,
        capture: Capture,
        phone_increment: PhoneCountIncrement,
        worker_record: WorkerRecord | None,
    ) -> None:
        """Store a capture as `add` does or, if its worker has the open registration `standing`, as a repeat.

        Neither what is asked of the store nor the work before it tells which of the two it was. Raises
        CaptureExists, WorkerExists, PhoneCountExceeded or Contended.
        """

    def find_capture(self, capture_id: str) -> Capture | None:
        """A capture that was accepted or refused before."""

    def add_refusal(self, capture: Capture, *, on_campaign_day: bool) -> None:
        """Note, without anything personal, that a capture was refused.

        Raises CaptureExists if it was accepted before.
        """

    def get(self, reference: Reference) -> Registration:
        """Raises RegistrationUnknown, or RegistrationDestroyed."""

    def replace(self, registration: Registration, *, previous: Registration) -> None:
        """Store the next version of a registration. Raises WriteConflict or RegistrationSuperseded."""

    def iter_day_facts(
        self, campaign_day: CampaignDay, *, start_after: Position | None = None
    ) -> Iterator[DayFact]:
        """All that counts for a campaign day, in order, from after a position."""

    def iter_capture_facts(self, campaign_day: CampaignDay) -> Iterator[DayFact]:
        """What counts of a campaign day's captures, in no order."""

    def list_by_campaign_day(
        self, campaign_day: CampaignDay, *, start_after: Position | None, page_size: int
    ) -> Page[Registration]:
        """The registrations of a campaign day after a position, by time of capture."""

    def list_by_status(
        self, status: Status, *, start_after: Position | None, page_size: int
    ) -> Page[Registration]:
        """The registrations in one status after a position, by the time they came into it."""

    def iter_due(self, due_day: date) -> Iterator[Reference]:
        """The references of the registrations that time may have changed by a day."""

    def iter_device_sequences(self, client_id: str) -> Iterator[int]:
        """The numbers of a device's captures that have arrived, in order."""


@dataclass(frozen=True)
class SubmissionResult:
    """What became of a send: the answer, and whether it had been given before."""

    answer: Answer
    is_replay: bool


@dataclass(frozen=True)
class _IntakeContext:
    """One send on its way in."""

    command: SubmitRegistration
    capture_metadata: CaptureMetadata
    fingerprint: str
    received_on: date
    day_ends_at: datetime
    is_public_facing: bool
    facts: CaptureFacts
    is_client_over_flag: bool = False

    def with_worker(self, worker: Worker, neighbourhood_hashes: Iterable[str]) -> "_IntakeContext":
        """With what is counted of its worker."""
        facts = replace(
            self.facts,
            sex=worker.sex,
            age=rules.compute_age_band(self.capture_metadata.day, worker.birth_date),
            neighbours=tuple(neighbourhood_hashes),
        )
        return replace(self, facts=facts)

    def build_capture(
        self, outcome: Outcome, answer: Answer | None, *, flags: tuple[Flag, ...] = ()
    ) -> Capture:
        facts = replace(self.facts, outcome=outcome, flags=flags)
        return Capture(self.capture_metadata, self.fingerprint, facts, answer)

    def build_refused_capture(self, broken_rules: Iterable[BrokenRule]) -> Capture:
        reasons = tuple(sorted({rule.code for rule in broken_rules}))
        return Capture(
            self.capture_metadata, self.fingerprint, replace(self.facts, reasons=reasons), answer=None
        )

    def build_answer(self, outcome: Outcome, reference: Reference, status: Status, quote: Quote) -> Answer:
        return Answer(
            capture_id=self.capture_metadata.capture_id,
            outcome=outcome,
            reference=reference,
            status=status,
            received_at=to_timestamp(self.capture_metadata.received_at),
            quote=quote,
        )


class IntakeService:
    """Takes captures in."""

    def __init__(
        self,
        *,
        registrations: Registrations,
        campaigns: CampaignService,
        quote_service: QuoteService,
        hashing: KeyedHash,
        limits: IntakeLimits,
        clock: Clock,
        random_index: Callable[[int], int],
    ) -> None:
        self._registrations = registrations
        self._campaigns = campaigns
        self._quote_service = quote_service
        self._hashing = hashing
        self._limits = limits
        self._clock = clock
        self._random_index = random_index

    def submit(self, command: SubmitRegistration, *, caller: Caller, correlation_id: str) -> SubmissionResult:
        """Register a worker, or find that this capture or this worker is known.

        The same capture with the same content gets its first answer again, whatever has happened since. A
        worker with an open registration gets that one's reference; one whose registration has ended gets a
        new one, which follows it. Raises CampaignNotAllowed, CampaignUnknown, CaptureReused, CaptureErased,
        RulesBroken, ClientCapReached, PhoneCapReached or TryAgain.
        """
        caller.require_campaign(command.campaign_id)
        campaign = self._campaigns.get(command.campaign_id)
        taken = CaptureMetadata(
            capture_id=str(command.capture_id),
            campaign_id=campaign.campaign_id,
            day=campaign.local_day(command.captured_at),
            captured_at=command.captured_at,
            received_at=self._clock(),
            client_id=caller.client_id,
            channel=caller.channel,
            officer=command.officer,
            correlation_id=correlation_id,
            device_sequence=command.device_sequence,
        )
        received_on = campaign.local_day(taken.received_at)
        intake = _IntakeContext(
            command=command,
            capture_metadata=taken,
            fingerprint=self._hashing.digest("capture", command.content()),
            received_on=received_on,
            day_ends_at=campaign.day_ends_at(received_on),
            is_public_facing=caller.is_public_facing,
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
            return SubmissionResult(self._store_within_cap(intake, worker, caller), is_replay=False)
        except CaptureExists as known:
            if known.capture.fingerprint != intake.fingerprint or known.capture.answer is None:
                raise CaptureReused(taken.capture_id) from None
            return SubmissionResult(known.capture.answer, is_replay=True)

    def get(self, reference: str) -> Registration:
        """The registration with a reference that a message of ours carries.

        Raises RegistrationUnknown.
        """
        return self._registrations.get(Reference(reference))

    def iter_day_facts(
        self, campaign_day: CampaignDay, *, start_after: Position | None = None
    ) -> Iterator[DayFact]:
        """All that counts for a campaign day, in order, from after a position."""
        return self._registrations.iter_day_facts(campaign_day, start_after=start_after)

    def iter_capture_facts(self, campaign_day: CampaignDay) -> Iterator[DayFact]:
        """What counts of a campaign day's captures, in no order."""
        return self._registrations.iter_capture_facts(campaign_day)

    def _read_worker(self, intake: _IntakeContext, campaign: Campaign) -> Worker:
        now = intake.capture_metadata.received_at
        try:
            return rules.read_worker(intake.command, campaign, now=now, age_limits=self._limits.age_limits)
        except RulesBroken as refusal:
            # A capture that was accepted once stays accepted, even where today's rules would refuse it.
            self._registrations.add_refusal(
                intake.build_refused_capture(refusal.broken_rules),
                on_campaign_day=campaign.has_day(intake.capture_metadata.day),
            )
            raise

    def _store_within_cap(self, intake: _IntakeContext, worker: Worker, caller: Caller) -> Answer:
        """Store a capture if its client may have one more accepted today; only then is it counted."""
        try:
            is_over_flag = self._limits.client_allowance.reserve(caller, intake.received_on)
        except ClientCapReached as reached:
            # What was accepted once is answered as it was, also to a client that may send nothing new.
            stored = self._registrations.find_capture(intake.capture_metadata.capture_id)
            if stored is not None and stored.answer is not None:
                raise CaptureExists(stored) from None
            raise reached.with_retry_after(self._seconds_until_day_end(intake)) from None
        is_accepted = False
        try:
            known = intake.with_worker(worker, self._hash_neighbourhoods(worker))
            answer = self._store(replace(known, is_client_over_flag=is_over_flag), worker)
            is_accepted = True
        finally:
            if not is_accepted:
                self._limits.client_allowance.release(caller, intake.received_on)
        return answer

    def _hash_neighbourhoods(self, worker: Worker) -> Iterator[str]:
        # Long enough that a run of five does not come about by chance, and too short to name a neighbourhood
        # even for somebody who has the key: both hashes together are shared by some 30,000 stretches of
        # five serials.
        for neighbourhood in list_neighbourhoods(worker.nik):
            yield self._hashing.digest("nik_neighbourhood", neighbourhood)[:_NEIGHBOURHOOD_HASH_DIGITS]

    def _store(self, intake: _IntakeContext, worker: Worker) -> Answer:
        registration = self._build_registration(intake, worker)
        phone_key = self._hashing.digest("phone", worker.phone)
        known = self._read_prior_state(intake, registration, phone_key)
        for _ in range(_MAX_WRITE_ATTEMPTS):
            try:
                return self._try_store(intake, registration, known, phone_key)
            except WorkerExists as found:
                known = replace(known, worker_record=found.worker_record)
            except PhoneCountExceeded as busy:
                known = replace(known, phone_count=busy.phone_count)
            except WriteConflict:
                # Another writer came first, or the reference is in use.
                known = self._read_prior_state(intake, registration, phone_key)
                registration = replace(registration, reference=references.generate(self._random_index))
        raise TryAgain("other writers were in the way")

    def _build_registration(self, intake: _IntakeContext, worker: Worker) -> Registration:
        return Registration(
            reference=references.generate(self._random_index),
            worker_key=self._hashing.digest("nik", worker.nik),
            lifecycle=LifecycleState.begin(
                occurred_at=intake.capture_metadata.received_at, client_id=intake.capture_metadata.client_id
            ),
            capture_metadata=intake.capture_metadata,
            worker=worker,
            work=intake.command.work,
            coverage=intake.command.coverage,
            consent=intake.command.consent,
            quote=self._quote_service.quote(rules.build_quote_request(intake.command)),
            expires_on=intake.received_on + self._limits.payment_period,
        )

    def _read_prior_state(
        self, intake: _IntakeContext, registration: Registration, phone_key: str
    ) -> PriorState:
        """What to go by at first. The conditions of the write decide, whatever this says.

        Strangers can take the time: for them it is looked up, so that the first write succeeds for new and
        for known workers alike. For officers nothing is: most workers are new, and the write tells if not.
        """
        if not intake.is_public_facing:
            return PriorState()
        return self._registrations.read_prior_state(
            registration.worker_key, phone_key=phone_key, day=intake.received_on
        )

    def _try_store(
        self, intake: _IntakeContext, application: Registration, prior_state: PriorState, phone_key: str
    ) -> Answer:
        standing, phone = (
            prior_state.worker_record,
            self._build_phone_increment(intake, prior_state.phone_count, phone_key),
        )
        if standing is not None and standing.has_ended:
            application, standing = replace(application, follows=standing.reference), None
        registration = replace(application, flags=tuple(self._iter_flags(intake, prior_state.phone_count)))
        if standing is None:
            outcome = Outcome.CREATED if registration.follows is None else Outcome.REACTIVATED
            told_of, status = registration.reference, registration.lifecycle.status
        else:
            outcome = Outcome.ALREADY_REGISTERED
            told_of, status = standing.reference, standing.status
        answer = intake.build_answer(outcome, told_of, status, registration.quote)
        capture = intake.build_capture(outcome, answer, flags=registration.flags)
        if intake.is_public_facing:
            self._registrations.add_public(registration, capture, phone, standing)
        elif standing is None:
            self._registrations.add(registration, capture, phone)
        else:
            self._registrations.add_repeat(capture, worker_key=registration.worker_key)
        return answer

    def _build_phone_increment(
        self, intake: _IntakeContext, phone_count: int, phone_key: str
    ) -> PhoneCountIncrement:
        """What the count of the phone number must not have reached.

        Raises PhoneCapReached, but never to strangers: it would tell them that others gave this number.
        """
        limits = self._limits.phone_cap
        if phone_count < limits.flag:
            return PhoneCountIncrement(phone_key, intake.received_on, limit=limits.flag)
        if phone_count < limits.cap:
            return PhoneCountIncrement(phone_key, intake.received_on, limit=limits.cap)
        if intake.is_public_facing:
            return PhoneCountIncrement(phone_key, intake.received_on, limit=_UNLIMITED_COUNT)
        raise PhoneCapReached(f"{phone_count} today").with_retry_after(self._seconds_until_day_end(intake))

    def _iter_flags(self, intake: _IntakeContext, phone_count: int) -> Iterator[Flag]:
        if intake.is_client_over_flag:
            yield Flag.CLIENT_BUSY
        if phone_count >= self._limits.phone_cap.cap:
            yield Flag.PHONE_OVER_CAP
        elif phone_count >= self._limits.phone_cap.flag:
            yield Flag.PHONE_BUSY

    def _seconds_until_day_end(self, intake: _IntakeContext) -> int:
        return max(1, ceil((intake.day_ends_at - intake.capture_metadata.received_at).total_seconds()))
