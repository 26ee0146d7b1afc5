"""The round that comes every five minutes: managers are told what waits to be told."""

from collections.abc import Iterator, Sequence

from chalicelib import observability
from chalicelib.deliveries.model import Delivery, DeliveryState
from chalicelib.deliveries.service import Deliverer, Due
from chalicelib.rollups.outbox import Waiting

# Settled, and the manager may know nothing.
_NOT_DELIVERED = frozenset({DeliveryState.FAILED, DeliveryState.UNKNOWN})


class SomeReportsNotTold(observability.RoundIncomplete):
    """The round told what it could; what it could not still waits, and is in the log."""


def deliver_reports(deliverer: Deliverer) -> dict[str, int]:
    """Tell every report that is due.

    One that cannot be told holds up no other, but fails the round in the end.
    """
    settled = open_ = failed = 0
    for campaign_id, waiting in deliverer.waiting():
        for due in _due(deliverer, campaign_id, waiting):
            if due is None:
                failed += 1
                continue
            facts = {"campaign_id": campaign_id, "day": due.of.day.isoformat()}
            try:
                told = deliverer.tell(due)
            except Exception as error:  # noqa: BLE001 - the other reports are still to be told
                observability.log_unforeseen(error, "report not told", facts)
                failed += 1
                continue
            settled += told.is_settled
            open_ += not told.is_settled
            _note(told.moved, due)
            if not deliverer.can_mail:
                observability.count("ReportsNotMailed")
                observability.logger.warning("nobody is mailed, there is no sender", extra=facts)
    if failed:
        raise SomeReportsNotTold(f"{failed} of {failed + settled + open_}")
    return {"settled": settled, "open": open_}


def _due(deliverer: Deliverer, campaign_id: str, waiting: Sequence[Waiting]) -> Iterator[Due | None]:
    """What of a campaign is due; None where that cannot be found out."""
    try:
        yield from deliverer.due(campaign_id, waiting)
    except Exception as error:  # noqa: BLE001 - the other campaigns are still to be told
        observability.log_unforeseen(error, "reports not found", {"campaign_id": campaign_id})
        yield None


def _note(moved: Sequence[Delivery], due: Due) -> None:
    for each in moved:
        observability.count("Reports", state=each.state, medium=each.medium)
        if each.state in _NOT_DELIVERED:
            observability.count("ReportsNotDelivered")
        observability.logger.info(
            "manager told",
            extra={
                "delivery_id": each.delivery_id,
                "campaign_id": due.of.campaign_id,
                "day": due.of.day.isoformat(),
                "medium": each.medium,
                "state": each.state,
                "attempts": each.attempts,
                "reason": each.reason,
            },
        )
