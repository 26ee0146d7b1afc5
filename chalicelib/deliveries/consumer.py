"""The handler of messages of the receipts queue that are about mails."""

from collections.abc import Callable

from chalicelib import observability
from chalicelib.deliveries.mail_events import Deliveries, load_event, parse_event, record_event


def handle_message(
    get_deliveries: Callable[[], Deliveries], handle_receipt: Callable[[str], object], body: str
) -> None:
    """Record a message of the receipts queue: an event about a mail, or else the receipt of an SMS.

    Raise TryAgain if the delivery is being changed, or what `handle_receipt` raises.
    """
    event = load_event(body)
    if event is None:
        handle_receipt(body)
        return
    found = parse_event(event)
    failed = None if found is None else record_event(get_deliveries(), found)
    if failed is None:
        return
    observability.count("ReportsNotDelivered")
    observability.logger.info(
        "report delivery updated",
        extra={
            "delivery_id": failed.delivery_id,
            "medium": failed.medium,
            "state": failed.state,
            "attempts": failed.attempts,
            "reason": failed.reason,
        },
    )
