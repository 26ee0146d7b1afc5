"""Delivery of reports to managers: a mail with each day's report, and an SMS with the provisional one.

The next step follows from stored state alone: the days in the outbox, the newest version of each, and its
deliveries. A repeated, late or missed run does not change the result.

If a final day changes, the next report of its campaign contains its revision. After the last report, a
correction mail does on the next morning, if the counts changed. Revisions are always relative to the version
that managers were last notified of.
"""

import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Protocol

from chalicelib.campaigns.model import Campaign, CampaignDay, Manager
from chalicelib.clock import Clock, to_timestamp
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.deliveries.model import Delivery, DeliveryId, DeliveryState, Medium, derive_delivery_id
from chalicelib.messaging.attempts import make_attempt
from chalicelib.rollups.model import Summary, SummaryState, with_changes_since
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.report import Report


class Outbox(Protocol):
    """Days that managers are to be notified of, and the versions that they were notified of."""

    def iter_entries(self, consumer: Consumer) -> Iterator[OutboxEntry]:
        """Yield the days that wait for a consumer."""

    def remove(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Remove an entry, unless it was enqueued again since it was read."""

    def find_notified_version(self, campaign_day: CampaignDay) -> int | None:
        """Return the version of a final day that managers were last notified of, or None."""

    def record_notified_version(self, campaign_day: CampaignDay, version: int) -> None:
        """Store the version that managers were notified of."""


class ReportSource(Protocol):
    def get_summary(self, campaign_day: CampaignDay, *, version: int | None = None) -> Summary:
        """Return a version of a day, by default the newest."""

    def build_report(self, campaign_day: CampaignDay) -> Report:
        """Return the report of the newest version of a day."""


class Campaigns(Protocol):
    def get(self, campaign_id: str) -> Campaign:
        """Return a campaign. Raise CampaignUnknown."""


class Deliveries(Protocol):
    """Stores deliveries. Every write is conditional on the revision that was read."""

    def find(self, delivery_id: DeliveryId) -> Delivery | None:
        """Return one delivery, or None."""

    def save(self, delivery: Delivery) -> bool:
        """Store the next revision of a delivery. Return False if another process was first."""


@dataclass(frozen=True)
class OutgoingReport:
    delivery_id: DeliveryId
    manager: Manager
    report: Report


class ReportChannel(Protocol):
    def find_address(self, manager: Manager) -> str | None:
        """Return the manager's address on this channel, or None."""

    def send(self, outgoing: OutgoingReport) -> None:
        """Send a report. Raise TransientFailure, PermanentFailure, AccountFailure or OutcomeUnknown."""


@dataclass(frozen=True)
class DeliveryConfig:
    """Settings of a stage: the states whose reports are also sent by SMS, and when days expire."""

    sms_states: Collection[SummaryState]
    max_age: timedelta


@dataclass(frozen=True)
class DueReport:
    """A report that is due: that of one day, or a correction mail for several days.

    `changed_entries` are the earlier days whose revisions it contains.
    """

    entries: tuple[OutboxEntry, ...]
    changed_entries: tuple[OutboxEntry, ...] = ()
    is_correction_mail: bool = False

    @property
    def campaign_day(self) -> CampaignDay:
        """Return the day of the report; of a correction mail, the last day."""
        return self.entries[-1].campaign_day


@dataclass(frozen=True)
class DeliveryResult:
    """The deliveries of a report. `updated` are those that this run changed."""

    deliveries: tuple[Delivery, ...]
    updated: tuple[Delivery, ...]

    @property
    def is_settled(self) -> bool:
        return all(each.is_settled for each in self.deliveries)


class ReportDeliveryService:
    """Sends due reports to managers. `on_failure` is called with unexpected exceptions of a channel."""

    def __init__(  # noqa: PLR0913 - keyword-only, given by the composition root
        self,
        *,
        outbox: Outbox,
        reports: ReportSource,
        campaigns: Campaigns,
        deliveries: Deliveries,
        channels: Mapping[Medium, ReportChannel],
        hashing: KeyedHash,
        config: DeliveryConfig,
        clock: Clock,
        on_failure: Callable[[Exception], object],
    ) -> None:
        self._outbox = outbox
        self._reports = reports
        self._campaigns = campaigns
        self._deliveries = deliveries
        self._channels = channels
        self._hashing = hashing
        self._config = config
        self._clock = clock
        self._on_failure = on_failure

    @property
    def has_mail_channel(self) -> bool:
        """Return True if this stage has an address to send mails from."""
        return Medium.MAIL in self._channels

    def iter_entries_by_campaign(self) -> Iterator[tuple[str, list[OutboxEntry]]]:
        """Yield each campaign's days in the outbox, in order.

        Campaigns come in another order in each run, so that none is always the last if time runs out.
        """
        entries = sorted(self._outbox.iter_entries(Consumer.MANAGERS), key=lambda each: each.campaign_day)
        by_campaign = {
            campaign_id: list(days)
            for campaign_id, days in groupby(entries, key=lambda each: each.campaign_day.campaign_id)
        }
        run = to_timestamp(self._clock())
        for campaign_id in sorted(by_campaign, key=lambda each: zlib.crc32(f"{each} {run}".encode())):
            yield campaign_id, by_campaign[campaign_id]

    def iter_due_reports(self, campaign_id: str, entries: Sequence[OutboxEntry]) -> Iterator[DueReport]:
        """Yield the due reports of a campaign, a correction mail last.

        Each must be delivered before the next one is requested, because it may contain revisions of other
        days. Expired days, and those that managers were notified of, are removed. A day that was counted
        before its summary hour waits for the count of that hour.
        """
        campaign = self._campaigns.get(campaign_id)
        changed: list[OutboxEntry] = []
        for entry in entries:
            notified_version = self._outbox.find_notified_version(entry.campaign_day)
            if self._is_expired(campaign, entry) or (
                notified_version is not None and notified_version >= entry.version
            ):
                self._outbox.remove(Consumer.MANAGERS, entry)
            elif notified_version is not None:
                changed.append(entry)
            elif entry.enqueued_at >= campaign.summary_due_at(entry.campaign_day.day):
                yield DueReport((entry,), tuple(changed))
        due = tuple(entry for entry in changed if self._is_correction_due(campaign, entry))
        if due:
            yield DueReport(due, due[:-1], is_correction_mail=True)

    def deliver(self, due_report: DueReport, *, deadline: datetime | None = None) -> DeliveryResult:
        """Send a report to each manager who did not receive it yet. Once all are settled, remove its days.

        After `deadline` no sending begins; the deliveries that are left stay open.
        """
        report = self._build_report(due_report)
        deliveries, updated = [], []
        for manager in report.campaign.managers:
            for medium in self._iter_media(due_report, report):
                delivery = self._find_delivery(due_report, report, manager, medium)
                if delivery is None:
                    continue
                is_late = deadline is not None and self._clock() >= deadline
                current = delivery if is_late else self._advance(delivery, manager, due_report, report)
                deliveries.append(current)
                if current.revision > delivery.revision:
                    updated.append(current)
        result = DeliveryResult(tuple(deliveries), tuple(updated))
        if result.is_settled:
            self._complete(due_report, report, deliveries)
        return result

    def _is_expired(self, campaign: Campaign, entry: OutboxEntry) -> bool:
        return entry.campaign_day.day < campaign.local_day(self._clock() - self._config.max_age)

    def _is_correction_due(self, campaign: Campaign, entry: OutboxEntry) -> bool:
        """Return True if a correction mail for a changed day is due. Remove the day if it needs none."""
        notified_version = self._outbox.find_notified_version(entry.campaign_day)
        last_report = self._outbox.find_notified_version(CampaignDay(campaign.campaign_id, campaign.last_day))
        if notified_version is None or last_report is None:
            return False
        if notified_version < entry.version:
            first_change = self._reports.get_summary(entry.campaign_day, version=notified_version + 1)
            if self._clock() < _get_next_final_time(
                campaign, datetime.fromisoformat(first_change.counted_at)
            ):
                return False
            if (
                self._reports.get_summary(entry.campaign_day).counts
                != self._reports.get_summary(entry.campaign_day, version=notified_version).counts
            ):
                return True
        self._outbox.remove(Consumer.MANAGERS, entry)
        return False

    def _build_report(self, due_report: DueReport) -> Report:
        """Return the report of a day, with revisions of the days that changed since the last notification."""
        return replace(
            self._reports.build_report(due_report.campaign_day),
            revisions=tuple(self._iter_revisions(due_report)),
        )

    def _iter_revisions(self, due_report: DueReport) -> Iterator[Summary]:
        for campaign_day in (each.campaign_day for each in due_report.changed_entries):
            newest = self._reports.get_summary(campaign_day)
            notified_version = self._outbox.find_notified_version(campaign_day)
            if notified_version is not None and notified_version < newest.version:
                yield with_changes_since(
                    self._reports.get_summary(campaign_day, version=notified_version), newest
                )

    def _build_manager_report(self, manager: Manager, due_report: DueReport, report: Report) -> Report:
        """Return the report with the changes since the version that the manager has."""
        known = self._find_known_version(manager, due_report, report)
        before = None if known is None else self._reports.get_summary(due_report.campaign_day, version=known)
        return replace(report, summary=with_changes_since(before, report.summary), is_first=before is None)

    def _find_known_version(self, manager: Manager, due_report: DueReport, report: Report) -> int | None:
        """Return the version that a manager has. For a final report, it is that of the provisional mail."""
        if due_report.is_correction_mail:
            return self._outbox.find_notified_version(due_report.campaign_day)
        if report.summary.state is not SummaryState.FINAL or not manager.email:
            return None
        provisional = self._deliveries.find(
            self._derive_delivery_id(due_report, SummaryState.PROVISIONAL, Medium.MAIL, manager.email)
        )
        return provisional.version if provisional is not None and provisional.may_have_arrived else None

    def _iter_media(self, due_report: DueReport, report: Report) -> Iterator[Medium]:
        yield Medium.MAIL
        if not due_report.is_correction_mail and report.summary.state in self._config.sms_states:
            yield Medium.SMS

    def _find_delivery(
        self, due_report: DueReport, report: Report, manager: Manager, medium: Medium
    ) -> Delivery | None:
        """Return the stored or new delivery to a manager, or None without an address on this medium."""
        channel = self._channels.get(medium)
        address = None if channel is None else channel.find_address(manager)
        if address is None:
            return None
        delivery_id = self._derive_delivery_id(
            due_report, self._get_report_key(due_report, report), medium, address
        )
        return self._deliveries.find(delivery_id) or Delivery(delivery_id=delivery_id, medium=medium)

    def _derive_delivery_id(
        self, due_report: DueReport, report_key: str, medium: Medium, address: str
    ) -> DeliveryId:
        recipient_hash = self._hashing.digest("manager", address.lower())
        return derive_delivery_id(due_report.campaign_day, report_key, medium, recipient_hash)

    def _get_report_key(self, due_report: DueReport, report: Report) -> str:
        """Return the key of a report among those of its day. There is one correction mail each morning."""
        if not due_report.is_correction_mail:
            return report.summary.state
        # The key is hashed into stored delivery ids and must not change.
        return f"letter {_get_last_final_day(report.campaign, self._clock()).isoformat()}"

    def _advance(
        self, delivery: Delivery, manager: Manager, due_report: DueReport, report: Report
    ) -> Delivery:
        now = self._clock()
        if delivery.state is DeliveryState.CLAIMED and delivery.has_timed_out(now):
            delivery = self._save(delivery.record_unknown_outcome("worker_died"))
        if delivery.state is not DeliveryState.WAITING:
            return delivery
        outgoing = OutgoingReport(
            delivery.delivery_id, manager, self._build_manager_report(manager, due_report, report)
        )
        claimed = delivery.claim(
            now,
            version=report.summary.version,
            revised_versions={each.day: each.version for each in report.revisions},
        )
        if not self._deliveries.save(claimed):
            return self._reload(delivery)
        return self._save(self._attempt(claimed, outgoing))

    def _attempt(self, delivery: Delivery, outgoing: OutgoingReport) -> Delivery:
        try:
            outcome = make_attempt(lambda: self._channels[delivery.medium].send(outgoing))
        except Exception as error:  # noqa: BLE001 - one manager's failure must not affect the others
            self._on_failure(error)
            return delivery.record_unknown_outcome(type(error).__name__)
        return delivery.apply_outcome(outcome)

    def _save(self, delivery: Delivery) -> Delivery:
        return delivery if self._deliveries.save(delivery) else self._reload(delivery)

    def _reload(self, delivery: Delivery) -> Delivery:
        return self._deliveries.find(delivery.delivery_id) or delivery

    def _complete(self, due_report: DueReport, report: Report, deliveries: Sequence[Delivery]) -> None:
        """Store the versions that every manager was notified of, then remove the days from the outbox.

        Deliveries of an earlier run may have sent older versions; the newer ones remain to be sent.
        """
        version = min((each.version for each in deliveries), default=report.summary.version)
        if due_report.is_correction_mail or report.summary.state is SummaryState.FINAL:
            self._outbox.record_notified_version(due_report.campaign_day, version)
        for revised in report.revisions:
            notified_version = self._outbox.find_notified_version(revised.campaign_day)
            version = min(
                (each.revised_versions.get(revised.day, 0) for each in deliveries), default=revised.version
            )
            if notified_version is not None and version > notified_version:
                self._outbox.record_notified_version(revised.campaign_day, version)
        for entry in due_report.entries:
            notified_version = self._outbox.find_notified_version(entry.campaign_day)
            if notified_version is None or notified_version >= entry.version:
                self._outbox.remove(Consumer.MANAGERS, entry)


def _get_next_final_time(campaign: Campaign, changed_at: datetime) -> datetime:
    """Return the next time after `changed_at` at which days of the campaign become final."""
    today = campaign.local_day(changed_at)
    this_morning = campaign.summary_final_at(today - timedelta(days=1))
    return this_morning if changed_at < this_morning else campaign.summary_final_at(today)


def _get_last_final_day(campaign: Campaign, now: datetime) -> date:
    """Return the local day of the last time at which days of the campaign became final."""
    today = campaign.local_day(now)
    yesterday = today - timedelta(days=1)
    return today if now >= campaign.summary_final_at(yesterday) else yesterday
