"""Telling managers: a mail with each day's report, and a text with the provisional one.

What is to be told follows from what stands in the tables: the days that wait, the newest version of each, and
what was delivered of it. Rounds that come twice, late or not at all change nothing of that.

An earlier day that changed is told in the next report of its campaign. Once there is no next one, a letter of
its own tells it on the morning after, if so many captures came or went. What changed is
always said against the version that managers were told before.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Protocol

from chalicelib.campaigns.model import Campaign, CampaignDay, Manager
from chalicelib.clock import Clock
from chalicelib.deliveries.model import Delivery, DeliveryId, DeliveryState, Medium, delivery_id
from chalicelib.notifications.errors import GatewayError, Never, OutcomeUnknown
from chalicelib.privacy.hashing import KeyedHash
from chalicelib.rollups.model import State, Summary, told_against
from chalicelib.rollups.outbox import Reader, Waiting
from chalicelib.rollups.report import Report


class Outbox(Protocol):
    """The days that managers are still to be told of, and what they were told."""

    def waiting(self, reader: Reader) -> Iterator[Waiting]:
        """Every day that waits for a reader."""

    def done(self, reader: Reader, waiting: Waiting) -> None:
        """Let a day wait no longer, unless it was asked for once more since it was read."""

    def told(self, of: CampaignDay) -> int | None:
        """The version of a final day that managers were last told; None before its final report."""

    def note_told(self, of: CampaignDay, version: int) -> None:
        """Keep which version managers were told."""


class Reports(Protocol):
    """What telling needs of summaries."""

    def read(self, of: CampaignDay, *, version: int | None = None) -> Summary:
        """A version of a day, the newest if none is named."""

    def report(self, of: CampaignDay) -> Report:
        """The newest version of a day, with what stands beside it."""


class Campaigns(Protocol):
    """What telling needs of campaigns."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""


class Deliveries(Protocol):
    """Where deliveries are kept. Every write is conditional on the revision that was read."""

    def get(self, known: DeliveryId) -> Delivery | None:
        """One delivery, as it stands now."""

    def move(self, delivery: Delivery) -> bool:
        """Store a delivery's next revision; False if another sender was first."""


@dataclass(frozen=True)
class Sending:
    """What goes out: under which id, to whom, and the report that it tells."""

    delivery_id: DeliveryId
    manager: Manager
    report: Report


class Way(Protocol):
    """How a medium reaches managers."""

    def address(self, manager: Manager) -> str | None:
        """Where this manager is reached; None for nowhere."""

    def send(self, sending: Sending) -> None:
        """Hand it over. Raises TryLater, Never, StopEverything or OutcomeUnknown."""


@dataclass(frozen=True)
class Terms:
    """What a stage sets: which reports are texted too, and for how long a day is news."""

    texted: Collection[State]
    news_for: timedelta


@dataclass(frozen=True)
class Surroundings:
    """What telling has around it: the time, the stage's hash, and who hears of what nobody foresaw."""

    clock: Clock
    hashing: KeyedHash
    on_failure: Callable[[Exception], object]


@dataclass(frozen=True)
class Due:
    """What is to be told now: the report of one day or, of days that changed, a letter.

    `changed` are the earlier days that a report tells again.
    """

    waiting: tuple[Waiting, ...]
    changed: tuple[Waiting, ...] = ()
    is_letter: bool = False

    @property
    def of(self) -> CampaignDay:
        """The day whose report it is; of a letter the last one."""
        return self.waiting[-1].of


@dataclass(frozen=True)
class Told:
    """What became of a report: the deliveries of it, as they stand now; `moved` are those of this round."""

    outcomes: tuple[Delivery, ...]
    moved: tuple[Delivery, ...]

    @property
    def is_settled(self) -> bool:
        """Whether nobody is to be tried again."""
        return all(each.is_settled for each in self.outcomes)


class Deliverer:
    """Tells managers what waits to be told."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        reports: Reports,
        campaigns: Campaigns,
        deliveries: Deliveries,
        ways: Mapping[Medium, Way],
        terms: Terms,
        around: Surroundings,
    ) -> None:
        self._outbox = outbox
        self._reports = reports
        self._campaigns = campaigns
        self._deliveries = deliveries
        self._ways = ways
        self._terms = terms
        self._around = around

    @property
    def can_mail(self) -> bool:
        """Whether this stage has an address to send mails from."""
        return Medium.MAIL in self._ways

    def waiting(self) -> Iterator[tuple[str, list[Waiting]]]:
        """The days that managers are to be told of, by campaign and in order."""
        days = sorted(self._outbox.waiting(Reader.MANAGERS), key=lambda each: each.of)
        for campaign_id, own in groupby(days, key=lambda each: each.of.campaign_id):
            yield campaign_id, list(own)

    def due(self, campaign_id: str, waiting: Sequence[Waiting]) -> Iterator[Due]:
        """What of a campaign is to be told now, letters last.

        Each is to be told before the next one is asked for: it may tell what waits there. A day that nobody
        is to be told of any more waits no longer; one counted before its summary hour waits for that hour's
        count.
        """
        campaign = self._campaigns.get(campaign_id)
        changed: list[Waiting] = []
        for each in waiting:
            told = self._outbox.told(each.of)
            if self._is_old(campaign, each) or (told is not None and told >= each.version):
                self._outbox.done(Reader.MANAGERS, each)
            elif told is None:
                if each.asked_at >= campaign.summary_due_at(each.of.day):
                    yield Due((each,), tuple(changed))
            else:
                changed.append(each)
        letter = tuple(each for each in changed if self._is_for_a_letter(campaign, each))
        if letter:
            yield Due(letter, letter[:-1], is_letter=True)

    def tell(self, due: Due) -> Told:
        """Tell every manager who was not told yet; the days wait no longer once all of them were."""
        report = self._report(due)
        outcomes, moved = [], []
        for manager in report.campaign.managers:
            for medium in self._media(due, report):
                known = self._delivery_of(due, report, manager, medium)
                if known is None:
                    continue
                delivery = self._advanced(known, manager, due, report)
                outcomes.append(delivery)
                if delivery.revision > known.revision:
                    moved.append(delivery)
        told = Told(tuple(outcomes), tuple(moved))
        if told.is_settled:
            self._close(due, report, outcomes)
        return told

    def _is_old(self, campaign: Campaign, waiting: Waiting) -> bool:
        return waiting.of.day < campaign.local_day(self._around.clock() - self._terms.news_for)

    def _is_for_a_letter(self, campaign: Campaign, waiting: Waiting) -> bool:
        """Whether a changed day is to be told in a letter now; one not worth a letter waits no longer."""
        now, told = self._around.clock(), self._outbox.told(waiting.of)
        last_report = self._outbox.told(CampaignDay(campaign.campaign_id, campaign.last_day))
        if told is None or last_report is None:
            return False
        if told < waiting.version:
            first_untold = self._reports.read(waiting.of, version=told + 1)
            if now < _morning_after(campaign, datetime.fromisoformat(first_untold.counted_at)):
                return False
            if self._reports.read(waiting.of).counts != self._reports.read(waiting.of, version=told).counts:
                return True
        self._outbox.done(Reader.MANAGERS, waiting)
        return False

    def _report(self, due: Due) -> Report:
        """The report of a day, with the days that changed since managers were told of them."""
        return replace(self._reports.report(due.of), revisions=tuple(self._revisions(due)))

    def _revisions(self, due: Due) -> Iterator[Summary]:
        for of in (each.of for each in due.changed):
            newest, told = self._reports.read(of), self._outbox.told(of)
            if told is not None and told < newest.version:
                yield told_against(self._reports.read(of, version=told), newest)

    def _for(self, manager: Manager, due: Due, report: Report) -> Report:
        """The report with what changed since this manager was told of the day."""
        told = self._told_before(manager, due, report)
        before = None if told is None else self._reports.read(due.of, version=told)
        return replace(report, summary=told_against(before, report.summary), is_first=before is None)

    def _told_before(self, manager: Manager, due: Due, report: Report) -> int | None:
        """The version that a letter's readers know; of a final report, the one mailed in the evening."""
        if due.is_letter:
            return self._outbox.told(due.of)
        if report.summary.state is not State.FINAL or not manager.email:
            return None
        evening = self._deliveries.get(self._id_of(due, State.PROVISIONAL, Medium.MAIL, manager.email))
        return evening.version if evening is not None and evening.may_be_known else None

    def _media(self, due: Due, report: Report) -> Iterator[Medium]:
        yield Medium.MAIL
        if not due.is_letter and report.summary.state in self._terms.texted:
            yield Medium.TEXT

    def _delivery_of(self, due: Due, report: Report, manager: Manager, medium: Medium) -> Delivery | None:
        """This manager's delivery as it stands; None where the manager is not reached that way."""
        way = self._ways.get(medium)
        address = None if way is None else way.address(manager)
        if address is None:
            return None
        known = self._id_of(due, self._occasion(due, report), medium, address)
        return self._deliveries.get(known) or Delivery(known, medium)

    def _id_of(self, due: Due, occasion: str, medium: Medium, address: str) -> DeliveryId:
        return delivery_id(due.of, occasion, medium, self._around.hashing.of("manager", address.lower()))

    def _occasion(self, due: Due, report: Report) -> str:
        """What tells one report of a day from another; of letters there is one a morning."""
        if not due.is_letter:
            return report.summary.state
        return f"letter {_last_morning(report.campaign, self._around.clock()).isoformat()}"

    def _advanced(self, delivery: Delivery, manager: Manager, due: Due, report: Report) -> Delivery:
        """Do what is to be done about one delivery now. One manager's failure holds up no other."""
        now = self._around.clock()
        if delivery.is_abandoned(now):
            delivery = self._moved(delivery.lost_sight_of("sender_stopped"))
        if delivery.state is not DeliveryState.WAITING:
            return delivery
        sending = Sending(delivery.delivery_id, manager, self._for(manager, due, report))
        claimed = delivery.claimed(now, version=report.summary.version)
        if not self._deliveries.move(claimed):
            return self._standing(delivery)
        return self._moved(self._outcome(claimed, sending))

    def _outcome(self, claimed: Delivery, sending: Sending) -> Delivery:
        try:
            self._ways[claimed.medium].send(sending)
        except Never as never:
            return claimed.refused(never.reason)
        except OutcomeUnknown as unknown:
            return claimed.lost_sight_of(unknown.reason)
        except GatewayError as later:
            return claimed.not_taken(later.reason)
        except Exception as error:  # noqa: BLE001 - the other managers are still to be told
            self._around.on_failure(error)
            return claimed.lost_sight_of(type(error).__name__)
        return claimed.accepted()

    def _moved(self, delivery: Delivery) -> Delivery:
        return delivery if self._deliveries.move(delivery) else self._standing(delivery)

    def _standing(self, delivery: Delivery) -> Delivery:
        return self._deliveries.get(delivery.delivery_id) or delivery

    def _close(self, due: Due, report: Report, outcomes: Sequence[Delivery]) -> None:
        """Keep what every manager knows now; what is waited for goes last.

        A manager who was told in an earlier round may know an older version, which is still to be told anew.
        """
        version = min((each.version for each in outcomes), default=report.summary.version)
        if due.is_letter or report.summary.state is State.FINAL:
            self._outbox.note_told(due.of, version)
        told_at = min((each.touched_at for each in outcomes if each.touched_at), default=self._around.clock())
        for revised in report.revisions:
            known = datetime.fromisoformat(revised.counted_at) <= told_at
            if known and self._outbox.told(revised.of) is not None:
                self._outbox.note_told(revised.of, revised.version)
        for each in due.waiting:
            told = self._outbox.told(each.of)
            if told is None or told >= each.version:
                self._outbox.done(Reader.MANAGERS, each)


def _morning_after(campaign: Campaign, at: datetime) -> datetime:
    """The next moment at which days of the campaign become final."""
    today = campaign.local_day(at)
    this_morning = campaign.final_from(today - timedelta(days=1))
    return this_morning if at < this_morning else campaign.final_from(today)


def _last_morning(campaign: Campaign, now: datetime) -> date:
    """The local day of the last moment at which days of the campaign became final."""
    today = campaign.local_day(now)
    yesterday = today - timedelta(days=1)
    return today if now >= campaign.final_from(yesterday) else yesterday
