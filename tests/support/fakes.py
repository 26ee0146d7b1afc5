"""Stand-ins for what services are given.

Those that remember are held against the real stores in `contracts/test_fakes.py`; the others only say what a
test told them to say.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.campaigns.service import CampaignWriteConflict
from chalicelib.deliveries.model import Delivery, DeliveryId
from chalicelib.http.pagination import Position
from chalicelib.messaging.gateways import GatewayAcceptance, OutgoingSms
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
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import CaptureFacts, DayFact, Registration, RegistrationFacts
from chalicelib.registrations.references import Reference
from chalicelib.rollups.model import Headline, Summary, SummaryState
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.service import Checkpoint, DirtyDay, VersionExists


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, duration: timedelta) -> None:
        """Move it on."""
        self.now += duration


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
        self.committed: Counter[tuple[str, date]] = Counter()
        self.before_write = before_write
        self._opt_outs = opt_outs or InMemoryOptOutStore()
        self._sms_per_phone_day: Counter[tuple[str, date]] = Counter()

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
                yield SmsFacts(each.purpose, each.state, each.parts_sent, each.committed)

    def _is_current(self, previous: Sms) -> bool:
        current = self.sms_by_id.get(previous.sms_id)
        return current is not None and current.revision == previous.revision

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
        """Return when the reserved slot begins. Raise SendingStopped or RateLimited."""
        stop = self.find_stop(now)
        if stop is not None:
            raise SendingStopped(stop.reason, stop.ends_at)
        slot = now if self.next_free_at is None else max(self.next_free_at, now)
        if slot > now + max_wait:
            raise RateLimited
        self.next_free_at = slot + duration
        return slot

    def stop(self, stop: SendingStop) -> None:
        """Stop sending. A stop never shortens a longer one."""
        current = self.current_stop
        is_longer = current is None or (
            current.ends_at is not None and (stop.ends_at is None or stop.ends_at > current.ends_at)
        )
        self.current_stop = stop if is_longer else current

    def resume(self, now: datetime) -> None:
        """End the stop, if there is one."""
        self.current_stop, self.resumed_at = None, now

    def find_stop(self, now: datetime) -> SendingStop | None:
        """Return the stop in force, or None."""
        stop = self.current_stop
        return None if stop is None or (stop.ends_at is not None and stop.ends_at <= now) else stop


class InMemoryOutbox:
    """Satisfies `deliveries.service.Outbox` and `exports.service.Outbox`."""

    def __init__(self) -> None:
        self._entries: dict[tuple[Consumer, CampaignDay], OutboxEntry] = {}
        self._delivered_versions: dict[CampaignDay, int] = {}
        self._leases: dict[Consumer, datetime] = {}

    def iter_entries(self, consumer: Consumer) -> Iterator[OutboxEntry]:
        """Every day that waits for a reader, by day."""
        found = [each for (its, _), each in self._entries.items() if its is consumer]
        yield from sorted(found, key=lambda each: (each.campaign_day.day, each.campaign_day.campaign_id))

    def enqueue(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Let a day wait for a reader, once more if it does already."""
        self._entries[consumer, entry.campaign_day] = entry

    def remove(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Let a day wait no longer, unless it was asked for once more since it was read."""
        standing = self._entries.get((consumer, entry.campaign_day))
        if standing is not None and standing.enqueued_at == entry.enqueued_at:
            del self._entries[consumer, entry.campaign_day]

    def record_attempt(self, consumer: Consumer, entry: OutboxEntry, attempted_at: datetime) -> None:
        """Keep when a day was begun, unless it was asked for once more since it was read."""
        standing = self._entries.get((consumer, entry.campaign_day))
        if standing is not None and standing.enqueued_at == entry.enqueued_at:
            self._entries[consumer, entry.campaign_day] = replace(standing, tried_at=attempted_at)

    def acquire_lease(self, consumer: Consumer, now: datetime, expires_at: datetime) -> bool:
        """Whether nobody else is at a reader's days; if so, nobody else will be before that time."""
        if consumer in self._leases and self._leases[consumer] > now:
            return False
        self._leases[consumer] = expires_at
        return True

    def release_lease(self, consumer: Consumer, expires_at: datetime) -> None:
        """Let others be at a reader's days again."""
        if self._leases.get(consumer) == expires_at:
            del self._leases[consumer]

    def find_notified_version(self, campaign_day: CampaignDay) -> int | None:
        """The version of a final day that managers were last told."""
        return self._delivered_versions.get(campaign_day)

    def record_notified_version(self, campaign_day: CampaignDay, version: int) -> None:
        """Keep which version managers were told."""
        self._delivered_versions[campaign_day] = version


class InMemoryDeliveries:
    """Satisfies `deliveries.service.Deliveries`. `before_write` is what happens just before each write."""

    def __init__(self, *, before_write: Callable[[], object] = lambda: None) -> None:
        self.by_id: dict[DeliveryId, Delivery] = {}
        self.before_write = before_write

    def find(self, delivery_id: DeliveryId) -> Delivery | None:
        """One delivery, as it stands now."""
        return self.by_id.get(delivery_id)

    def save(self, delivery: Delivery) -> bool:
        """Store a delivery's next revision; False if another sender was first."""
        self.before_write()
        standing = self.by_id.get(delivery.delivery_id)
        if (0 if standing is None else standing.revision) != delivery.revision - 1:
            return False
        self.by_id[delivery.delivery_id] = delivery
        return True


class InMemorySummaries:
    """Satisfies `rollups.service.Summaries`."""

    def __init__(self) -> None:
        self.stored_versions: list[Summary] = []
        self.outbox = InMemoryOutbox()
        self._dirty_days: dict[CampaignDay, DirtyDay] = {}
        self._checkpoints: dict[CampaignDay, Checkpoint | None] = {}

    def add(self, summary: Summary) -> None:
        """Store a new version. Raises VersionExists."""
        key = (summary.campaign_id, summary.day, summary.version)
        if any((each.campaign_id, each.day, each.version) == key for each in self.stored_versions):
            raise VersionExists
        self.stored_versions.append(summary)
        waiting = OutboxEntry(
            summary.campaign_day, summary.version, datetime.fromisoformat(summary.counted_at)
        )
        self.outbox.enqueue(Consumer.MANAGERS, waiting)
        if summary.state is SummaryState.FINAL:
            self.outbox.enqueue(Consumer.ANALYSTS, waiting)

    def find_latest(self, campaign_day: CampaignDay) -> Summary | None:
        """The newest version of a day."""
        versions = [
            each
            for each in self.stored_versions
            if (each.campaign_id, each.day) == (campaign_day.campaign_id, campaign_day.day)
        ]
        return max(versions, key=lambda each: each.version, default=None)

    def find_version(self, campaign_day: CampaignDay, version: int) -> Summary | None:
        """One version of a day, however old."""
        found = [
            each
            for each in self.stored_versions
            if each.campaign_day == campaign_day and each.version == version
        ]
        return found[0] if found else None

    def iter_headlines(self, campaign_id: str) -> Iterator[Headline]:
        """The newest version of each day, by day."""
        newest: dict[date, Headline] = {}
        for each in self.stored_versions:
            if each.campaign_id == campaign_id:
                newest[each.day] = each.headline
        yield from (newest[day] for day in sorted(newest))

    def enqueue(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Let a day wait for a reader, once more if it does already."""
        self.outbox.enqueue(consumer, entry)

    def mark_dirty(self, campaign_day: CampaignDay, *, occurred_at: datetime) -> None:
        """Mark a day, or mark it once more."""
        before = self._dirty_days[campaign_day].generation if campaign_day in self._dirty_days else 0
        self._dirty_days[campaign_day] = DirtyDay(campaign_day, before + 1, occurred_at)

    def iter_dirty_days(self) -> Iterator[DirtyDay]:
        """Every marked day, by day."""
        yield from sorted(
            self._dirty_days.values(), key=lambda mark: (mark.campaign_day.day, mark.campaign_day.campaign_id)
        )

    def find_dirty_day(self, campaign_day: CampaignDay) -> DirtyDay | None:
        """The mark of a day, if it is marked."""
        return self._dirty_days.get(campaign_day)

    def save_checkpoint(self, campaign_day: CampaignDay, checkpoint: Checkpoint | None) -> None:
        """Keep a count that is not done, in place of the one kept before."""
        self._checkpoints[campaign_day] = checkpoint

    def find_checkpoint(self, campaign_day: CampaignDay) -> Checkpoint | None:
        """The count of a day that was laid aside last."""
        return self._checkpoints.get(campaign_day)

    def clear_dirty(self, dirty_day: DirtyDay) -> None:
        """Take a mark away, unless the day was marked once more since it was read."""
        if (
            dirty_day.campaign_day in self._dirty_days
            and self._dirty_days[dirty_day.campaign_day].generation == dirty_day.generation
        ):
            del self._dirty_days[dirty_day.campaign_day]


class InMemoryCampaigns:
    """Campaigns in a dictionary; satisfies `campaigns.service.Campaigns`. `asked` counts look-ups."""

    def __init__(self, *campaigns: Campaign) -> None:
        self._campaigns = {campaign.campaign_id: campaign for campaign in campaigns}
        self.lookup_count = 0

    def add(self, campaign: Campaign) -> None:
        """Raises CampaignExists if the id is taken."""
        if campaign.campaign_id in self._campaigns:
            raise CampaignExists(campaign.campaign_id)
        self._campaigns[campaign.campaign_id] = campaign

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""
        self.lookup_count += 1
        if campaign_id not in self._campaigns:
            raise CampaignUnknown(campaign_id)
        return self._campaigns[campaign_id]

    def replace(self, campaign: Campaign, *, previous: Campaign) -> None:
        """Store the fields that differ. Raises CampaignWriteConflict if the days are no longer as they were."""
        standing = self._campaigns[campaign.campaign_id]
        if _campaign_dates(standing) != _campaign_dates(previous):
            raise CampaignWriteConflict(campaign.campaign_id)
        before = dict(previous)
        differing = {name: value for name, value in campaign if value != before[name]}
        self._campaigns[campaign.campaign_id] = standing.model_copy(update=differing)

    def iter_ending_since(self, first_last_day: date) -> Iterator[Campaign]:
        """The campaigns that end on a day or later."""
        yield from sorted(
            (each for each in self._campaigns.values() if each.last_day >= first_last_day),
            key=lambda campaign: campaign.last_day,
        )


def _campaign_dates(campaign: Campaign) -> tuple[date, date, date]:
    return campaign.first_day, campaign.last_day, campaign.accepts_until


class InMemoryRegistrations:
    """The registrations that messages may name; satisfies `notifications.service.RegistrationReader`."""

    def __init__(self, *registrations: Registration) -> None:
        self._registrations = {each.reference: each for each in registrations}

    def get(self, reference: str) -> Registration:
        """Raises RegistrationUnknown."""
        for registration in self._registrations.values():
            if registration.reference == reference:
                return registration
        raise RegistrationUnknown("no registration has this reference")

    def put(self, registration: Registration) -> None:
        """A registration that has changed, or is new."""
        self._registrations[registration.reference] = registration

    def remove(self, reference: str) -> None:
        """A registration whose worker was erased."""
        del self._registrations[Reference(reference)]


class InMemoryDayFacts:
    """What counts for each day; satisfies `rollups.service.FactSource`. A day may be made unreadable.

    `on_read` is what happens as the reading begins (0) and as each fact is read, told its number.
    """

    def __init__(self, *, on_read: Callable[[int], object] = lambda _: None) -> None:
        self.facts_by_day: dict[CampaignDay, list[DayFact]] = {}
        self.unreadable_days: set[CampaignDay] = set()
        self.on_read = on_read

    def add(self, campaign_day: CampaignDay, facts: CaptureFacts | RegistrationFacts, **fields: Any) -> None:
        """One thing more that counts for a day, after all others unless a position is given."""
        known = self.facts_by_day.setdefault(campaign_day, [])
        position = fields.pop("position", f"{len(known):09}")
        known.append(DayFact(Position(position), facts, **fields))

    def iter_day_facts(
        self, campaign_day: CampaignDay, *, start_after: Position | None = None
    ) -> Iterator[DayFact]:
        """Raises ConnectionError for an unreadable day."""
        if campaign_day in self.unreadable_days:
            raise ConnectionError
        known = sorted(self.facts_by_day.get(campaign_day, ()), key=lambda fact: fact.position)
        self.on_read(0)
        for number, fact in enumerate(
            (each for each in known if each.position > (start_after or "")), start=1
        ):
            self.on_read(number)
            yield fact

    def iter_capture_facts(self, campaign_day: CampaignDay) -> Iterator[DayFact]:
        """The captures among them; satisfies `exports.service.Captures`."""
        return (fact for fact in self.iter_day_facts(campaign_day) if isinstance(fact.facts, CaptureFacts))


class InMemoryDayCounts:
    """Satisfies `clients.caps.DayCounts`. `asked` counts requests."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, date]] = Counter()
        self.request_count = 0

    def add(self, client_id: str, day: date, number: int) -> int:
        """Add to a client's count of a day, or take away; the count after that."""
        self.request_count += 1
        self.counts[client_id, day] += number
        return self.counts[client_id, day]


class InMemorySmsCounts:
    """The texts of each day; satisfies `rollups.service.Sent`."""

    def __init__(self) -> None:
        self.counts_by_day: dict[CampaignDay, SmsTotals] = {}

    def count_sms(self, campaign_day: CampaignDay) -> SmsTotals:
        """None, for a day that nothing is known of."""
        return self.counts_by_day.get(campaign_day, SmsTotals())


class ScriptedGateway:
    """Answers each send with the next of its answers, raising those that are exceptions; keeps what it was
    given. With no answers left it accepts.
    """

    name = "scripted"

    def __init__(self, *answers: str | Exception, on_send: Callable[[], object] = lambda: None) -> None:
        self._answers = list(answers)
        self.sent_sms: list[OutgoingSms] = []
        self.on_send = on_send

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        """The next answer. `on_send` is what happens while the text is on its way."""
        self.sent_sms.append(outgoing)
        self.on_send()
        answer = self._answers.pop(0) if self._answers else f"gateway-{len(self.sent_sms)}"
        if isinstance(answer, Exception):
            raise answer
        return GatewayAcceptance(self.name, answer)
