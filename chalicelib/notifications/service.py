"""Sending SMS to workers: one SMS per event, however often the event is announced.

A message of the queue only names the event or the SMS; the next step follows from the row in the ledger. If a
worker process dies at any point, a later message or the schedule continues from the row.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.messaging.attempts import Outcome, make_attempt
from chalicelib.messaging.gateways import Gateway, OutgoingSms
from chalicelib.messaging.model import SmsId
from chalicelib.messaging.opt_outs import OptOutStore
from chalicelib.messaging.rate_limiter import (
    RateLimited,
    SendingStop,
    SendingStopped,
    SendRate,
    SendRateLimiter,
    wait_for_slot,
)
from chalicelib.messaging.receipts import Receipt, ReceiptFlow
from chalicelib.messaging.segments import split_segments
from chalicelib.notifications.bodies import Body, find_event_version, render_body
from chalicelib.notifications.chats import ChatTargets
from chalicelib.notifications.errors import (
    BudgetExhausted,
    DailyLimitReached,
    LimitExceeded,
    NoPhone,
    SmsUnknown,
    StaleRevision,
)
from chalicelib.notifications.hours import QuietHours, compute_retry_at, find_zone
from chalicelib.notifications.ledger_writer import LedgerWriter
from chalicelib.notifications.model import (
    RECEIPT_TIMEOUT,
    REQUEUE_AFTER,
    SendLimits,
    SendUpdate,
    Sms,
    SmsState,
)
from chalicelib.notifications.rules import find_abandon_reason, may_resend
from chalicelib.notifications.sms_ids import derive_sms_id, iter_earlier_sms_ids
from chalicelib.notifications.stores import Campaigns, Registrations, SmsLedger
from chalicelib.notifications.templates import SmsKind, get_template
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import Registration
from chalicelib.sms_purposes import Purpose

# At ten parts a second, all functions that may run at once need less.
_MAX_SLOT_WAIT = timedelta(seconds=4)

# How often a reminder asks for a free slot.
_MAX_SLOT_POLLS = 8

# How long sending stops after a gateway accepted nothing from the account.
ACCOUNT_STOP_DURATION = timedelta(minutes=15)

# The delay after a stop without an end; after an open circuit it is up to twice as long.
_STOP_RETRY_DELAY = timedelta(minutes=5)


@dataclass(frozen=True)
class NotificationConfig:
    """Settings of a stage. `price_per_part` is in rupiah, as expected before a receipt has the real price."""

    rate: SendRate
    quiet_hours: QuietHours
    price_per_part: int
    rupiah_per_dollar: int
    sms_per_day: int = 3
    chat_timeout: timedelta = timedelta(minutes=30)
    """How long a worker's chat has to deliver a message, before it goes to the phone."""


class NotificationService:
    """Sends the SMS that events call for. `random_fraction` returns a number from 0 to 1."""

    def __init__(  # noqa: PLR0913 - keyword-only, given by the composition root
        self,
        *,
        registrations: Registrations,
        campaigns: Campaigns,
        ledger: SmsLedger,
        opt_outs: OptOutStore,
        receipt_flow: ReceiptFlow,
        rate_limiter: SendRateLimiter,
        gateway: Gateway,
        chats: ChatTargets,
        hashing: KeyedHash,
        config: NotificationConfig,
        clock: Clock,
        wait: Callable[[timedelta], None],
        random_fraction: Callable[[], float],
    ) -> None:
        self._registrations = registrations
        self._campaigns = campaigns
        self._ledger = ledger
        self._ledger_writer = LedgerWriter(ledger, wait=wait, random_fraction=random_fraction)
        self._opt_outs = opt_outs
        self._receipt_flow = receipt_flow
        self._rate_limiter = rate_limiter
        self._gateway = gateway
        self._chats = chats
        self._hashing = hashing
        self._config = config
        self._clock = clock
        self._wait = wait
        self._random_fraction = random_fraction

    def send(self, purpose: Purpose, reference: str, *, event_version: int = 1, correlation_id: str) -> Sms:
        """Send the SMS of an event, unless it may have been sent already. Return its row.

        A reminder is only stored; the schedule sends it. Raise RegistrationUnknown, or NoPhone, which leaves
        no row.
        """
        registration = self._registrations.get(reference)
        return self._begin(
            self._build_sms(purpose, registration, event_version, correlation_id), registration
        )

    def send_again(
        self, purpose: Purpose, reference: str, *, request_version: int, correlation_id: str
    ) -> Sms:
        """Send an SMS once more that was requested, as `send` does. Return its row. Raise as `send` does."""
        registration = self._registrations.get(reference)
        event_version = find_event_version(purpose, registration)
        sms = self._build_sms(purpose, registration, event_version, correlation_id, request_version)
        return self._begin(sms, registration)

    def _begin(self, sms: Sms, registration: Registration) -> Sms:
        earlier = map(self._ledger.get, iter_earlier_sms_ids(self._hashing, sms))
        sms = next(filter(None, earlier), None) or self._ledger.get_or_create(sms)
        if sms.kind is SmsKind.REMINDER:
            return sms
        return self._advance(sms, registration)

    def resume(self, sms_id: SmsId) -> Sms:
        """Take the next step for an SMS that is due. Return its row. Raise SmsUnknown.

        An SMS whose registration was erased is abandoned.
        """
        sms = self._ledger_writer.get(sms_id)
        try:
            registration = self._registrations.get(sms.reference)
        except RegistrationUnknown:
            return self._cancel(sms)
        return self._advance(sms, registration)

    def record_receipt(self, receipt: Receipt) -> None:
        """Store what a gateway reports of an SMS."""
        self._receipt_flow.record(self._clock())
        price = receipt.price_microusd
        update = SendUpdate(
            gateway=receipt.gateway,
            gateway_id=receipt.gateway_id,
            state=SmsState(receipt.state),
            parts=receipt.parts,
            price=None if price is None else -(-price * self._config.rupiah_per_dollar // 1_000_000),
            reason=receipt.reason,
        )
        sms = self._ledger.get(receipt.sms_id)
        if sms is None:
            return
        if receipt.opted_out:
            # Gateways do not report again, so that a time out of bounds is not refused but brought within.
            occurred_at = max(sms.begun_at, min(receipt.occurred_at, sms.touched_at or self._clock()))
            self._opt_outs.record(sms.phone_hash, occurred_at=occurred_at, source=receipt.gateway)
        try:
            self._ledger_writer.apply(sms, lambda current: current.apply_update(update))
        except SmsUnknown:
            return  # Erased in the meantime.

    def _build_sms(
        self,
        purpose: Purpose,
        registration: Registration,
        event_version: int,
        correlation_id: str,
        request_version: int | None = None,
    ) -> Sms:
        phone_hash = self._hash_recipient(registration)
        now, template, reference = self._clock(), get_template(purpose), registration.reference
        body = self._render(purpose, event_version, registration)
        parts = len(split_segments("" if body is None else body.text).parts)
        return Sms(
            sms_id=derive_sms_id(
                self._hashing, reference, purpose, template.version, event_version, request_version
            ),
            reference=reference,
            campaign_id=registration.capture_metadata.campaign_id,
            day=registration.capture_metadata.day,
            purpose=purpose,
            template_version=template.version,
            event_version=event_version,
            request_version=request_version,
            kind=template.kind,
            phone_hash=phone_hash,
            correlation_id=correlation_id,
            begun_at=now,
            deadline=now + template.time_to_live,
            due_at=now if template.kind is SmsKind.REMINDER else now + REQUEUE_AFTER,
            parts=parts,
            price=parts * self._config.price_per_part,
        )

    def _hash_recipient(self, registration: Registration) -> str:
        """Return the keyed hash of the phone or else of the chat. Raise NoPhone without either."""
        if registration.worker.phone is not None:
            return self._hashing.digest("phone", registration.worker.phone)
        chat_key = self._chats.find_chat_key(registration, self._clock())
        if chat_key is None:
            raise NoPhone(registration.reference)
        return self._hashing.digest("phone", f"chat {chat_key}")

    def _advance(self, sms: Sms, registration: Registration) -> Sms:
        sms = self._recover(sms)
        if sms.state is SmsState.CLAIMED and sms.has_timed_out(self._clock()):
            reclaimed = sms.reclaim(self._clock())
            current = self._ledger_writer.update(sms, reclaimed)
            return self._attempt(current, registration) if current is reclaimed else current
        if sms.state is not SmsState.PENDING:
            return sms
        claimed = self._claim(sms, registration)
        return self._attempt(claimed, registration) if claimed.state is SmsState.CLAIMED else claimed

    def _cancel(self, sms: Sms) -> Sms:
        sms, now = self._recover(sms), self._clock()
        if sms.state is SmsState.CLAIMED and sms.has_timed_out(now):
            sms = self._defer(sms, now, "no_recipient")
        if sms.state in {SmsState.PENDING, SmsState.HELD}:
            return self._ledger_writer.update(sms, sms.abandon("no_recipient"))
        return sms

    def _recover(self, sms: Sms) -> Sms:
        """Return `sms` with its time-outs applied.

        An attempt whose worker process died becomes `unknown`. An `unknown` SMS without a receipt for 15
        minutes becomes `pending` again if its template allows a duplicate. If nobody's receipts came in these
        minutes, its own says nothing by not coming, so the SMS is held for a person to decide.
        """
        now = self._clock()
        if sms.is_undelivered_chat(now, self._config.chat_timeout):
            return self._ledger_writer.update(sms, sms.fall_back_to_phone(now))
        if sms.state is SmsState.ATTEMPT_STARTED and sms.has_timed_out(now):
            unknown = sms.record_unknown_outcome("attempt_timed_out", None, may_resend=may_resend(sms))
            sms = self._ledger_writer.update(sms, unknown)
        if sms.touched_at is None or sms.due_at is None or now < sms.touched_at + RECEIPT_TIMEOUT:
            return sms
        if sms.state is not SmsState.UNKNOWN:
            return sms
        if self._receipt_flow.has_receipt_since(sms.touched_at):
            return self._ledger_writer.update(sms, sms.schedule_resend(now))
        return self._ledger_writer.update(sms, sms.hold("receipts_silent"))

    def _claim(self, sms: Sms, registration: Registration) -> Sms:
        """Return the claimed SMS, or the current row if it may not be claimed now."""
        now = self._clock()
        campaign = self._campaigns.get(sms.campaign_id)
        zone = find_zone(registration.worker.postal_code, campaign.zone)
        body = self._render(sms.purpose, sms.event_version, registration)
        chat = self._chats.find(sms, registration, now)
        reason = find_abandon_reason(sms, registration, body, now, has_chat=chat is not None)
        if reason is not None:
            return self._ledger_writer.update(sms, sms.abandon(reason))
        if sms.kind is SmsKind.REMINDER and self._config.quiet_hours.is_quiet(now, zone):
            return self._defer(sms, self._compute_next_morning(zone), "quiet_hours")
        phone_day = now.astimezone(ZoneInfo(zone)).date()
        claimed = sms.claim(now, budget_day=campaign.local_day(now), phone_day=phone_day)
        limits = SendLimits(
            sms_per_day=self._config.sms_per_day,
            budget=None if sms.is_released else campaign.sms_budget,
        )
        try:
            self._ledger_writer.run(lambda: self._ledger.claim(claimed, previous=sms, limits=limits))
        except StaleRevision:
            return self._ledger_writer.get(sms.sms_id)
        except LimitExceeded as error:
            return self._handle_limit(sms, error, zone)
        return claimed

    def _handle_limit(self, sms: Sms, error: LimitExceeded, zone: str) -> Sms:
        match error:
            case DailyLimitReached():
                retry_at = self._compute_next_morning(zone)
                deadline = retry_at + get_template(sms.purpose).time_to_live
                return self._ledger_writer.update(sms, sms.defer_for_phone_limit(retry_at, deadline=deadline))
            case BudgetExhausted():
                return self._ledger_writer.update(sms, sms.hold("budget_exhausted"))
            case _:
                return self._ledger_writer.update(sms, sms.abandon("opted_out"))

    def _attempt(self, sms: Sms, registration: Registration) -> Sms:
        try:
            self._wait_for_slot(sms)
        except SendingStopped as stopped:
            return self._defer(sms, stopped.ends_at or self._clock() + _STOP_RETRY_DELAY, "stopped")
        except RateLimited:
            return self._defer(sms, self._compute_retry_at(sms), "rate_limited")
        # Read and rendered again, because time has passed: the worker may have died, or have another phone.
        registration = self._registrations.get(registration.reference)
        body = self._render(sms.purpose, sms.event_version, registration)
        phone, chat = registration.worker.phone, self._chats.find(sms, registration, self._clock())
        has_chat = chat is not None
        if body is None or find_abandon_reason(sms, registration, body, self._clock(), has_chat=has_chat):
            return self._defer(sms, self._clock(), "overtaken")
        report_timeout = RECEIPT_TIMEOUT if chat is None else self._config.chat_timeout
        started = sms.start_attempt(self._clock(), report_timeout=report_timeout)
        current = self._ledger_writer.update(sms, started)
        if current is not started:
            return current
        outgoing = OutgoingSms(
            phone=phone,
            body=body.text,
            sms_id=sms.sms_id,
            correlation_id=sms.correlation_id,
            parts=sms.parts,
            deadline=min(sms.deadline, body.valid_until or sms.deadline),
            purpose=sms.purpose,
            campaign_id=sms.campaign_id,
            chat=chat,
        )
        return self._record_outcome(started, make_attempt(lambda: self._gateway.send(outgoing)))

    def _render(self, purpose: Purpose, event_version: int, registration: Registration) -> Body | None:
        # To a worker who has registered again, of the earlier registration only a payment is worth telling.
        has_ended = registration.lifecycle.has_ended
        if has_ended and purpose is not Purpose.ACTIVE and not self._registrations.is_latest(registration):
            return None
        campaign = self._campaigns.get(registration.capture_metadata.campaign_id)
        zone = ZoneInfo(find_zone(registration.worker.postal_code, campaign.zone))
        return render_body(purpose, event_version, registration, local_now=self._clock().astimezone(zone))

    def _wait_for_slot(self, sms: Sms) -> None:
        is_reminder = sms.kind is SmsKind.REMINDER
        wait_for_slot(
            self._rate_limiter,
            self._config.rate.compute_duration(sms.parts),
            clock=self._clock,
            wait=self._wait,
            max_wait=timedelta(0) if is_reminder else _MAX_SLOT_WAIT,
            max_polls=_MAX_SLOT_POLLS if is_reminder else 1,
        )

    def _record_outcome(self, sms: Sms, outcome: Outcome) -> Sms:
        if outcome.is_account_failure:
            self._rate_limiter.stop(SendingStop(outcome.reason, self._clock() + ACCOUNT_STOP_DURATION))
        if outcome.opted_out:
            # Recorded with the time of the attempt, so that an opt-out lifted since then stays lifted.
            self._opt_outs.record(
                sms.phone_hash,
                occurred_at=sms.touched_at or self._clock(),
                source=outcome.gateway or self._gateway.name,
            )
        retry_at = self._compute_retry_at(sms)
        if not outcome.is_counted:
            retry_at = self._clock() + _STOP_RETRY_DELAY * (1 + self._random_fraction())
        return self._ledger_writer.apply(
            sms,
            lambda current: current.apply_outcome(outcome, retry_at=retry_at, may_resend=may_resend(sms)),
        )

    def _defer(self, sms: Sms, retry_at: datetime, reason: str) -> Sms:
        return self._ledger_writer.update(sms, sms.defer(retry_at, reason))

    def _compute_retry_at(self, sms: Sms) -> datetime:
        return compute_retry_at(self._clock(), sms.attempts, self._random_fraction())

    def _compute_next_morning(self, zone: str) -> datetime:
        return self._config.quiet_hours.compute_next_morning(self._clock(), zone, self._random_fraction())
