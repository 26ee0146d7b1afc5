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
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.deliveries.model import Delivery, DeliveryId, DeliveryState, Medium, derive_delivery_id
from chalicelib.messaging.errors import GatewayError, OutcomeUnknown, PermanentFailure
from chalicelib.rollups.model import Summary, SummaryState, with_changes_since
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.report import Report


class Outbox(Protocol):
    """The days that managers are still to be told of, and what they were told."""

    def iter_entries(self, consumer: Consumer) -> Iterator[OutboxEntry]:
        """Every day that waits for a reader."""

    def remove(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Let a day wait no longer, unless it was asked for once more since it was read."""

    def find_notified_version(self, campaign_day: CampaignDay) -> int | None:
        """The version of a final day that managers were last told; None before its final report."""

    def record_notified_version(self, campaign_day: CampaignDay, version: int) -> None:
        """Keep which version managers were told."""


class ReportSource(Protocol):
    """What telling needs of summaries."""

    def get_summary(self, campaign_day: CampaignDay, *, version: int | None = None) -> Summary:
        """A version of a day, the newest if none is named."""

    def build_report(self, campaign_day: CampaignDay) -> Report:
        """The newest version of a day, with what stands beside it."""


class Campaigns(Protocol):
    """What telling needs of campaigns."""

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""


class Deliveries(Protocol):
    """Where deliveries are kept. Every write is conditional on the revision that was read."""

    def find(self, delivery_id: DeliveryId) -> Delivery | None:
        """One delivery, as it stands now."""

    def save(self, delivery: Delivery) -> bool:
        """Store a delivery's next revision; False if another sender was first."""


@dataclass(frozen=True)
class OutgoingReport:
    """What goes out: under which id, to whom, and the report that it tells."""

    delivery_id: DeliveryId
    manager: Manager
    report: Report


class ReportChannel(Protocol):
    """How a medium reaches managers."""

    def find_address(self, manager: Manager) -> str | None:
        """Where this manager is reached; None for nowhere."""

    def send(self, outgoing: OutgoingReport) -> None:
        """Hand it over. Raises TransientFailure, PermanentFailure, AccountFailure or OutcomeUnknown."""


@dataclass(frozen=True)
class DeliveryConfig:
    """What a stage sets: which reports are texted too, and for how long a day is news."""

    sms_states: Collection[SummaryState]
    max_age: timedelta


@dataclass(frozen=True)
class DeliveryDependencies:
    """What telling has around it: the time, the stage's hash, and who hears of what nobody foresaw."""

    clock: Clock
    hashing: KeyedHash
    on_failure: Callable[[Exception], object]


@dataclass(frozen=True)
class DueReport:
    """What is to be told now: the report of one day or, of days that changed, a letter.

    `changed` are the earlier days that a report tells again.
    """

    entries: tuple[OutboxEntry, ...]
    changed_entries: tuple[OutboxEntry, ...] = ()
    is_correction_mail: bool = False

    @property
    def campaign_day(self) -> CampaignDay:
        """The day whose report it is; of a letter the last one."""
        return self.entries[-1].campaign_day


@dataclass(frozen=True)
class DeliveryResult:
    """What became of a report: the deliveries of it, as they stand now; `updated` are those of this round."""

    deliveries: tuple[Delivery, ...]
    updated: tuple[Delivery, ...]

    @property
    def is_settled(self) -> bool:
        """Whether nobody is to be tried again."""
        return all(each.is_settled for each in self.deliveries)


class ReportDeliveryService:
    """Tells managers what waits to be told."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        reports: ReportSource,
        campaigns: Campaigns,
        deliveries: Deliveries,
        channels: Mapping[Medium, ReportChannel],
        config: DeliveryConfig,
        dependencies: DeliveryDependencies,
    ) -> None:
        self._outbox = outbox
        self._reports = reports
        self._campaigns = campaigns
        self._deliveries = deliveries
        self._channels = channels
        self._config = config
        self._dependencies = dependencies

    @property
    def has_mail_channel(self) -> bool:
        """Whether this stage has an address to send mails from."""
        return Medium.MAIL in self._channels

    def iter_entries_by_campaign(self) -> Iterator[tuple[str, list[OutboxEntry]]]:
        """The days that managers are to be told of, by campaign and in order."""
        days = sorted(self._outbox.iter_entries(Consumer.MANAGERS), key=lambda each: each.campaign_day)
        for campaign_id, own in groupby(days, key=lambda each: each.campaign_day.campaign_id):
            yield campaign_id, list(own)

    def iter_due_reports(self, campaign_id: str, entries: Sequence[OutboxEntry]) -> Iterator[DueReport]:
        """What of a campaign is to be told now, letters last.

        Each is to be told before the next one is asked for: it may tell what waits there. A day that nobody
        is to be told of any more waits no longer; one counted before its summary hour waits for that hour's
        count.
        """
        campaign = self._campaigns.get(campaign_id)
        changed: list[OutboxEntry] = []
        for each in entries:
            told = self._outbox.find_notified_version(each.campaign_day)
            if self._is_expired(campaign, each) or (told is not None and told >= each.version):
                self._outbox.remove(Consumer.MANAGERS, each)
            elif told is None:
                if each.enqueued_at >= campaign.summary_due_at(each.campaign_day.day):
                    yield DueReport((each,), tuple(changed))
            else:
                changed.append(each)
        letter = tuple(each for each in changed if self._is_correction_due(campaign, each))
        if letter:
            yield DueReport(letter, letter[:-1], is_correction_mail=True)

    def deliver(self, due_report: DueReport) -> DeliveryResult:
        """Tell every manager who was not told yet; the days wait no longer once all of them were."""
        report = self._build_report(due_report)
        outcomes, moved = [], []
        for manager in report.campaign.managers:
            for medium in self._iter_media(due_report, report):
                known = self._find_delivery(due_report, report, manager, medium)
                if known is None:
                    continue
                delivery = self._advance(known, manager, due_report, report)
                outcomes.append(delivery)
                if delivery.revision > known.revision:
                    moved.append(delivery)
        told = DeliveryResult(tuple(outcomes), tuple(moved))
        if told.is_settled:
            self._complete(due_report, report, outcomes)
        return told

    def _is_expired(self, campaign: Campaign, entry: OutboxEntry) -> bool:
        return entry.campaign_day.day < campaign.local_day(self._dependencies.clock() - self._config.max_age)

    def _is_correction_due(self, campaign: Campaign, entry: OutboxEntry) -> bool:
        """Whether a changed day is to be told in a letter now; one not worth a letter waits no longer."""
        now, told = self._dependencies.clock(), self._outbox.find_notified_version(entry.campaign_day)
        last_report = self._outbox.find_notified_version(CampaignDay(campaign.campaign_id, campaign.last_day))
        if told is None or last_report is None:
            return False
        if told < entry.version:
            first_untold = self._reports.get_summary(entry.campaign_day, version=told + 1)
            if now < _get_next_final_time(campaign, datetime.fromisoformat(first_untold.counted_at)):
                return False
            if (
                self._reports.get_summary(entry.campaign_day).counts
                != self._reports.get_summary(entry.campaign_day, version=told).counts
            ):
                return True
        self._outbox.remove(Consumer.MANAGERS, entry)
        return False

    def _build_report(self, due_report: DueReport) -> Report:
        """The report of a day, with the days that changed since managers were told of them."""
        return replace(
            self._reports.build_report(due_report.campaign_day),
            revisions=tuple(self._iter_revisions(due_report)),
        )

    def _iter_revisions(self, due_report: DueReport) -> Iterator[Summary]:
        for of in (each.campaign_day for each in due_report.changed_entries):
            newest, told = self._reports.get_summary(of), self._outbox.find_notified_version(of)
            if told is not None and told < newest.version:
                yield with_changes_since(self._reports.get_summary(of, version=told), newest)

    def _build_manager_report(self, manager: Manager, due_report: DueReport, report: Report) -> Report:
        """The report with what changed since this manager was told of the day."""
        told = self._find_known_version(manager, due_report, report)
        before = None if told is None else self._reports.get_summary(due_report.campaign_day, version=told)
        return replace(report, summary=with_changes_since(before, report.summary), is_first=before is None)

    def _find_known_version(self, manager: Manager, due_report: DueReport, report: Report) -> int | None:
        """The version that a letter's readers know; of a final report, the one mailed in the evening."""
        if due_report.is_correction_mail:
            return self._outbox.find_notified_version(due_report.campaign_day)
        if report.summary.state is not SummaryState.FINAL or not manager.email:
            return None
        evening = self._deliveries.find(
            self._derive_delivery_id(due_report, SummaryState.PROVISIONAL, Medium.MAIL, manager.email)
        )
        return evening.version if evening is not None and evening.may_have_arrived else None

    def _iter_media(self, due_report: DueReport, report: Report) -> Iterator[Medium]:
        yield Medium.MAIL
        if not due_report.is_correction_mail and report.summary.state in self._config.sms_states:
            yield Medium.SMS

    def _find_delivery(
        self, due_report: DueReport, report: Report, manager: Manager, medium: Medium
    ) -> Delivery | None:
        """This manager's delivery as it stands; None where the manager is not reached that way."""
        way = self._channels.get(medium)
        address = None if way is None else way.find_address(manager)
        if address is None:
            return None
        known = self._derive_delivery_id(
            due_report, self._get_report_key(due_report, report), medium, address
        )
        return self._deliveries.find(known) or Delivery(known, medium)

    def _derive_delivery_id(
        self, due_report: DueReport, report_key: str, medium: Medium, address: str
    ) -> DeliveryId:
        return derive_delivery_id(
            due_report.campaign_day,
            report_key,
            medium,
            self._dependencies.hashing.digest("manager", address.lower()),
        )

    def _get_report_key(self, due_report: DueReport, report: Report) -> str:
        """What tells one report of a day from another; of letters there is one a morning."""
        if not due_report.is_correction_mail:
            return report.summary.state
        return f"letter {_get_last_final_day(report.campaign, self._dependencies.clock()).isoformat()}"

    def _advance(
        self, delivery: Delivery, manager: Manager, due_report: DueReport, report: Report
    ) -> Delivery:
        """Do what is to be done about one delivery now. One manager's failure holds up no other."""
        now = self._dependencies.clock()
        if delivery.is_claim_expired(now):
            delivery = self._save(delivery.record_unknown_outcome("worker_died"))
        if delivery.state is not DeliveryState.WAITING:
            return delivery
        sending = OutgoingReport(
            delivery.delivery_id, manager, self._build_manager_report(manager, due_report, report)
        )
        claimed = delivery.claim(
            now,
            version=report.summary.version,
            revised_versions={each.day: each.version for each in report.revisions},
        )
        if not self._deliveries.save(claimed):
            return self._reload(delivery)
        return self._save(self._attempt(claimed, sending))

    def _attempt(self, delivery: Delivery, outgoing: OutgoingReport) -> Delivery:
        try:
            self._channels[delivery.medium].send(outgoing)
        except PermanentFailure as never:
            return delivery.record_failure(never.reason)
        except OutcomeUnknown as unknown:
            return delivery.record_unknown_outcome(unknown.reason)
        except GatewayError as later:
            return delivery.record_rejection(later.reason)
        except Exception as error:  # noqa: BLE001 - the other managers are still to be told
            self._dependencies.on_failure(error)
            return delivery.record_unknown_outcome(type(error).__name__)
        return delivery.record_acceptance()

    def _save(self, delivery: Delivery) -> Delivery:
        return delivery if self._deliveries.save(delivery) else self._reload(delivery)

    def _reload(self, delivery: Delivery) -> Delivery:
        return self._deliveries.find(delivery.delivery_id) or delivery

    def _complete(self, due_report: DueReport, report: Report, deliveries: Sequence[Delivery]) -> None:
        """Keep what every manager knows now; what is waited for goes last.

        A manager who was told in an earlier round may know an older version, which is still to be told anew.
        """
        version = min((each.version for each in deliveries), default=report.summary.version)
        if due_report.is_correction_mail or report.summary.state is SummaryState.FINAL:
            self._outbox.record_notified_version(due_report.campaign_day, version)
        for revised in report.revisions:
            known = self._outbox.find_notified_version(revised.campaign_day)
            version = min(
                (each.revised_versions.get(revised.day, 0) for each in deliveries), default=revised.version
            )
            if known is not None and version > known:
                self._outbox.record_notified_version(revised.campaign_day, version)
        for each in due_report.entries:
            told = self._outbox.find_notified_version(each.campaign_day)
            if told is None or told >= each.version:
                self._outbox.remove(Consumer.MANAGERS, each)


def _get_next_final_time(campaign: Campaign, changed_at: datetime) -> datetime:
    """The next moment at which days of the campaign become final."""
    today = campaign.local_day(changed_at)
    this_morning = campaign.summary_final_at(today - timedelta(days=1))
    return this_morning if changed_at < this_morning else campaign.summary_final_at(today)


def _get_last_final_day(campaign: Campaign, now: datetime) -> date:
    """The local day of the last moment at which days of the campaign became final."""
    today = campaign.local_day(now)
    yesterday = today - timedelta(days=1)
    return today if now >= campaign.summary_final_at(yesterday) else yesterday
