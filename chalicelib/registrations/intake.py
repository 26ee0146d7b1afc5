"""Intake of captures: each is stored exactly once, and each worker has at most one open registration."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Protocol

from chalicelib.callers import Caller
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.service import CampaignService
from chalicelib.clients.caps import Allowance
from chalicelib.clock import Clock
from chalicelib.conflicts import WriteConflict
from chalicelib.contributions.service import QuoteService
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.refusals import RulesBroken, TryAgain
from chalicelib.registrations import references, rules
from chalicelib.registrations.attempts import AttemptCounter
from chalicelib.registrations.capture_metadata import CaptureMetadata
from chalicelib.registrations.captures import (
    Answer,
    Capture,
    CaptureFacts,
    IdentityField,
    Outcome,
)
from chalicelib.registrations.cleaned_capture import CleanedCapture
from chalicelib.registrations.device_report import NO_DEVICE_REPORT, DeviceReport
from chalicelib.registrations.errors import WorkerCapturesReached
from chalicelib.registrations.intake_limits import IntakeLimits
from chalicelib.registrations.limits import (
    PhoneCountExceeded,
    PhoneCountIncrement,
    build_phone_increment,
    iter_flags,
)
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import Flag, LifecycleState, Registration
from chalicelib.registrations.neighbourhoods import hash_neighbourhoods
from chalicelib.registrations.prior_state import CaptureExists, PriorState, WorkerExists, WorkerRecord
from chalicelib.registrations.quotas import (
    CampaignSponsor,
    QuotaChanged,
    QuotaState,
    expect_quota_state,
    find_quota,
    find_sponsor,
)
from chalicelib.registrations.references import Reference
from chalicelib.registrations.repeats import find_differences, hash_identity, record_repeat
from chalicelib.registrations.submission import Submission, SubmissionResult
from chalicelib.registrations.takeovers import Takeover, read_takeover
from chalicelib.registrations.worker import Worker

# An attempt is repeated if another writer changed the same items in between, or if the store reports the
# worker's record or the count of the phone number for the next one. No real race takes more than six.
_MAX_ATTEMPTS = 6


class IntakeStore(Protocol):
    """The part of the registrations table that intake needs. Every write is one conditional transaction."""

    def read_prior_state(
        self, worker_key: str, *, phone_key: str | None, day: date, sponsor: CampaignSponsor | None = None
    ) -> PriorState:
        """Return what is stored of a worker, of a phone number and of a sponsor's places, by one request."""

    def find_capture(self, capture_id: str) -> Capture | None:
        """Return a capture that was accepted or refused before, or None. Raise CaptureErased."""

    def add(
        self,
        registration: Registration,
        capture: Capture,
        phone_increment: PhoneCountIncrement | None,
        quota_state: QuotaState | None = None,
        *,
        captures: int = 1,
        takeover: Takeover | None = None,
    ) -> None:
        """Store a capture with its new registration, count the phone number, and take the sponsor's place.

        `captures` is the number of the worker's captures with this one. A registration that follows another
        one is stored only if that one is still the worker's latest and has ended, or is ended here, by a
        `takeover`. Raise CaptureExists, CaptureErased, WorkerExists, PhoneCountExceeded, QuotaChanged or
        WriteConflict.
        """

    def add_public(
        self,
        registration: Registration,
        capture: Capture,
        phone_increment: PhoneCountIncrement | None,
        worker_record: WorkerRecord | None,
        quota_state: QuotaState | None = None,
        *,
        captures: int = 1,
    ) -> None:
        """Store a capture as `add` does or, if `worker_record` is an open registration, as a repeat of it.

        Requests and work are the same in both cases, so that the response time reveals neither. Raise as
        `add` does.
        """

    def find_registration(self, reference: Reference) -> Registration | None:
        """Return a registration, or None if it was erased or destroyed."""

    def add_repeat(
        self,
        capture: Capture,
        *,
        worker_key: str,
        phone_increment: PhoneCountIncrement | None = None,
        changed: Registration | None = None,
    ) -> None:
        """Store a capture whose worker still has the open registration it names, and count the phone number.

        With it, store `changed`, the next version of that registration. Raise CaptureExists, CaptureErased,
        PhoneCountExceeded or WriteConflict.
        """

    def add_refusal(self, capture: Capture, *, is_on_campaign_day: bool, expires_on: date) -> None:
        """Store a refused capture, without personal data, until the end of a day.

        Raise CaptureExists if it was accepted before, or CaptureErased.
        """


class IntakeService:
    """Accepts captures, or refuses them."""

    def __init__(
        self,
        *,
        store: IntakeStore,
        campaigns: CampaignService,
        quote_service: QuoteService,
        hashing: KeyedHash,
        limits: IntakeLimits,
        clock: Clock,
        random_index: Callable[[int], int],
    ) -> None:
        self._store = store
        self._campaigns = campaigns
        self._quote_service = quote_service
        self._hashing = hashing
        self._attempts = AttemptCounter(
            allowance=limits.client_allowance,
            captures=store,
            hashing=hashing,
            on_unusual_client=limits.on_unusual_client,
        )
        self._limits = limits
        self._clock = clock
        self._random_index = random_index

    def submit(
        self,
        command: SubmitRegistration,
        *,
        caller: Caller,
        correlation_id: str,
        device_report: DeviceReport = NO_DEVICE_REPORT,
    ) -> SubmissionResult:
        """Register a worker, or find that this capture or this worker is known.

        The same capture with the same content gets its first answer again, whatever has happened since. A
        worker with an open registration gets that one's reference; one whose registration has ended gets a
        new one, which follows it. Raise CampaignNotAllowed, CampaignUnknown, CaptureReused, CaptureErased,
        RulesBroken, ClientCapReached, PhoneCapReached, WorkerCapturesReached or TryAgain.
        """
        caller.require_campaign(command.campaign_id)
        campaign = self._campaigns.get(command.campaign_id)
        if command.coverage.sponsor_id and not campaign.has_sponsor(command.coverage.sponsor_id):
            campaign = self._campaigns.get_current(command.campaign_id)  # Perhaps it was added a moment ago.
        submission = self._begin(command, campaign, caller, correlation_id, device_report)

        def accept(allowance: Allowance) -> Answer:
            return self._accept(replace(submission, allowance=allowance), campaign)

        return self._attempts.run(submission, campaign, caller, accept)

    def _begin(
        self,
        command: SubmitRegistration,
        campaign: Campaign,
        caller: Caller,
        correlation_id: str,
        device_report: DeviceReport,
    ) -> Submission:
        metadata = CaptureMetadata(
            capture_id=str(command.capture_id),
            campaign_id=campaign.campaign_id,
            day=campaign.local_day(command.captured_at),
            captured_at=command.captured_at,
            received_at=self._clock(),
            client_id=caller.client_id,
            channel=caller.channel,
            disclosure=caller.disclosure,
            officer=command.officer,
            correlation_id=correlation_id,
            device_sequence=command.device_sequence,
            **vars(device_report),
        )
        received_on = campaign.local_day(metadata.received_at)
        cleaned = CleanedCapture.from_command(command)
        return Submission(
            sent=command,
            capture=cleaned,
            capture_metadata=metadata,
            fingerprint=self._hashing.digest("capture content", cleaned.serialize_content()),
            received_on=received_on,
            day_ends_at=campaign.day_ends_at(received_on),
            sponsor_quota=find_quota(campaign, command.coverage.sponsor_id),
            zone=campaign.zone,
            facts=CaptureFacts(
                outcome=Outcome.REFUSED,
                channel=metadata.channel,
                client_id=metadata.client_id,
                occupations=command.work.occupations,
                officer=metadata.officer,
                programmes=tuple(sorted(set(command.coverage.programmes))),
                hour=f"{campaign.local_hour(metadata.captured_at):02}",
                received_on=received_on,
            ),
        )

    def _accept(self, submission: Submission, campaign: Campaign) -> Answer:
        """Store a capture and return its answer, or store that it was refused."""
        try:
            worker = self._read_worker(submission, campaign)
            return self._store_capture(
                submission.with_worker(worker, hash_neighbourhoods(worker.nik, self._hashing)), worker
            )
        except RulesBroken as refusal:
            # A capture that was accepted once stays accepted, even if today's rules would refuse it.
            self._add_refusal(submission, campaign, *sorted({rule.code for rule in refusal.broken_rules}))
            raise
        except WorkerCapturesReached as reached:
            self._add_refusal(submission, campaign, reached.code)
            raise

    def _read_worker(self, submission: Submission, campaign: Campaign) -> Worker:
        return rules.read_worker(
            submission.capture,
            campaign,
            now=submission.capture_metadata.received_at,
            age_limits=self._limits.age_limits,
            clock_lead=submission.clock_lead,
        )

    def _add_refusal(self, submission: Submission, campaign: Campaign, *reasons: str) -> None:
        """Store a refused capture. Raise CaptureExists if it was accepted before.

        A client that had many captures refused today has no more of them stored: they would flood the
        summary.
        """
        if submission.allowance.keeps_refusals:
            self._store.add_refusal(
                submission.build_capture(Outcome.REFUSED, None, reasons=reasons),
                is_on_campaign_day=campaign.has_day(submission.capture_metadata.day),
                expires_on=submission.received_on + self._limits.refusal_retention,
            )
            return
        capture = self._store.find_capture(submission.capture_metadata.capture_id)
        if capture is not None and capture.answer is not None:
            raise CaptureExists(capture)

    def _store_capture(self, submission: Submission, worker: Worker) -> Answer:
        registration = self._build_registration(submission, worker)
        phone_key = None if worker.phone is None else self._hashing.digest("phone", worker.phone)
        prior_state = self._read_prior_state(submission, registration, phone_key)
        for _ in range(_MAX_ATTEMPTS):
            try:
                return self._try_store(submission, registration, prior_state, phone_key)
            except WorkerExists as existing:
                prior_state = replace(prior_state, worker_record=existing.worker_record)
            except PhoneCountExceeded as exceeded:
                prior_state = replace(prior_state, phone_count=exceeded.phone_count)
            except QuotaChanged as changed:
                prior_state = replace(prior_state, places_taken=changed.places_taken)
            except WriteConflict:
                # Another writer came first, or the reference is in use.
                prior_state = self._read_prior_state(submission, registration, phone_key)
                registration = replace(registration, reference=references.generate(self._random_index))
        raise TryAgain("other writers came first")

    def _build_registration(self, submission: Submission, worker: Worker) -> Registration:
        metadata, command = submission.capture_metadata, submission.capture.command
        worker_key = self._hashing.digest("nik", worker.nik)
        return Registration(
            reference=references.generate(self._random_index),
            worker_key=worker_key,
            lifecycle=LifecycleState.begin(
                occurred_at=metadata.received_at, client_id=metadata.client_id, zone=submission.zone
            ),
            capture_metadata=metadata,
            worker=worker,
            work=command.work,
            coverage=command.coverage,
            consent=command.consent,
            quote=self._quote_service.quote(rules.build_quote_request(command, metadata.day)),
            identity=hash_identity(worker, worker_key=worker_key, hashing=self._hashing),
            expires_on=submission.received_on + self._limits.payment_period,
        )

    def _read_prior_state(
        self, submission: Submission, registration: Registration, phone_key: str | None
    ) -> PriorState:
        """Return the state to begin with. Whatever it is, the conditions of the write decide.

        The public can measure the time: for it the state is read, so that the first write succeeds for new
        and for known workers alike. For officers it is not: most workers are new, and a failed write
        reports the others.
        """
        if not submission.is_public:
            return PriorState()
        return self._store.read_prior_state(
            registration.worker_key,
            phone_key=phone_key,
            day=submission.received_on,
            sponsor=find_sponsor(registration),
        )

    def _try_store(
        self,
        submission: Submission,
        registration: Registration,
        prior_state: PriorState,
        phone_key: str | None,
    ) -> Answer:
        known, phone_count = prior_state.worker_record, prior_state.phone_count
        phone_cap = self._limits.phone_cap
        phone_increment = build_phone_increment(submission, phone_count, phone_key, cap=phone_cap)
        captures = 1 if known is None else known.captures + 1
        if captures > self._limits.worker_captures:
            raise WorkerCapturesReached(f"{captures - 1} captures")
        quota_state = expect_quota_state(submission.sponsor_quota, prior_state.places_taken)
        takeover = read_takeover(self._store.find_registration, known, submission.capture_metadata)
        if known is not None and (known.has_ended or takeover is not None):
            registration, known = replace(registration, follows=known.reference), None
        flags = tuple(iter_flags(submission, phone_count, quota_state, phone_cap=phone_cap))
        flags += () if takeover is None else (Flag.TOOK_OVER,)
        registration = replace(registration, flags=flags)
        differs: tuple[IdentityField, ...] = ()
        changed = None
        if known is None:
            outcome = Outcome.CREATED if registration.follows is None else Outcome.REACTIVATED
            reference, status = registration.reference, registration.lifecycle.status
        else:
            outcome, reference, status = Outcome.ALREADY_REGISTERED, known.reference, known.status
            differs, changed = self._compare_with_recorded(submission, registration, known)
        answer = submission.build_answer(outcome, reference, status, registration.quote, differs)
        capture = submission.build_capture(outcome, answer, flags=registration.flags)
        if submission.is_public:
            self._store.add_public(
                registration, capture, phone_increment, known, quota_state, captures=captures
            )
        elif known is None:
            self._store.add(
                registration, capture, phone_increment, quota_state, captures=captures, takeover=takeover
            )
        else:
            self._store.add_repeat(
                capture,
                worker_key=registration.worker_key,
                phone_increment=phone_increment,
                changed=changed,
            )
        return answer

    def _compare_with_recorded(
        self, submission: Submission, registration: Registration, known: WorkerRecord
    ) -> tuple[tuple[IdentityField, ...], Registration | None]:
        """Return the identity fields that differ, and the next version of the recorded registration.

        For the public nothing is read or changed: requests and work stay those of a new worker.
        """
        differs = find_differences(known.identity, registration.identity)
        if submission.is_public or (known.identity is not None and not differs):
            return differs, None
        recorded = self._store.find_registration(known.reference)
        if recorded is None:
            return differs, None
        return record_repeat(recorded, registration, hashing=self._hashing)
