"""Telling workers: one text per event, however often the event is announced.

A message of the queue only says where to look; what is to be done follows from the text's row in the ledger.
Whoever is stopped anywhere leaves a row that a message or the schedule takes up again.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.messaging.errors import (
    AccountFailure,
    CircuitOpen,
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.messaging.gateways import Gateway, OutgoingSms
from chalicelib.messaging.rate_limiter import (
    RateLimited,
    SendingStop,
    SendingStopped,
    SendRate,
    SendRateLimiter,
)
from chalicelib.messaging.segments import split_segments
from chalicelib.notifications import bodies
from chalicelib.notifications.hours import QuietHours, compute_retry_at, find_zone
from chalicelib.notifications.model import (
    RECEIPT_TIMEOUT,
    REQUEUE_AFTER,
    SendUpdate,
    Sms,
    SmsId,
    SmsState,
    derive_sms_id,
)
from chalicelib.notifications.receipts import Receipt
from chalicelib.notifications.templates import Purpose, SmsKind, get_template
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import Registration
from chalicelib.registrations.phone import Phone

# Each round ends unless another writer changed the very row in between.
_MAX_WRITE_ATTEMPTS = 6

# Senders that collide wait up to this long, each for itself.
_MAX_CONFLICT_WAIT = timedelta(milliseconds=80)

# How long a sender stands in line for its slot. All that may run at once, at ten parts a second, take less.
_MAX_SLOT_WAIT = timedelta(seconds=4)

# How often a reminder looks whether the line is free, and how many times.
_MAX_SLOT_POLLS, _SLOT_POLL_INTERVAL = 8, timedelta(milliseconds=200)

# A gateway that takes nothing from us is left alone for this long.
ACCOUNT_STOP_DURATION = timedelta(minutes=15)

# Texts that meet a stop nobody has set an end to come back after this long; those that nobody asked a gateway
# about, after that or up to twice as long.
_STOP_RETRY_DELAY = timedelta(minutes=5)

# Country Indonesia, type mobile, as intake reads numbers: a toll-fraud brake of its own, because a number
# that came into the table by another way would cost money here.
_MOBILE_PATTERN = re.compile(r"\+628[1-35-9]\d{7,10}")


Result = TypeVar("Result")


class SmsUnknown(Exception):
    """The ledger holds no such text."""


class StaleRevision(Exception):
    """The row has changed since it was read."""


class WriteConflict(Exception):
    """Another writer was in the way; nothing was stored, and trying again may do."""


class LimitExceeded(Exception):
    """A text may not be sent, or not now."""


class PhoneOptedOut(LimitExceeded):
    """The worker wants no texts."""


class DailyLimitReached(LimitExceeded):
    """The phone has had its texts for the day."""


class BudgetExhausted(LimitExceeded):
    """The campaign's money for the day is spent or put aside."""


@dataclass(frozen=True)
class SendLimits:
    """What a claim must respect: the number of texts of a phone's day, the budget of the campaign's day.

    No budget means that somebody released the text.
    """

    sms_per_day: int
    budget: int | None


@dataclass(frozen=True)
class SmsFacts:
    """What counting reads of a text."""

    purpose: str
    state: str
    parts: int
    money: int


class SmsLedger(Protocol):
    """Where texts are kept. Every write is conditional on the revision that was read."""

    def get(self, sms_id: SmsId) -> Sms | None:
        """One text, as it stands now."""

    def get_or_create(self, sms: Sms) -> Sms:
        """Store a new text; what stands there then, which is another's if that was first."""

    def claim(self, sms: Sms, *, previous: Sms, limits: SendLimits) -> None:
        """Take a text in hand, with its money put aside, and count each copy for its phone on its day.

        All or nothing. Raises StaleRevision, PhoneOptedOut, DailyLimitReached, BudgetExhausted or WriteConflict.
        """

    def update(self, sms: Sms, *, previous: Sms) -> bool:
        """Store a text's next revision, and what it changes in the budget; False if it has moved meanwhile.

        Raises WriteConflict.
        """

    def iter_due(self, kind: SmsKind, now: datetime) -> Iterator[SmsId]:
        """The texts that somebody must look at by now, longest due first."""

    def iter_held(self) -> Iterator[SmsId]:
        """The texts that wait for somebody to release them, longest held first."""

    def iter_day_facts(self, campaign_day: CampaignDay) -> Iterable[SmsFacts]:
        """What counting needs of the texts of the registrations of a campaign day."""

    def record_opt_out(self, phone_hash: str, *, occurred_at: datetime, source: str) -> None:
        """Claim no text for this phone any more.

        Once more changes nothing, nor does what was said before an opt-out was lifted.
        """


class Registrations(Protocol):
    """What telling needs of registrations."""

    def get(self, reference: str) -> Registration:
        """Raises RegistrationUnknown."""


class Campaigns(Protocol):
    """What telling needs of campaigns."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""


@dataclass(frozen=True)
class NotificationConfig:
    """What a stage sets. Prices are rupiah a part, as expected before a receipt says."""

    rate: SendRate
    quiet_hours: QuietHours
    price_per_part: int
    rupiah_per_dollar: int
    sms_per_day: int = 3


@dataclass(frozen=True)
class NotificationDependencies:
    """What a sender has around it: time, chance between 0 and 1, patience, and the stage's hash."""

    clock: Clock
    random_fraction: Callable[[], float]
    wait: Callable[[timedelta], None]
    hashing: KeyedHash


@dataclass(frozen=True)
class SmsTotals:
    """The texts of a campaign day's registrations: how many in each state, the parts that gateways took, and
    rupiah.
    """

    by_state: dict[str, int] = field(default_factory=dict)
    parts: int = 0
    money: int = 0


def release_held_sms(ledger: SmsLedger, campaign_id: str, *, now: datetime) -> int:
    """Let a campaign's held texts go out, whatever its budget says and however long they waited. How many."""
    released = 0
    for held in ledger.iter_held():
        text = ledger.get(held)
        if text is not None and text.campaign_id == campaign_id and text.state is SmsState.HELD:
            deadline = now + get_template(text.purpose).time_to_live
            released += ledger.update(text.release(now, deadline=deadline), previous=text)
    return released


class LedgerSmsCounter:
    """Counts the texts of campaign days from the ledger, never by adding up as they go."""

    def __init__(self, ledger: SmsLedger) -> None:
        self._ledger = ledger

    def count_sms(self, campaign_day: CampaignDay) -> SmsTotals:
        """What became of the texts of a campaign day's registrations, and what they cost so far."""
        by_state: dict[str, int] = {}
        parts = money = 0
        for facts in self._ledger.iter_day_facts(campaign_day):
            by_state[facts.state] = by_state.get(facts.state, 0) + 1
            parts += facts.parts
            money += facts.money
        return SmsTotals(dict(sorted(by_state.items())), parts, money)


class NotificationService:
    """Sends the texts that events call for."""

    def __init__(
        self,
        *,
        registrations: Registrations,
        campaigns: Campaigns,
        ledger: SmsLedger,
        rate_limiter: SendRateLimiter,
        gateway: Gateway,
        config: NotificationConfig,
        dependencies: NotificationDependencies,
    ) -> None:
        self._registrations = registrations
        self._campaigns = campaigns
        self._ledger = ledger
        self._rate_limiter = rate_limiter
        self._gateway = gateway
        self._config = config
        self._dependencies = dependencies

    def send(self, purpose: Purpose, reference: str, *, event_version: int = 1, correlation_id: str) -> Sms:
        """Tell a worker of one event. Returns the text as the ledger has it now.

        An event told already, or whose text may have gone out, sends nothing. A reminder is only put down
        in the ledger: the schedule takes it up. Raises RegistrationUnknown.
        """
        registration = self._registrations.get(reference)
        text = self._ledger.get_or_create(
            self._build_sms(purpose, registration, event_version, correlation_id)
        )
        if text.kind is SmsKind.REMINDER:
            return text
        return self._advance(text, registration)

    def resume(self, sms_id: SmsId) -> Sms:
        """Do what is to be done about a text now. Raises SmsUnknown.

        A text whose worker is gone is given up: nobody is to be told.
        """
        text = self._get(sms_id)
        try:
            registration = self._registrations.get(text.reference)
        except RegistrationUnknown:
            return self._cancel(text)
        return self._advance(text, registration)

    def record_receipt(self, receipt: Receipt) -> None:
        """Add what a receipt says to the ledger; what is known or not ours adds nothing."""
        price = receipt.price_microusd
        report = SendUpdate(
            gateway=receipt.gateway,
            gateway_id=receipt.gateway_id,
            state=SmsState(receipt.state),
            parts=receipt.parts,
            price=None if price is None else -(-price * self._config.rupiah_per_dollar // 1_000_000),
            reason=receipt.reason,
        )
        text = self._ledger.get(receipt.sms_id)
        if text is None:
            return
        if receipt.opted_out:
            at = min(receipt.occurred_at, text.touched_at or receipt.occurred_at)
            self._ledger.record_opt_out(text.phone_hash, occurred_at=at, source=receipt.gateway)
        try:
            self._apply(text, lambda standing: standing.apply_update(report))
        except SmsUnknown:
            return  # Its worker was erased while this was read.

    def _build_sms(
        self, purpose: Purpose, registration: Registration, event_version: int, correlation_id: str
    ) -> Sms:
        now, wording = self._dependencies.clock(), get_template(purpose)
        is_reminder = wording.kind is SmsKind.REMINDER
        parts = len(split_segments(bodies.render_body(wording, event_version, registration) or "").parts)
        return Sms(
            sms_id=derive_sms_id(registration.reference, purpose, wording.version, event_version),
            reference=registration.reference,
            campaign_id=registration.capture_metadata.campaign_id,
            day=registration.capture_metadata.day,
            purpose=purpose,
            template_version=wording.version,
            event_version=event_version,
            kind=wording.kind,
            phone_hash=self._dependencies.hashing.digest("phone", registration.worker.phone),
            correlation_id=correlation_id,
            begun_at=now,
            deadline=now + wording.time_to_live,
            due_at=now if is_reminder else now + REQUEUE_AFTER,
            parts=parts,
            price=parts * self._config.price_per_part,
        )

    def _advance(self, sms: Sms, registration: Registration) -> Sms:
        sms = self._recover(sms)
        if sms.state is SmsState.CLAIMED and sms.has_timed_out(self._dependencies.clock()):
            taken_over = sms.reclaim(self._dependencies.clock())
            moved = self._update(sms, taken_over)
            return self._attempt(moved, registration) if moved is taken_over else moved
        if sms.state is not SmsState.PENDING:
            return sms
        claimed = self._claim(sms, registration)
        return self._attempt(claimed, registration) if claimed.state is SmsState.CLAIMED else claimed

    def _cancel(self, sms: Sms) -> Sms:
        sms, now = self._recover(sms), self._dependencies.clock()
        if sms.state is SmsState.CLAIMED and sms.has_timed_out(now):
            sms = self._defer(sms, now, "no_recipient")
        if sms.state is SmsState.PENDING:
            return self._update(sms, sms.abandon("no_recipient"))
        return sms

    def _recover(self, sms: Sms) -> Sms:
        """A text whose sender was stopped is unknown; an unknown one may be sent once more after a while."""
        now = self._dependencies.clock()
        if sms.state is SmsState.ATTEMPT_STARTED and sms.has_timed_out(now):
            harmless = get_template(sms.purpose).is_duplicate_harmless
            sms = self._update(
                sms, sms.record_unknown_outcome("attempt_timed_out", None, may_resend=harmless)
            )
        waited = sms.touched_at is not None and now >= sms.touched_at + RECEIPT_TIMEOUT
        if sms.state is SmsState.UNKNOWN and sms.due_at is not None and waited:
            return self._update(sms, sms.schedule_resend(now))
        return sms

    def _claim(self, sms: Sms, registration: Registration) -> Sms:
        """The text in our hands, or where it went instead."""
        now = self._dependencies.clock()
        campaign = self._campaigns.get(sms.campaign_id)
        zone = find_zone(registration.worker.postal_code, campaign.zone)
        reason = self._find_abandon_reason(sms, registration, now)
        if reason is not None:
            return self._update(sms, sms.abandon(reason))
        if sms.kind is SmsKind.REMINDER and self._config.quiet_hours.is_quiet(now, zone):
            return self._defer(sms, self._compute_next_morning(zone), "quiet_hours")
        phone_day = now.astimezone(ZoneInfo(zone)).date()
        claimed = sms.claim(now, budget_day=campaign.local_day(now), phone_day=phone_day)
        brakes = SendLimits(
            sms_per_day=self._config.sms_per_day,
            budget=None if sms.is_released else campaign.sms_budget,
        )
        try:
            self._write_with_retries(lambda: self._ledger.claim(claimed, previous=sms, limits=brakes))
        except StaleRevision:
            return self._get(sms.sms_id)
        except LimitExceeded as braked:
            return self._handle_limit(sms, braked, zone)
        return claimed

    def _handle_limit(self, sms: Sms, error: LimitExceeded, zone: str) -> Sms:
        match error:
            case DailyLimitReached():
                return self._defer(sms, self._compute_next_morning(zone), "daily_limit_reached")
            case BudgetExhausted():
                return self._update(sms, sms.hold("budget_exhausted"))
            case _:
                return self._update(sms, sms.abandon("opted_out"))

    def _find_abandon_reason(self, sms: Sms, registration: Registration, now: datetime) -> str | None:
        if now >= sms.deadline:
            return "expired"
        if not _MOBILE_PATTERN.fullmatch(registration.worker.phone):
            return "not_an_indonesian_mobile"
        if bodies.render_body(get_template(sms.purpose), sms.event_version, registration) is None:
            return "overtaken"
        return None

    def _attempt(self, sms: Sms, registration: Registration) -> Sms:
        words = bodies.render_body(get_template(sms.purpose), sms.event_version, registration)
        if words is None:
            return self._defer(sms, self._dependencies.clock(), "overtaken")
        try:
            self._reserve_slot(sms)
        except SendingStopped as stopped:
            return self._defer(
                sms, stopped.ends_at or self._dependencies.clock() + _STOP_RETRY_DELAY, "stopped"
            )
        except RateLimited:
            return self._defer(sms, self._compute_retry_at(sms), "rate_limited")
        started = sms.start_attempt(self._dependencies.clock())
        moved = self._update(sms, started)
        if moved is not started:
            return moved
        outgoing = OutgoingSms(
            phone=Phone(registration.worker.phone),
            body=words,
            sms_id=sms.sms_id,
            correlation_id=sms.correlation_id,
            parts=sms.parts,
            deadline=sms.deadline,
            purpose=sms.purpose,
            campaign_id=sms.campaign_id,
        )
        return self._apply(started, self._hand_over(started, outgoing))

    def _reserve_slot(self, sms: Sms) -> None:
        """Wait for the text's turn. Raises Stopped or RateLimited."""
        takes, is_reminder = self._config.rate.compute_duration(sms.parts), sms.kind is SmsKind.REMINDER
        for left in reversed(range(_MAX_SLOT_POLLS if is_reminder else 1)):
            now = self._dependencies.clock()
            try:
                at = self._rate_limiter.reserve(
                    takes, now=now, max_wait=timedelta(0) if is_reminder else _MAX_SLOT_WAIT
                )
            except RateLimited:
                if not left:
                    raise
                self._dependencies.wait(_SLOT_POLL_INTERVAL)
            else:
                return self._dependencies.wait(max(at - now, timedelta(0)))
        return None

    def _hand_over(self, sms: Sms, outgoing: OutgoingSms) -> Callable[[Sms], Sms]:
        """Hand a text over. What the gateway's answer makes of its row."""
        try:
            accepted = self._gateway.send(outgoing)
        except (TransientFailure, AccountFailure) as later:
            if isinstance(later, AccountFailure):
                self._rate_limiter.stop(
                    SendingStop(later.reason, self._dependencies.clock() + ACCOUNT_STOP_DURATION)
                )
            return self._reject(sms, later)
        except PermanentFailure as never:
            refusal = never
            if never.opted_out:
                # The answer is as old as the question: whoever lifts the opt-out meanwhile is not overruled.
                at = sms.touched_at or self._dependencies.clock()
                self._ledger.record_opt_out(
                    sms.phone_hash, occurred_at=at, source=never.gateway or self._gateway.name
                )
            return lambda each: each.record_failure(refusal.reason, refusal.gateway)
        except OutcomeUnknown as unknown:
            lost = unknown
            harmless = get_template(sms.purpose).is_duplicate_harmless
            return lambda each: each.record_unknown_outcome(lost.reason, lost.gateway, may_resend=harmless)
        return lambda each: each.record_acceptance(accepted.gateway, accepted.gateway_id)

    def _reject(self, sms: Sms, failure: TransientFailure | AccountFailure) -> Callable[[Sms], Sms]:
        is_asked, reason, gateway = not isinstance(failure, CircuitOpen), failure.reason, failure.gateway
        until = self._compute_retry_at(sms) if is_asked else self._compute_circuit_retry_at()
        if until >= sms.deadline:
            return lambda each: each.record_failure(f"expired:{reason}", gateway)
        return lambda each: each.record_rejection(until, reason, gateway, is_counted=is_asked)

    def _defer(self, sms: Sms, retry_at: datetime, reason: str) -> Sms:
        return self._update(sms, sms.defer(retry_at, reason))

    def _update(self, sms: Sms, changed: Sms) -> Sms:
        """Store a text's next revision; what stands there instead if somebody else was first."""
        stored = self._write_with_retries(lambda: self._ledger.update(changed, previous=sms))
        return changed if stored else self._get(sms.sms_id)

    def _apply(self, sms: Sms, change: Callable[[Sms], Sms]) -> Sms:
        """Store what happened to a text, put onto what stands there where somebody else was first."""
        for _ in range(_MAX_WRITE_ATTEMPTS):
            changed = change(sms)
            if changed is sms:
                return sms
            sms = self._update(sms, changed)
            if sms is changed:
                return sms
        raise WriteConflict(sms.sms_id)

    def _write_with_retries(self, write: Callable[[], Result]) -> Result:
        """Write, and again where other writers are in the way. Raises WriteConflict."""
        for _ in range(_MAX_WRITE_ATTEMPTS - 1):
            try:
                return write()
            except WriteConflict:
                self._dependencies.wait(_MAX_CONFLICT_WAIT * self._dependencies.random_fraction())
        return write()

    def _get(self, sms_id: SmsId) -> Sms:
        text = self._ledger.get(sms_id)
        if text is None:
            raise SmsUnknown(sms_id)
        return text

    def _compute_retry_at(self, sms: Sms) -> datetime:
        return compute_retry_at(
            self._dependencies.clock(), sms.attempts, self._dependencies.random_fraction()
        )

    def _compute_circuit_retry_at(self) -> datetime:
        return self._dependencies.clock() + _STOP_RETRY_DELAY * (1 + self._dependencies.random_fraction())

    def _compute_next_morning(self, zone: str) -> datetime:
        return self._config.quiet_hours.compute_next_morning(
            self._dependencies.clock(), zone, self._dependencies.random_fraction()
        )
