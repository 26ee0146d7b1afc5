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
from chalicelib.campaigns.service import DaysMoved
from chalicelib.deliveries.model import Delivery, DeliveryId
from chalicelib.notifications.gateways import GatewayId, Outgoing
from chalicelib.notifications.model import MessageId, OptOut, Text, TextState
from chalicelib.notifications.pace import LineBusy, Stop, Stopped
from chalicelib.notifications.service import (
    Brakes,
    BudgetSpent,
    DayOfTexts,
    EnoughToday,
    Moved,
    OptedOut,
    TextFacts,
)
from chalicelib.notifications.templates import Kind
from chalicelib.pagination import Position
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import CaptureFacts, DayFact, Registration, RegistrationFacts
from chalicelib.registrations.reference import Reference
from chalicelib.rollups.model import Headline, State, Summary
from chalicelib.rollups.outbox import Reader, Waiting
from chalicelib.rollups.service import AlreadyWritten, LaidAside, Mark


class FixedClock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, by: timedelta) -> None:
        """Move it on."""
        self.at += by


class InMemoryLedger:
    """Satisfies `notifications.service.Ledger`.

    `committed` is the money of each campaign and day; `on_write` is what happens just before each write.
    """

    def __init__(self, *, on_write: Callable[[], object] = lambda: None) -> None:
        self.texts: dict[str, Text] = {}
        self.committed: Counter[tuple[str, date]] = Counter()
        self.opted_out: dict[str, OptOut] = {}
        self.on_write = on_write
        self._counted: Counter[tuple[str, date]] = Counter()

    def get(self, message_id: str) -> Text | None:
        """One text, as it stands now."""
        return self.texts.get(message_id)

    def begin(self, text: Text) -> Text:
        """Store a new text; what stands there then."""
        self.on_write()
        return self.texts.setdefault(text.message_id, text)

    def move(self, text: Text, *, was: Text) -> bool:
        """Store a text's next revision; False if it has moved meanwhile."""
        self.on_write()
        standing = self.texts.get(text.message_id)
        if standing is None or standing.revision != was.revision:
            return False
        self._store(text, was)
        return True

    def claim(self, text: Text, *, was: Text, brakes: Brakes) -> None:
        """Raises Moved, OptedOut, EnoughToday or BudgetSpent."""
        self.on_write()
        standing = self.texts.get(text.message_id)
        if standing is None or standing.revision != was.revision:
            raise Moved
        opt_out = self.opted_out.get(text.phone_hash)
        if opt_out is not None and opt_out.is_in_force:
            raise OptedOut
        phone, is_copy = (text.phone_hash, text.counted_on), text.counted_on != was.counted_on
        if is_copy and self._counted[phone] >= brakes.texts_a_day:
            raise EnoughToday
        more = text.committed - was.committed
        if more and brakes.budget is not None and self._spent(text) + more > brakes.budget:
            raise BudgetSpent
        self._counted[phone] += is_copy
        self._store(text, was)

    def due(self, kind: Kind, now: datetime) -> Iterator[MessageId]:
        """The texts that somebody must look at by now."""
        due = [
            each for each in self.texts.values() if each.kind is kind and each.due_at and each.due_at <= now
        ]
        yield from [each.message_id for each in sorted(due, key=lambda each: str(each.due_at))]

    def held(self) -> Iterator[MessageId]:
        """The texts that wait for somebody to release them."""
        yield from [each.message_id for each in self.texts.values() if each.state is TextState.HELD]

    def of_day(self, day: CampaignDay) -> Iterator[TextFacts]:
        """What counting needs of the texts of a campaign day."""
        for each in self.texts.values():
            if (each.campaign_id, each.day) == (day.campaign_id, day.day):
                yield TextFacts(each.purpose, each.state, each.parts_sent, each.committed)

    def opt_out(self, phone_hash: str, *, at: datetime, source: str) -> None:
        """Claim no text for this phone any more, unless that was lifted since it was said."""
        standing = self.opted_out.get(phone_hash)
        if standing is None or (standing.lifted_at is not None and standing.lifted_at < at):
            self.opted_out[phone_hash] = OptOut(at, source)

    def lift_opt_out(self, phone_hash: str, *, at: datetime, by: str) -> bool:
        """Let texts be claimed for this phone again; False if it has not opted out."""
        standing = self.opted_out.get(phone_hash)
        if standing is None or not standing.is_in_force:
            return False
        self.opted_out[phone_hash] = replace(standing, lifted_at=at, lifted_by=by)
        return True

    def _spent(self, text: Text) -> int:
        return 0 if text.budget_day is None else self.committed[text.campaign_id, text.budget_day]

    def _store(self, text: Text, was: Text) -> None:
        self.texts[text.message_id] = text
        if text.budget_day is not None:
            self.committed[text.campaign_id, text.budget_day] += text.committed - was.committed


class InMemoryLine:
    """Satisfies `notifications.pace.Line`."""

    def __init__(self) -> None:
        self.free_at: datetime | None = None
        self.stop_now: Stop | None = None
        self.resumed_at: datetime | None = None

    def take(self, takes: timedelta, *, now: datetime, longest: timedelta) -> datetime:
        """When to send. Raises Stopped or LineBusy."""
        stop = self.stopped(now)
        if stop is not None:
            raise Stopped(stop.reason, stop.until)
        slot = now if self.free_at is None else max(self.free_at, now)
        if slot > now + longest:
            raise LineBusy
        self.free_at = slot + takes
        return slot

    def stop(self, stop: Stop) -> None:
        """Let nobody send. A shorter stop never shortens a longer one."""
        standing = self.stop_now
        longer = standing is None or (
            standing.until is not None and (stop.until is None or stop.until > standing.until)
        )
        self.stop_now = stop if longer else standing

    def resume(self, at: datetime) -> None:
        """Let everybody send again."""
        self.stop_now, self.resumed_at = None, at

    def stopped(self, now: datetime) -> Stop | None:
        """Why nothing is sent now, if so."""
        stop = self.stop_now
        return None if stop is None or (stop.until is not None and stop.until <= now) else stop


class InMemoryOutbox:
    """Satisfies `deliveries.service.Outbox` and `exports.service.Outbox`."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[Reader, CampaignDay], Waiting] = {}
        self._told: dict[CampaignDay, int] = {}
        self._turns: dict[Reader, datetime] = {}

    def waiting(self, reader: Reader) -> Iterator[Waiting]:
        """Every day that waits for a reader, by day."""
        found = [each for (its, _), each in self._waiting.items() if its is reader]
        yield from sorted(found, key=lambda each: (each.of.day, each.of.campaign_id))

    def ask(self, reader: Reader, waiting: Waiting) -> None:
        """Let a day wait for a reader, once more if it does already."""
        self._waiting[reader, waiting.of] = waiting

    def done(self, reader: Reader, waiting: Waiting) -> None:
        """Let a day wait no longer, unless it was asked for once more since it was read."""
        standing = self._waiting.get((reader, waiting.of))
        if standing is not None and standing.asked_at == waiting.asked_at:
            del self._waiting[reader, waiting.of]

    def begin(self, reader: Reader, waiting: Waiting, at: datetime) -> None:
        """Keep when a day was begun, unless it was asked for once more since it was read."""
        standing = self._waiting.get((reader, waiting.of))
        if standing is not None and standing.asked_at == waiting.asked_at:
            self._waiting[reader, waiting.of] = replace(standing, tried_at=at)

    def take_turn(self, reader: Reader, now: datetime, until: datetime) -> bool:
        """Whether nobody else is at a reader's days; if so, nobody else will be before that time."""
        if reader in self._turns and self._turns[reader] > now:
            return False
        self._turns[reader] = until
        return True

    def end_turn(self, reader: Reader, until: datetime) -> None:
        """Let others be at a reader's days again."""
        if self._turns.get(reader) == until:
            del self._turns[reader]

    def told(self, of: CampaignDay) -> int | None:
        """The version of a final day that managers were last told."""
        return self._told.get(of)

    def note_told(self, of: CampaignDay, version: int) -> None:
        """Keep which version managers were told."""
        self._told[of] = version


class InMemoryDeliveries:
    """Satisfies `deliveries.service.Deliveries`. `on_write` is what happens just before each write."""

    def __init__(self, *, on_write: Callable[[], object] = lambda: None) -> None:
        self.known: dict[DeliveryId, Delivery] = {}
        self.on_write = on_write

    def get(self, known: DeliveryId) -> Delivery | None:
        """One delivery, as it stands now."""
        return self.known.get(known)

    def move(self, delivery: Delivery) -> bool:
        """Store a delivery's next revision; False if another sender was first."""
        self.on_write()
        standing = self.known.get(delivery.delivery_id)
        if (0 if standing is None else standing.revision) != delivery.revision - 1:
            return False
        self.known[delivery.delivery_id] = delivery
        return True


class InMemorySummaries:
    """Satisfies `rollups.service.Summaries`."""

    def __init__(self) -> None:
        self.written: list[Summary] = []
        self.outbox = InMemoryOutbox()
        self._marks: dict[CampaignDay, Mark] = {}
        self._laid_aside: dict[CampaignDay, LaidAside | None] = {}

    def add(self, summary: Summary) -> None:
        """Store a new version. Raises AlreadyWritten."""
        key = (summary.campaign_id, summary.day, summary.version)
        if any((each.campaign_id, each.day, each.version) == key for each in self.written):
            raise AlreadyWritten
        self.written.append(summary)
        waiting = Waiting(summary.of, summary.version, datetime.fromisoformat(summary.counted_at))
        self.outbox.ask(Reader.MANAGERS, waiting)
        if summary.state is State.FINAL:
            self.outbox.ask(Reader.ANALYSTS, waiting)

    def latest(self, of: CampaignDay) -> Summary | None:
        """The newest version of a day."""
        versions = [each for each in self.written if (each.campaign_id, each.day) == (of.campaign_id, of.day)]
        return max(versions, key=lambda each: each.version, default=None)

    def find(self, of: CampaignDay, version: int) -> Summary | None:
        """One version of a day, however old."""
        found = [each for each in self.written if each.of == of and each.version == version]
        return found[0] if found else None

    def headlines(self, campaign_id: str) -> Iterator[Headline]:
        """The newest version of each day, by day."""
        newest: dict[date, Headline] = {}
        for each in self.written:
            if each.campaign_id == campaign_id:
                newest[each.day] = each.headline
        yield from (newest[day] for day in sorted(newest))

    def ask(self, reader: Reader, waiting: Waiting) -> None:
        """Let a day wait for a reader, once more if it does already."""
        self.outbox.ask(reader, waiting)

    def mark(self, of: CampaignDay, *, at: datetime) -> None:
        """Mark a day, or mark it once more."""
        before = self._marks[of].marks if of in self._marks else 0
        self._marks[of] = Mark(of, before + 1, at)

    def marks(self) -> Iterator[Mark]:
        """Every marked day, by day."""
        yield from sorted(self._marks.values(), key=lambda mark: (mark.of.day, mark.of.campaign_id))

    def find_mark(self, of: CampaignDay) -> Mark | None:
        """The mark of a day, if it is marked."""
        return self._marks.get(of)

    def lay_aside(self, of: CampaignDay, count: LaidAside | None) -> None:
        """Keep a count that is not done, in place of the one kept before."""
        self._laid_aside[of] = count

    def find_laid_aside(self, of: CampaignDay) -> LaidAside | None:
        """The count of a day that was laid aside last."""
        return self._laid_aside.get(of)

    def unmark(self, mark: Mark) -> None:
        """Take a mark away, unless the day was marked once more since it was read."""
        if mark.of in self._marks and self._marks[mark.of].marks == mark.marks:
            del self._marks[mark.of]


class KnownCampaigns:
    """Campaigns in a dictionary; satisfies `campaigns.service.Campaigns`. `asked` counts look-ups."""

    def __init__(self, *campaigns: Campaign) -> None:
        self._campaigns = {campaign.campaign_id: campaign for campaign in campaigns}
        self.asked = 0

    def add(self, campaign: Campaign) -> None:
        """Raises CampaignExists if the id is taken."""
        if campaign.campaign_id in self._campaigns:
            raise CampaignExists(campaign.campaign_id)
        self._campaigns[campaign.campaign_id] = campaign

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""
        self.asked += 1
        if campaign_id not in self._campaigns:
            raise CampaignUnknown(campaign_id)
        return self._campaigns[campaign_id]

    def replace(self, campaign: Campaign, *, was: Campaign) -> None:
        """Store the fields that differ. Raises DaysMoved if the days are no longer as they were."""
        standing = self._campaigns[campaign.campaign_id]
        if _days(standing) != _days(was):
            raise DaysMoved(campaign.campaign_id)
        before = dict(was)
        differing = {name: value for name, value in campaign if value != before[name]}
        self._campaigns[campaign.campaign_id] = standing.model_copy(update=differing)

    def ending_since(self, day: date) -> Iterator[Campaign]:
        """The campaigns that end on a day or later."""
        yield from sorted(
            (each for each in self._campaigns.values() if each.last_day >= day),
            key=lambda campaign: campaign.last_day,
        )


def _days(campaign: Campaign) -> tuple[date, date, date]:
    return campaign.first_day, campaign.last_day, campaign.accepts_until


class KnownRegistrations:
    """The registrations that messages may name; satisfies `notifications.service.Registrations`."""

    def __init__(self, *registrations: Registration) -> None:
        self._registrations = {each.reference: each for each in registrations}

    def get(self, known_reference: str) -> Registration:
        """Raises RegistrationUnknown."""
        for registration in self._registrations.values():
            if registration.reference == known_reference:
                return registration
        raise RegistrationUnknown("no registration has this reference")

    def put(self, registration: Registration) -> None:
        """A registration that has changed, or is new."""
        self._registrations[registration.reference] = registration

    def take_away(self, reference: str) -> None:
        """A registration whose worker was erased."""
        del self._registrations[Reference(reference)]


class KnownFacts:
    """What counts for each day; satisfies `rollups.service.Facts`. A day may be made unreadable.

    `on_read` is what happens as the reading begins (0) and as each fact is read, told its number.
    """

    def __init__(self, *, on_read: Callable[[int], object] = lambda _: None) -> None:
        self.by_day: dict[CampaignDay, list[DayFact]] = {}
        self.unreadable: set[CampaignDay] = set()
        self.on_read = on_read

    def add(self, of: CampaignDay, facts: CaptureFacts | RegistrationFacts, **more: Any) -> None:
        """One thing more that counts for a day, after all others unless a position is given."""
        known = self.by_day.setdefault(of, [])
        position = more.pop("position", f"{len(known):09}")
        known.append(DayFact(Position(position), facts, **more))

    def facts_of(self, of: CampaignDay, *, after: Position | None = None) -> Iterator[DayFact]:
        """Raises ConnectionError for an unreadable day."""
        if of in self.unreadable:
            raise ConnectionError
        known = sorted(self.by_day.get(of, ()), key=lambda fact: fact.position)
        self.on_read(0)
        for number, fact in enumerate((each for each in known if each.position > (after or "")), start=1):
            self.on_read(number)
            yield fact

    def captures_of(self, of: CampaignDay) -> Iterator[DayFact]:
        """The captures among them; satisfies `exports.service.Captures`."""
        return (fact for fact in self.facts_of(of) if isinstance(fact.facts, CaptureFacts))


class InMemoryDayCounts:
    """Satisfies `clients.caps.DayCounts`. `asked` counts requests."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, date]] = Counter()
        self.asked = 0

    def add(self, client_id: str, day: date, number: int) -> int:
        """Add to a client's count of a day, or take away; the count after that."""
        self.asked += 1
        self.counts[client_id, day] += number
        return self.counts[client_id, day]


class KnownTexts:
    """The texts of each day; satisfies `rollups.service.Sent`."""

    def __init__(self) -> None:
        self.by_day: dict[CampaignDay, DayOfTexts] = {}

    def texts_of(self, day: CampaignDay) -> DayOfTexts:
        """None, for a day that nothing is known of."""
        return self.by_day.get(day, DayOfTexts())


class ScriptedGateway:
    """Answers each send with the next of its answers, raising those that are exceptions; keeps what it was
    given. With no answers left it accepts.
    """

    name = "scripted"

    def __init__(self, *answers: str | Exception, during: Callable[[], object] = lambda: None) -> None:
        self._answers = list(answers)
        self.sent: list[Outgoing] = []
        self.during = during

    def send(self, outgoing: Outgoing) -> GatewayId:
        """The next answer. `during` is what happens while the text is on its way."""
        self.sent.append(outgoing)
        self.during()
        answer = self._answers.pop(0) if self._answers else f"gateway-{len(self.sent)}"
        if isinstance(answer, Exception):
            raise answer
        return GatewayId(self.name, answer)
