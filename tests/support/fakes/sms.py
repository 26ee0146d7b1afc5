"""Fakes of the SMS ledger and of the send rate limiter."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from chalicelib.campaigns.model import CampaignDay
from chalicelib.messaging.rate_limiter import RateLimited, SendingStop, SendingStopped
from chalicelib.notifications.model import OptOut, Sms, SmsId, SmsState
from chalicelib.notifications.service import (
    BudgetExhausted,
    DailyLimitReached,
    PhoneOptedOut,
    SendLimits,
    SmsFacts,
    SmsTotals,
    StaleRevision,
)
from chalicelib.notifications.templates import SmsKind


class InMemorySmsLedger:
    """Satisfies `notifications.service.SmsLedger`.

    `committed` is the money of each campaign and day, in rupiah; `before_write` is called before each write.
    """

    def __init__(self, *, before_write: Callable[[], object] = lambda: None) -> None:
        self.sms_by_id: dict[str, Sms] = {}
        self.committed = Counter[tuple[str, date | None]]()
        self.opt_outs: dict[str, OptOut] = {}
        self.before_write = before_write
        self._sms_per_phone_day = Counter[tuple[str, date | None]]()

    def get(self, sms_id: str) -> Sms | None:
        """Return an SMS, or None."""
        return self.sms_by_id.get(sms_id)

    def get_or_create(self, sms: Sms) -> Sms:
        """Store a new SMS. Return the one that is stored then."""
        self.before_write()
        return self.sms_by_id.setdefault(sms.sms_id, sms)

    def update(self, sms: Sms, *, previous: Sms) -> bool:
        """Store an SMS's next revision. Return False if another one is stored."""
        self.before_write()
        stored = self.sms_by_id.get(sms.sms_id)
        if stored is None or stored.revision != previous.revision:
            return False
        self._store(sms, previous)
        return True

    def claim(self, sms: Sms, *, previous: Sms, limits: SendLimits) -> None:
        """Store a claim. Raise StaleRevision, PhoneOptedOut, DailyLimitReached or BudgetExhausted."""
        self.before_write()
        stored = self.sms_by_id.get(sms.sms_id)
        if stored is None or stored.revision != previous.revision:
            raise StaleRevision
        opt_out = self.opt_outs.get(sms.phone_hash)
        if opt_out is not None and opt_out.is_in_force:
            raise PhoneOptedOut
        phone, is_copy = (sms.phone_hash, sms.counted_on), sms.counted_on != previous.counted_on
        if is_copy and self._sms_per_phone_day[phone] >= limits.sms_per_day:
            raise DailyLimitReached
        more = sms.committed - previous.committed
        if more and limits.budget is not None and self._get_committed(sms) + more > limits.budget:
            raise BudgetExhausted
        self._sms_per_phone_day[phone] += is_copy
        self._store(sms, previous)

    def iter_due(self, kind: SmsKind, now: datetime) -> Iterator[SmsId]:
        """Yield the SMS of a kind that are due."""
        due = [
            each
            for each in self.sms_by_id.values()
            if each.kind is kind and each.due_at and each.due_at <= now
        ]
        yield from [each.sms_id for each in sorted(due, key=lambda each: str(each.due_at))]

    def iter_held(self) -> Iterator[SmsId]:
        """Yield the SMS that are held."""
        yield from [each.sms_id for each in self.sms_by_id.values() if each.state is SmsState.HELD]

    def iter_day_facts(self, campaign_day: CampaignDay) -> Iterator[SmsFacts]:
        """Yield the facts of the SMS of a campaign day."""
        for each in self.sms_by_id.values():
            if (each.campaign_id, each.day) == (campaign_day.campaign_id, campaign_day.day):
                yield SmsFacts(each.purpose, each.state, each.parts_sent, each.committed)

    def record_opt_out(self, phone_hash: str, *, occurred_at: datetime, source: str) -> None:
        """Store an opt-out, unless it is older than the lifting of an earlier one."""
        stored = self.opt_outs.get(phone_hash)
        if stored is None or (stored.lifted_at is not None and stored.lifted_at < occurred_at):
            self.opt_outs[phone_hash] = OptOut(occurred_at, source)

    def lift_opt_out(self, phone_hash: str, *, occurred_at: datetime, lifted_by: str) -> bool:
        """Lift an opt-out. Return False if none is in force."""
        stored = self.opt_outs.get(phone_hash)
        if stored is None or not stored.is_in_force:
            return False
        self.opt_outs[phone_hash] = replace(stored, lifted_at=occurred_at, lifted_by=lifted_by)
        return True

    def _get_committed(self, sms: Sms) -> int:
        return 0 if sms.budget_day is None else self.committed[sms.campaign_id, sms.budget_day]

    def _store(self, sms: Sms, previous: Sms) -> None:
        self.sms_by_id[sms.sms_id] = sms
        if sms.budget_day is not None:
            self.committed[sms.campaign_id, sms.budget_day] += sms.committed - previous.committed


class InMemorySendRateLimiter:
    """Satisfies `messaging.rate_limiter.SendRateLimiter`."""

    def __init__(self) -> None:
        self.next_free_at: datetime | None = None
        self.current_stop: SendingStop | None = None
        self.resumed_at: datetime | None = None

    def reserve(self, duration: timedelta, *, now: datetime, max_wait: timedelta) -> datetime:
        """Return when to send. Raise SendingStopped or RateLimited."""
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

    def count_sms(self, campaign_day: CampaignDay) -> SmsTotals:
        """Return the totals of a day; all are 0 for a day that has none."""
        return self.counts_by_day.get(campaign_day, SmsTotals())
