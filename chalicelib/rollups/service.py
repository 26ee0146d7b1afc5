"""Counting campaign days: at their summary hour, again when something changed, and on request."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import Campaign, CampaignDay
from chalicelib.clock import Clock, to_timestamp
from chalicelib.http.pagination import Position
from chalicelib.notifications.counting import SmsTotals
from chalicelib.refusals import RecordUnreadable, TryAgain
from chalicelib.registrations.captures import DayFact
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.errors import DayNotInCampaign
from chalicelib.rollups.model import Anomaly, SmsCounts, Summary, SummaryState, Tally, summarise
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.rates import DayRates
from chalicelib.rollups.running_count import FACTS_PER_CLOCK_CHECK, Checkpoint, RunningCount

# The index that is counted is updated moments after the table. A day that became dirty later than this before
# a count stays dirty, so that the next run counts it again.
_MAX_INDEX_LAG = timedelta(minutes=1)

_MAX_WRITE_ATTEMPTS = 3

# Below the API's own time limit, so that the caller gets an answer.
_REQUEST_TIME_LIMIT = timedelta(seconds=18)


@dataclass(frozen=True)
class DirtyDay:
    """A day that changed since it was last counted. Each change increments `generation`."""

    campaign_day: CampaignDay
    generation: int
    marked_at: datetime


class VersionExists(Exception):
    """Another count wrote this version of the summary first."""


class SummaryWriter(Protocol):
    """Stored summaries and their outbox entries."""

    def add(self, summary: Summary) -> None:
        """Store a new version and its outbox entries. Raise VersionExists."""

    def find_latest(self, campaign_day: CampaignDay) -> Summary | None:
        """Return the newest version of a day, or None."""

    def enqueue(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Store an outbox entry, in place of the day's earlier one."""


class CountingState(Protocol):
    """The days that are to be counted again, and at most one unfinished count of each day."""

    def mark_dirty(self, campaign_day: CampaignDay, *, occurred_at: datetime) -> None:
        """Store that a day changed."""

    def find_dirty_day(self, campaign_day: CampaignDay) -> DirtyDay | None:
        """Return the dirty day, or None if the day is not dirty."""

    def clear_dirty(self, dirty_day: DirtyDay) -> None:
        """Delete a dirty day, unless the day changed again since it was read."""

    def save_checkpoint(self, campaign_day: CampaignDay, checkpoint: Checkpoint | None) -> None:
        """Store a day's checkpoint in place of the earlier one; None for no checkpoint."""

    def find_checkpoint(self, campaign_day: CampaignDay) -> Checkpoint | None:
        """Return a day's checkpoint, or None."""


class CampaignReader(Protocol):
    """Campaigns by id."""

    def get(self, campaign_id: str) -> Campaign:
        """Raise CampaignUnknown."""


class FactSource(Protocol):
    """The registrations that are counted."""

    def iter_day_facts(
        self, campaign_day: CampaignDay, *, start_after: Position | None = None
    ) -> Iterator[DayFact]:
        """Yield the countable facts of a campaign day in order, beginning after `start_after`."""


class SmsCounter(Protocol):
    """The SMS that are counted."""

    def count_sms(self, campaign_day: CampaignDay, *, check_time: Callable[[], object]) -> SmsTotals:
        """Return the totals of the SMS of a campaign day's registrations.

        `check_time` is called now and then; what it raises ends the count.
        """


class SilentDevices(Protocol):
    """Devices that owe captures and were not seen for an hour."""

    def list_anomalies(self, campaign: Campaign, day: date) -> Sequence[Anomaly]:
        """Return those that are silent now, on a campaign day or the day after it."""

    def review_devices(self) -> None:
        """Open a review item for each that is silent on a campaign day of now."""


@dataclass(frozen=True)
class DueDay:
    """A day that is to be counted now, and when it became due."""

    campaign_day: CampaignDay
    due_since: datetime
    dirty_day: DirtyDay | None


@dataclass(frozen=True)
class CountResult:
    """The newest summary after a count, and if the count stored it."""

    summary: Summary
    is_new: bool
    started_at: datetime


class RollUpService:
    """Counts campaign days and stores their summaries."""

    def __init__(  # noqa: PLR0913 - keyword-only, given by the composition root
        self,
        *,
        facts: FactSource,
        campaigns: CampaignReader,
        summaries: SummaryWriter,
        counting_state: CountingState,
        sms_counter: SmsCounter,
        thresholds: AnomalyThresholds,
        clock: Clock,
        review_summary: Callable[[Summary], object] = lambda _: None,
        silent_devices: SilentDevices | None = None,
    ) -> None:
        """`review_summary` is called with each new version, before it is stored."""
        self._silent_devices = silent_devices
        self._review_summary = review_summary
        self._facts = facts
        self._campaigns = campaigns
        self._summaries = summaries
        self._counting_state = counting_state
        self._sms_counter = sms_counter
        self._thresholds = thresholds
        self._clock = clock

    def mark_dirty(self, campaign_day: CampaignDay) -> None:
        """Have the next hourly run count a day again."""
        self._counting_state.mark_dirty(campaign_day, occurred_at=self._clock())

    def recount(self, campaign_day: CampaignDay, *, deadline: datetime | None = None) -> CountResult:
        """Count a day now, and store a new version if any figure or the state differs.

        A day counted before its summary hour is counted again at that hour. Without `deadline` the time limit
        of API requests applies. Raise CampaignUnknown, DayNotInCampaign, or TryAgain (CountUnfinished, after
        storing a checkpoint that the next call resumes).
        """
        campaign = get_campaign_of_day(self._campaigns, campaign_day)
        deadline = deadline or self._clock() + _REQUEST_TIME_LIMIT
        for _ in range(_MAX_WRITE_ATTEMPTS):
            previous = self._summaries.find_latest(campaign_day)
            started_at, tally = self._count_day(campaign_day, previous, deadline)
            if self._silent_devices is not None:
                silent = self._silent_devices.list_anomalies(campaign, campaign_day.day)
                tally = tally.model_copy(update={"oddities": [*tally.oddities, *silent]})
            now = self._clock()
            is_final = now >= campaign.summary_final_at(campaign_day.day)
            summary = summarise(
                tally,
                campaign_day=campaign_day,
                state=SummaryState.FINAL if is_final else SummaryState.PROVISIONAL,
                counted_at=to_timestamp(now),
                previous=previous,
            )
            if summary is previous:
                return CountResult(summary, is_new=False, started_at=started_at)
            if now < campaign.summary_due_at(campaign_day.day):
                # Before the version is stored: without it, this version would not be reported in the evening.
                self.mark_dirty(campaign_day)
            # Before the version is stored: a count that stops in between is repeated.
            self._review_summary(summary)
            try:
                self._summaries.add(summary)
            except VersionExists:
                continue
            return CountResult(summary, is_new=True, started_at=started_at)
        raise TryAgain(f"concurrent counts of {campaign_day.campaign_id} {campaign_day.day}")

    def review_devices(self) -> None:
        """Have the managers of running campaigns told of silent devices."""
        if self._silent_devices is not None:
            self._silent_devices.review_devices()

    def preview(self, campaign_day: CampaignDay, *, previous: Summary | None) -> Summary:
        """Return the provisional summary of a day as of now, and store nothing.

        A stored checkpoint is used and left in place. Raise CountUnfinished.
        """
        now = self._clock()
        _, tally = self._count_day(
            campaign_day, previous, now + _REQUEST_TIME_LIMIT, may_save_checkpoint=False
        )
        summary = summarise(
            tally,
            campaign_day=campaign_day,
            state=SummaryState.PROVISIONAL,
            counted_at=to_timestamp(now),
            previous=previous,
        )
        return summary.model_copy(update={"counted_at": to_timestamp(now)})

    def count_rates(self, campaign_day: CampaignDay) -> DayRates:
        """Count the rates of a day as of now. Raise CampaignUnknown, DayNotInCampaign or TryAgain."""
        get_campaign_of_day(self._campaigns, campaign_day)
        deadline, rates = self._clock() + _REQUEST_TIME_LIMIT, DayRates()
        for number, fact in enumerate(self._facts.iter_day_facts(campaign_day), start=1):
            rates.add(fact)
            if number % FACTS_PER_CLOCK_CHECK == 0 and self._clock() >= deadline:
                raise TryAgain("the day has more facts than a request can read")
        return rates

    def count_due_day(self, due_day: DueDay, *, deadline: datetime | None = None) -> CountResult:
        """Count a due day, and clear its dirty day if the count cannot have missed a change.

        Raise as `recount` does.
        """
        result = self.recount(due_day.campaign_day, deadline=deadline)
        dirty_day = due_day.dirty_day
        if dirty_day is None:
            return result
        if result.summary.state is SummaryState.FINAL:
            # A change such as an erasure may alter no figure, but does alter exported rows.
            self._enqueue(Consumer.ANALYSTS, result.summary)
        if result.summary.counted_at < to_timestamp(self._get_due_at(dirty_day)):
            # The summary was counted before its hour and is still right: the hour's report is due.
            self._enqueue(Consumer.MANAGERS, result.summary)
        if dirty_day.marked_at + _MAX_INDEX_LAG < result.started_at:
            self._counting_state.clear_dirty(dirty_day)
        return result

    def _count_day(
        self,
        campaign_day: CampaignDay,
        previous: Summary | None,
        deadline: datetime,
        *,
        may_save_checkpoint: bool = True,
    ) -> tuple[datetime, Tally]:
        """Return when the count of a day started, and its figures. Raise CountUnfinished."""
        etag = _compute_etag(previous, self._counting_state.find_dirty_day(campaign_day))
        count = RunningCount(
            campaign_day,
            etag,
            self._counting_state.find_checkpoint(campaign_day),
            thresholds=self._thresholds,
            clock=self._clock,
            deadline=deadline,
            save_checkpoint=partial(self._counting_state.save_checkpoint, campaign_day)
            if may_save_checkpoint
            else None,
        )
        count.add(self._facts.iter_day_facts(campaign_day, start_after=count.position))
        sms_counts = self._count_sms(campaign_day, count.check_time)
        count.finish()
        return count.started_at, count.counter.to_tally(sms_counts)

    def _enqueue(self, consumer: Consumer, summary: Summary) -> None:
        self._summaries.enqueue(consumer, OutboxEntry(summary.campaign_day, summary.version, self._clock()))

    def _get_due_at(self, dirty_day: DirtyDay) -> datetime:
        campaign_day = dirty_day.campaign_day
        try:
            return self._campaigns.get(campaign_day.campaign_id).summary_due_at(campaign_day.day)
        except (CampaignUnknown, RecordUnreadable):
            # Due at once: counting it fails with the reason, and delays no other day.
            return dirty_day.marked_at

    def _count_sms(self, campaign_day: CampaignDay, check_time: Callable[[], object]) -> SmsCounts:
        totals = self._sms_counter.count_sms(campaign_day, check_time=check_time)
        total = sum(totals.by_state.values())
        return SmsCounts(
            total=total,
            by_state=dict(totals.by_state),
            unknown_share=round(totals.by_state.get("unknown", 0) / total, 4) if total else 0.0,
            parts=totals.parts,
            rupiah=totals.money,
            not_told=sum(totals.untold.values()),
            not_told_waiting=totals.untold.get("waiting", 0),
            not_told_held=totals.untold.get("held", 0),
            not_told_expired=totals.untold.get("expired", 0),
            **_flatten_chats(totals.chats),
            **_flatten_chats(totals.dialogues, "_dialogue"),
        )


def _flatten_chats(chats: Mapping[str, tuple[int, int]], suffix: str = "") -> dict[str, int]:
    """Return the messages and the rupiah of each chat channel as fields of `SmsCounts`."""
    return {
        name: value
        for channel, (messages, money) in chats.items()
        for name, value in ((f"{channel}{suffix}", messages), (f"{channel}{suffix}_rupiah", money))
    }


def get_campaign_of_day(campaigns: CampaignReader, campaign_day: CampaignDay) -> Campaign:
    """Return the campaign of a day. Raise CampaignUnknown or DayNotInCampaign."""
    campaign = campaigns.get(campaign_day.campaign_id)
    if not campaign.has_day(campaign_day.day):
        raise DayNotInCampaign(f"{campaign_day.campaign_id} {campaign_day.day}")
    return campaign


def _compute_etag(previous: Summary | None, dirty_day: DirtyDay | None) -> str:
    """Return a value that differs after any change of a day.

    Every change makes the day dirty, and a dirty day is cleared only after a count of it.
    """
    version = 0 if previous is None else previous.version
    if dirty_day is None:
        return f"{version}"
    return f"{version} {dirty_day.generation} {to_timestamp(dirty_day.marked_at)}"
