"""Fakes of the SMS ledger, of opt-outs and of the send rate limiter."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from chalicelib.campaigns.model import CampaignDay
from chalicelib.messaging.model import SmsId
from chalicelib.messaging.opt_outs import OptOut
from chalicelib.messaging.rate_limiter import RateLimited, SendingStop, SendingStopped
from chalicelib.notifications.counting import SmsFacts, SmsTotals
from chalicelib.notifications.errors import (
    BudgetExhausted,
    DailyLimitReached,
    PhoneOptedOut,
    StaleRevision,
)
from chalicelib.notifications.model import SendLimits, Sms, SmsState
from chalicelib.notifications.templates import SmsKind


class InMemoryOptOutStore:
    """Satisfies `messaging.opt_outs.OptOutStore`."""

    def __init__(self) -> None:
        self.by_phone_hash: dict[str, OptOut] = {}

    def record(self, phone_hash: str, *, occurred_at: datetime, source: str) -> None:
        """Store an opt-out, unless it is in force or was lifted after `occurred_at`."""
        current = self.find(phone_hash)
        if current is None or (current.lifted_at is not None and current.lifted_at < occurred_at):
            self.by_phone_hash[phone_hash] = OptOut(occurred_at, source)

    def lift(self, phone_hash: str, *, occurred_at: datetime, lifted_by: str) -> bool:
        """Lift the opt-out of a phone. Return False if none is in force."""
        current = self.find(phone_hash)
        if current is None or not current.is_in_force:
            return False
        self.by_phone_hash[phone_hash] = replace(current, lifted_at=occurred_at, lifted_by=lifted_by)
        return True

    def find(self, phone_hash: str) -> OptOut | None:
        """Return the last opt-out of a phone, or None."""
        return self.by_phone_hash.get(phone_hash)

    def has_opted_out(self, phone_hash: str) -> bool:
        """Return True if an opt-out of the phone is in force."""
        opt_out = self.find(phone_hash)
        return opt_out is not None and opt_out.is_in_force


class InMemoryReceiptFlow:
    """Satisfies `messaging.receipts.ReceiptFlow`."""

    def __init__(self) -> None:
        self.latest_at: datetime | None = None

    def record(self, now: datetime) -> None:
        """Store that a receipt came in."""
        self.latest_at = now

    def has_receipt_since(self, instant: datetime) -> bool:
        """Return True if a receipt came in after `instant`."""
        return self.latest_at is not None and self.latest_at > instant


class InMemorySmsLedger:
    """Satisfies the ledger Protocols of `notifications`.

    `committed` is the budget of each campaign and day; `before_write` is called before each write.
    """

    def __init__(
        self,
        *,
        opt_outs: InMemoryOptOutStore | None = None,
        before_write: Callable[[], object] = lambda: None,
    ) -> None:
        self.sms_by_id: dict[str, Sms] = {}
        self.committed = Counter[tuple[str, date | None]]()
        self.before_write = before_write
        self._opt_outs = opt_outs or InMemoryOptOutStore()
        self._sms_per_phone_day = Counter[tuple[str, date | None]]()

    def get(self, sms_id: str) -> Sms | None:
        """Return one SMS, or None."""
        return self.sms_by_id.get(sms_id)

    def get_or_create(self, sms: Sms) -> Sms:
        """Store a new SMS. Return the stored one."""
        self.before_write()
        return self.sms_by_id.setdefault(sms.sms_id, sms)

    def update(self, sms: Sms, *, previous: Sms) -> bool:
        """Store the next revision of an SMS. Return False if the row has changed."""
        self.before_write()
        if not self._is_current(previous):
            return False
        self._store(sms, previous)
        return True

    def claim(self, sms: Sms, *, previous: Sms, limits: SendLimits) -> None:
        """Raise StaleRevision, PhoneOptedOut, DailyLimitReached or BudgetExhausted."""
        self.before_write()
        if not self._is_current(previous):
            raise StaleRevision
        if self._opt_outs.has_opted_out(sms.phone_hash):
            raise PhoneOptedOut
        phone, is_copy = (sms.phone_hash, sms.counted_on), sms.counted_on != previous.counted_on
        if is_copy and self._sms_per_phone_day[phone] >= limits.sms_per_day:
            raise DailyLimitReached
        difference = sms.committed - previous.committed
        if difference and limits.budget is not None and self._get_committed(sms) + difference > limits.budget:
            raise BudgetExhausted
        self._sms_per_phone_day[phone] += is_copy
        self._store(sms, previous)

    def iter_due(self, kind: SmsKind, now: datetime) -> Iterator[SmsId]:
        """Yield SMS of a kind that are due, longest due first."""
        due = [
            each
            for each in self.sms_by_id.values()
            if each.kind is kind and each.due_at and each.due_at <= now
        ]
        yield from [each.sms_id for each in sorted(due, key=lambda each: str(each.due_at))]

    def iter_held(self) -> Iterator[SmsId]:
        """Yield held SMS."""
        yield from [each.sms_id for each in self.sms_by_id.values() if each.state is SmsState.HELD]

    def iter_day_facts(self, campaign_day: CampaignDay) -> Iterator[SmsFacts]:
        """Yield the facts of each SMS to registrations of a campaign day."""
        for each in self.sms_by_id.values():
            if (each.campaign_id, each.day) == (campaign_day.campaign_id, campaign_day.day):
                chats = {name: (len(prices), sum(prices)) for name, prices in each.chat_prices.items()}
                yield SmsFacts(each.purpose, each.state, each.parts_sent, each.committed, each.reason, chats)

    def _is_current(self, previous: Sms) -> bool:
        current = self.sms_by_id.get(previous.sms_id)
        return current is not None and current.revision == previous.revision

    def get_committed(self, campaign_id: str, day: date) -> int:
        return self.committed[campaign_id, day]

    def _get_committed(self, sms: Sms) -> int:
        return 0 if sms.budget_day is None else self.committed[sms.campaign_id, sms.budget_day]

    def _store(self, sms: Sms, previous: Sms) -> None:
        self.sms_by_id[sms.sms_id] = sms
        if sms.budget_day is not None:
            self.committed[sms.campaign_id, sms.budget_day] += sms.committed - previous.committed


class InMemorySendRateLimiter:
    """Satisfies `messaging.rate_limiter.SendRateLimiter`. `on_reserve` is called before each slot."""

    def __init__(self) -> None:
        self.on_reserve: Callable[[], object] = lambda: None
        self.next_free_at: datetime | None = None
        self.current_stop: SendingStop | None = None
        self.resumed_at: datetime | None = None

    def reserve(self, duration: timedelta, *, now: datetime, max_wait: timedelta) -> datetime:
        """Return when to send. Raise SendingStopped or RateLimited."""
        self.on_reserve()
        stop = self.find_stop(now)
        if stop is not None:
            raise SendingStopped(stop.reason, stop.ends_at)
        slot = now if self.next_free_at is None else max(self.next_free_at, now)
        if slot > now + max_wait:
            raise RateLimited
        self.next_free_at = slot + duration
        return slot

    def stop(self, stop: SendingStop) -> None:
        """Stop sending. A shorter stop never replaces a longer one."""
        stored = self.current_stop
        longer = stored is None or (
            stored.ends_at is not None and (stop.ends_at is None or stop.ends_at > stored.ends_at)
        )
        self.current_stop = stop if longer else stored

    def resume(self, now: datetime) -> None:
        """End a stop."""
        self.current_stop, self.resumed_at = None, now

    def find_stop(self, now: datetime) -> SendingStop | None:
        """Return the stop that is in force, or None."""
        stop = self.current_stop
        return None if stop is None or (stop.ends_at is not None and stop.ends_at <= now) else stop


class InMemorySmsCounts:
    """Satisfies `rollups.service.SmsCounter`."""

    def __init__(self) -> None:
        self.counts_by_day: dict[CampaignDay, SmsTotals] = {}
        self.on_count: Callable[[], object] = lambda: None

    def count_sms(
        self, campaign_day: CampaignDay, *, check_time: Callable[[], object] = lambda: None
    ) -> SmsTotals:
        """Return the totals of a day; all are 0 for a day that has none. `on_count` is called before."""
        self.on_count()
        check_time()
        return self.counts_by_day.get(campaign_day, SmsTotals())
