"""The run of every five minutes that sends reports to managers."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from chalicelib import observability
from chalicelib.aws.lambda_context import LambdaContext
from chalicelib.clock import Clock
from chalicelib.deliveries.model import Delivery, DeliveryState
from chalicelib.deliveries.service import DueReport, ReportDeliveryService

# Final states in which the manager may not have the report.
_UNDELIVERED_STATES = frozenset({DeliveryState.FAILED, DeliveryState.UNKNOWN})

# Time that a run reserves for the report that is being sent when its time is over.
_SEND_MARGIN = timedelta(seconds=20)


class DeliveryPartialFailure(observability.PartialFailure):
    """Some reports could not be delivered. They stay in the outbox and are in the log."""


def deliver_reports(
    delivery_service: ReportDeliveryService, clock: Clock, context: LambdaContext
) -> dict[str, int]:
    """Deliver every report that is due, and return the numbers of the run.

    A report that fails does not stop the others; the run then raises DeliveryPartialFailure. Each campaign
    gets half of the remaining time at most; the next run delivers the reports for which no time was left.
    """
    settled = open_ = failed = 0
    ends_at = clock() + timedelta(milliseconds=context.get_remaining_time_in_millis()) - _SEND_MARGIN
    for due, campaign_id, deadline in _iter_due_reports(delivery_service, clock, ends_at):
        if due is None:
            failed += 1
            continue
        facts = {"campaign_id": campaign_id, "day": due.campaign_day.day.isoformat()}
        try:
            result = delivery_service.deliver(due, deadline=deadline)
        except Exception as error:  # noqa: BLE001 - the other reports must still be delivered
            observability.log_exception(error, "report not delivered", facts)
            failed += 1
            continue
        settled += result.is_settled
        open_ += not result.is_settled
        _record_deliveries(result.updated, facts)
        if not delivery_service.has_mail_channel:
            observability.count("ReportsNotMailed")
            observability.logger.warning("no mail sender is configured, reports are not mailed", extra=facts)
    if failed:
        raise DeliveryPartialFailure(f"{failed} of {failed + settled + open_}")
    return {"settled": settled, "open": open_}


def _iter_due_reports(
    delivery_service: ReportDeliveryService, clock: Clock, ends_at: datetime
) -> Iterator[tuple[DueReport | None, str, datetime]]:
    """Yield each due report, its campaign and a deadline; None if those of a campaign are not determined."""
    for campaign_id, entries in delivery_service.iter_entries_by_campaign():
        now = clock()
        if now >= ends_at:
            observability.logger.warning("time limit reached, remaining reports wait for the next run")
            return
        deadline = now + (ends_at - now) / 2
        try:
            for due in delivery_service.iter_due_reports(campaign_id, entries):
                yield due, campaign_id, deadline
                if clock() >= deadline:
                    break
        except Exception as error:  # noqa: BLE001 - the other campaigns must still be reported
            observability.log_exception(error, "due reports not determined", {"campaign_id": campaign_id})
            yield None, campaign_id, deadline


def _record_deliveries(updated: Sequence[Delivery], facts: Mapping[str, str]) -> None:
    for each in updated:
        observability.count("Reports", state=each.state, medium=each.medium)
        if each.state in _UNDELIVERED_STATES:
            observability.count("ReportsNotDelivered")
        observability.logger.info(
            "report delivery updated",
            extra={
                "delivery_id": each.delivery_id,
                **facts,
                "medium": each.medium,
                "state": each.state,
                "attempts": each.attempts,
                "reason": each.reason,
            },
        )
