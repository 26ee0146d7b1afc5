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
from chalicelib.notifications import occasions
from chalicelib.notifications.errors import LeftAlone, Never, OutcomeUnknown, StopEverything, TryLater
from chalicelib.notifications.gateways import Gateway, Outgoing
from chalicelib.notifications.hours import QuietHours, retry_at, zone_of
from chalicelib.notifications.model import (
    RECEIPT_WITHIN,
    STUCK_AFTER,
    MessageId,
    Report,
    Text,
    TextState,
    message_id,
)
from chalicelib.notifications.pace import Line, LineBusy, Rate, Stop, Stopped
from chalicelib.notifications.receipts import Receipt
from chalicelib.notifications.segments import segmented
from chalicelib.notifications.templates import Kind, Purpose, template
from chalicelib.privacy.hashing import KeyedHash
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import Registration
from chalicelib.registrations.phone import Phone

# Each round ends unless another writer changed the very row in between.
_ROUNDS = 6

# Senders that collide wait up to this long, each for itself.
_CONTENTION = timedelta(milliseconds=80)

# How long a sender stands in line for its slot. All that may run at once, at ten parts a second, take less.
_IN_LINE = timedelta(seconds=4)

# How often a reminder looks whether the line is free, and how many times.
_LOOKS, _LOOK_AGAIN = 8, timedelta(milliseconds=200)

# A gateway that takes nothing from us is left alone for this long.
STOP_FOR = timedelta(minutes=15)

# Texts that meet a stop nobody has set an end to come back after this long; those that nobody asked a gateway
# about, after that or up to twice as long.
_ASK_AGAIN = timedelta(minutes=5)

# Country Indonesia, type mobile, as intake reads numbers: a toll-fraud brake of its own, because a number
# that came into the table by another way would cost money here.
_MOBILE = re.compile(r"\+628[1-35-9]\d{7,10}")


Stored = TypeVar("Stored")


class TextUnknown(Exception):
    """The ledger holds no such text."""


class Moved(Exception):
    """The row has changed since it was read."""


class Contended(Exception):
    """Another writer was in the way; nothing was stored, and trying again may do."""


class Braked(Exception):
    """A text may not be sent, or not now."""


class OptedOut(Braked):
    """The worker wants no texts."""


class EnoughToday(Braked):
    """The phone has had its texts for the day."""


class BudgetSpent(Braked):
    """The campaign's money for the day is spent or put aside."""


@dataclass(frozen=True)
class Brakes:
    """What a claim must respect: the number of texts of a phone's day, the budget of the campaign's day.

    No budget means that somebody released the text.
    """

    texts_a_day: int
    budget: int | None


@dataclass(frozen=True)
class TextFacts:
    """What counting reads of a text."""

    purpose: str
    state: str
    parts: int
    money: int


class Ledger(Protocol):
    """Where texts are kept. Every write is conditional on the revision that was read."""

    def get(self, message_id: MessageId) -> Text | None:
        """One text, as it stands now."""

    def begin(self, text: Text) -> Text:
        """Store a new text; what stands there then, which is another's if that was first."""

    def claim(self, text: Text, *, was: Text, brakes: Brakes) -> None:
        """Take a text in hand, with its money put aside, and count each copy for its phone on its day.

        All or nothing. Raises Moved, OptedOut, EnoughToday, BudgetSpent or Contended.
        """

    def move(self, text: Text, *, was: Text) -> bool:
        """Store a text's next revision, and what it changes in the budget; False if it has moved meanwhile.

        Raises Contended.
        """

    def due(self, kind: Kind, now: datetime) -> Iterator[MessageId]:
        """The texts that somebody must look at by now, longest due first."""

    def held(self) -> Iterator[MessageId]:
        """The texts that wait for somebody to release them, longest held first."""

    def of_day(self, day: CampaignDay) -> Iterable[TextFacts]:
        """What counting needs of the texts of the registrations of a campaign day."""

    def opt_out(self, phone_hash: str, *, at: datetime, source: str) -> None:
        """Claim no text for this phone any more.

        Once more changes nothing, nor does what was said before an opt-out was lifted.
        """


class Registrations(Protocol):
    """What telling needs of registrations."""

    def get(self, known_reference: str) -> Registration:
        """Raises RegistrationUnknown."""


class Campaigns(Protocol):
    """What telling needs of campaigns."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""


@dataclass(frozen=True)
class Terms:
    """What a stage sets. Prices are rupiah a part, as expected before a receipt says."""

    rate: Rate
    quiet: QuietHours
    price_a_part: int
    rupiah_a_dollar: int
    texts_a_day: int = 3


@dataclass(frozen=True)
class Surroundings:
    """What a sender has around it: time, chance between 0 and 1, patience, and the stage's hash."""

    clock: Clock
    chance: Callable[[], float]
    wait: Callable[[timedelta], None]
    hashing: KeyedHash


@dataclass(frozen=True)
class DayOfTexts:
    """The texts of a campaign day's registrations: how many in each state, the parts that gateways took, and
    rupiah.
    """

    by_state: dict[str, int] = field(default_factory=dict)
    parts: int = 0
    money: int = 0


def release_held(ledger: Ledger, campaign_id: str, *, now: datetime) -> int:
    """Let a campaign's held texts go out, whatever its budget says and however long they waited. How many."""
    released = 0
    for held in ledger.held():
        text = ledger.get(held)
        if text is not None and text.campaign_id == campaign_id and text.state is TextState.HELD:
            deadline = now + template(text.purpose).deadline
            released += ledger.move(text.released(now, deadline=deadline), was=text)
    return released


class TextCounts:
    """Counts the texts of campaign days from the ledger, never by adding up as they go."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def texts_of(self, day: CampaignDay) -> DayOfTexts:
        """What became of the texts of a campaign day's registrations, and what they cost so far."""
        by_state: dict[str, int] = {}
        parts = money = 0
        for facts in self._ledger.of_day(day):
            by_state[facts.state] = by_state.get(facts.state, 0) + 1
            parts += facts.parts
            money += facts.money
        return DayOfTexts(dict(sorted(by_state.items())), parts, money)


class Notifier:
    """Sends the texts that events call for."""

    def __init__(
        self,
        *,
        registrations: Registrations,
        campaigns: Campaigns,
        ledger: Ledger,
        line: Line,
        gateway: Gateway,
        terms: Terms,
        around: Surroundings,
    ) -> None:
        self._registrations = registrations
        self._campaigns = campaigns
        self._ledger = ledger
        self._line = line
        self._gateway = gateway
        self._terms = terms
        self._around = around

    def tell(self, purpose: Purpose, reference: str, *, occasion: int = 1, correlation_id: str) -> Text:
        """Tell a worker of one event. Returns the text as the ledger has it now.

        An event told already, or whose text may have gone out, sends nothing. A reminder is only put down
        in the ledger: the schedule takes it up. Raises RegistrationUnknown.
        """
        registration = self._registrations.get(reference)
        text = self._ledger.begin(self._new(purpose, registration, occasion, correlation_id))
        if text.kind is Kind.REMINDER:
            return text
        return self._advance(text, registration)

    def take_up(self, due: MessageId) -> Text:
        """Do what is to be done about a text now. Raises TextUnknown.

        A text whose worker is gone is given up: nobody is to be told.
        """
        text = self._get(due)
        try:
            registration = self._registrations.get(text.registration)
        except RegistrationUnknown:
            return self._told_nobody(text)
        return self._advance(text, registration)

    def note(self, receipt: Receipt) -> None:
        """Add what a receipt says to the ledger; what is known or not ours adds nothing."""
        price = receipt.price_microusd
        report = Report(
            gateway=receipt.gateway,
            gateway_id=receipt.gateway_id,
            state=TextState(receipt.state),
            parts=receipt.parts,
            price=None if price is None else -(-price * self._terms.rupiah_a_dollar // 1_000_000),
            reason=receipt.reason,
        )
        text = self._ledger.get(receipt.message_id)
        if text is None:
            return
        if receipt.opted_out:
            at = min(receipt.at, text.touched_at or receipt.at)
            self._ledger.opt_out(text.phone_hash, at=at, source=receipt.gateway)
        try:
            self._record(text, lambda standing: standing.noted(report))
        except TextUnknown:
            return  # Its worker was erased while this was read.

    def _new(self, purpose: Purpose, registration: Registration, occasion: int, correlation_id: str) -> Text:
        now, wording = self._around.clock(), template(purpose)
        is_reminder = wording.kind is Kind.REMINDER
        parts = len(segmented(occasions.words(wording, occasion, registration) or "").parts)
        return Text(
            message_id=message_id(registration.reference, purpose, wording.version, occasion),
            registration=registration.reference,
            campaign_id=registration.taken.campaign_id,
            day=registration.taken.day,
            purpose=purpose,
            template_version=wording.version,
            occasion=occasion,
            kind=wording.kind,
            phone_hash=self._around.hashing.of("phone", registration.worker.phone),
            correlation_id=correlation_id,
            begun_at=now,
            deadline=now + wording.deadline,
            due_at=now if is_reminder else now + STUCK_AFTER,
            parts=parts,
            price=parts * self._terms.price_a_part,
        )

    def _advance(self, text: Text, registration: Registration) -> Text:
        text = self._looked_after(text)
        if text.state is TextState.CLAIMED and text.is_abandoned(self._around.clock()):
            taken_over = text.reclaimed(self._around.clock())
            moved = self._move(text, taken_over)
            return self._attempt(moved, registration) if moved is taken_over else moved
        if text.state is not TextState.PENDING:
            return text
        claimed = self._claimed(text, registration)
        return self._attempt(claimed, registration) if claimed.state is TextState.CLAIMED else claimed

    def _told_nobody(self, text: Text) -> Text:
        text, now = self._looked_after(text), self._around.clock()
        if text.state is TextState.CLAIMED and text.is_abandoned(now):
            text = self._put_off(text, now, "nobody_to_tell")
        if text.state is TextState.PENDING:
            return self._move(text, text.given_up("nobody_to_tell"))
        return text

    def _looked_after(self, text: Text) -> Text:
        """A text whose sender was stopped is unknown; an unknown one may be sent once more after a while."""
        now = self._around.clock()
        if text.state is TextState.ATTEMPT_STARTED and text.is_abandoned(now):
            harmless = template(text.purpose).duplicate_harmless
            text = self._move(text, text.lost_sight_of("attempt_abandoned", None, may_resend=harmless))
        waited = text.touched_at is not None and now >= text.touched_at + RECEIPT_WITHIN
        if text.state is TextState.UNKNOWN and text.due_at is not None and waited:
            return self._move(text, text.to_be_resent(now))
        return text

    def _claimed(self, text: Text, registration: Registration) -> Text:
        """The text in our hands, or where it went instead."""
        now = self._around.clock()
        campaign = self._campaigns.get(text.campaign_id)
        zone = zone_of(registration.worker.postal_code, campaign.zone)
        reason = self._why_not(text, registration, now)
        if reason is not None:
            return self._move(text, text.given_up(reason))
        if text.kind is Kind.REMINDER and self._terms.quiet.covers(now, zone):
            return self._put_off(text, self._next_morning(zone), "quiet_hours")
        phone_day = now.astimezone(ZoneInfo(zone)).date()
        claimed = text.claimed(now, budget_day=campaign.local_day(now), phone_day=phone_day)
        brakes = Brakes(
            texts_a_day=self._terms.texts_a_day,
            budget=None if text.is_released else campaign.sms_budget,
        )
        try:
            self._persist(lambda: self._ledger.claim(claimed, was=text, brakes=brakes))
        except Moved:
            return self._get(text.message_id)
        except Braked as braked:
            return self._braked(text, braked, zone)
        return claimed

    def _braked(self, text: Text, braked: Braked, zone: str) -> Text:
        match braked:
            case EnoughToday():
                return self._put_off(text, self._next_morning(zone), "enough_texts_today")
            case BudgetSpent():
                return self._move(text, text.held("budget_spent"))
            case _:
                return self._move(text, text.given_up("opted_out"))

    def _why_not(self, text: Text, registration: Registration, now: datetime) -> str | None:
        if now >= text.deadline:
            return "expired"
        if not _MOBILE.fullmatch(registration.worker.phone):
            return "not_an_indonesian_mobile"
        if occasions.words(template(text.purpose), text.occasion, registration) is None:
            return "overtaken"
        return None

    def _attempt(self, text: Text, registration: Registration) -> Text:
        words = occasions.words(template(text.purpose), text.occasion, registration)
        if words is None:
            return self._put_off(text, self._around.clock(), "overtaken")
        try:
            self._take_slot(text)
        except Stopped as stopped:
            return self._put_off(text, stopped.until or self._around.clock() + _ASK_AGAIN, "stopped")
        except LineBusy:
            return self._put_off(text, self._retry_at(text), "line_busy")
        started = text.attempt_started(self._around.clock())
        moved = self._move(text, started)
        if moved is not started:
            return moved
        outgoing = Outgoing(
            to=Phone(registration.worker.phone),
            words=words,
            message_id=text.message_id,
            correlation_id=text.correlation_id,
            parts=text.parts,
            deadline=text.deadline,
            purpose=text.purpose,
            campaign_id=text.campaign_id,
        )
        return self._record(started, self._outcome(started, outgoing))

    def _take_slot(self, text: Text) -> None:
        """Wait for the text's turn. Raises Stopped or LineBusy."""
        takes, is_reminder = self._terms.rate.takes(text.parts), text.kind is Kind.REMINDER
        for left in reversed(range(_LOOKS if is_reminder else 1)):
            now = self._around.clock()
            try:
                at = self._line.take(takes, now=now, longest=timedelta(0) if is_reminder else _IN_LINE)
            except LineBusy:
                if not left:
                    raise
                self._around.wait(_LOOK_AGAIN)
            else:
                return self._around.wait(max(at - now, timedelta(0)))
        return None

    def _outcome(self, text: Text, outgoing: Outgoing) -> Callable[[Text], Text]:
        """Hand a text over. What the gateway's answer makes of its row."""
        try:
            accepted = self._gateway.send(outgoing)
        except (TryLater, StopEverything) as later:
            if isinstance(later, StopEverything):
                self._line.stop(Stop(later.reason, self._around.clock() + STOP_FOR))
            return self._not_taken(text, later)
        except Never as never:
            refusal = never
            if never.opted_out:
                # The answer is as old as the question: whoever lifts the opt-out meanwhile is not overruled.
                at = text.touched_at or self._around.clock()
                self._ledger.opt_out(text.phone_hash, at=at, source=never.gateway or self._gateway.name)
            return lambda each: each.refused(refusal.reason, refusal.gateway)
        except OutcomeUnknown as unknown:
            lost = unknown
            harmless = template(text.purpose).duplicate_harmless
            return lambda each: each.lost_sight_of(lost.reason, lost.gateway, may_resend=harmless)
        return lambda each: each.accepted(accepted.gateway, accepted.gateway_id)

    def _not_taken(self, text: Text, later: TryLater | StopEverything) -> Callable[[Text], Text]:
        is_asked, reason, gateway = not isinstance(later, LeftAlone), later.reason, later.gateway
        until = self._retry_at(text) if is_asked else self._ask_again_at()
        if until >= text.deadline:
            return lambda each: each.refused(f"expired:{reason}", gateway)
        return lambda each: each.not_taken(until, reason, gateway, counts=is_asked)

    def _put_off(self, text: Text, until: datetime, reason: str) -> Text:
        return self._move(text, text.put_off(until, reason))

    def _move(self, text: Text, moved: Text) -> Text:
        """Store a text's next revision; what stands there instead if somebody else was first."""
        stored = self._persist(lambda: self._ledger.move(moved, was=text))
        return moved if stored else self._get(text.message_id)

    def _record(self, text: Text, change: Callable[[Text], Text]) -> Text:
        """Store what happened to a text, put onto what stands there where somebody else was first."""
        for _ in range(_ROUNDS):
            changed = change(text)
            if changed is text:
                return text
            text = self._move(text, changed)
            if text is changed:
                return text
        raise Contended(text.message_id)

    def _persist(self, write: Callable[[], Stored]) -> Stored:
        """Write, and again where other writers are in the way. Raises Contended."""
        for _ in range(_ROUNDS - 1):
            try:
                return write()
            except Contended:
                self._around.wait(_CONTENTION * self._around.chance())
        return write()

    def _get(self, known: MessageId) -> Text:
        text = self._ledger.get(known)
        if text is None:
            raise TextUnknown(known)
        return text

    def _retry_at(self, text: Text) -> datetime:
        return retry_at(self._around.clock(), text.attempts, self._around.chance())

    def _ask_again_at(self) -> datetime:
        return self._around.clock() + _ASK_AGAIN * (1 + self._around.chance())

    def _next_morning(self, zone: str) -> datetime:
        return self._terms.quiet.next_morning(self._around.clock(), zone, self._around.chance())
