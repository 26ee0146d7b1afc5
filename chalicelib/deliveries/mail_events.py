"""Bounces and complaints about mails, which SES publishes to the topic of the receipts.

https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
"""

import json
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.deliveries.model import Delivery, DeliveryId, DeliveryState
from chalicelib.refusals import TryAgain

DELIVERY_TAG = "delivery"

# How each event shows in the ledger of deliveries.
_REASONS = {"Bounce": "bounced", "Complaint": "complained", "Reject": "rejected"}
_MAX_ATTEMPTS = 4


class Deliveries(Protocol):
    """Stores deliveries. Every write is conditional on the revision that was read."""

    def find(self, delivery_id: DeliveryId) -> Delivery | None:
        """Return one delivery, or None."""

    def save(self, delivery: Delivery) -> bool:
        """Store the next revision of a delivery. Return False if another process was first."""


@dataclass(frozen=True)
class MailEvent:
    """A mail that was not delivered, or not wanted. `reason` is what the ledger of deliveries says of it."""

    delivery_id: DeliveryId
    reason: str


def record_event(deliveries: Deliveries, event: MailEvent) -> Delivery | None:
    """Store that a mail did not arrive, or was not wanted.

    Return its delivery, None if that was stored before. Raise TryAgain.
    """
    for _ in range(_MAX_ATTEMPTS):
        delivery = deliveries.find(event.delivery_id)
        if delivery is None or delivery.reason == event.reason:
            return None  # Expired, or told twice.
        if delivery.state is DeliveryState.CLAIMED:
            raise TryAgain("its attempt is not recorded yet")
        failed = delivery.record_mail_event(event.reason)
        if failed is delivery:
            return None
        if deliveries.save(failed):
            return failed
    raise TryAgain("another process changes the delivery")


def load_event(body: str) -> dict[str, Any] | None:
    """Return an event of SES, None if the message is of another kind."""
    try:
        event = json.loads(body)
    except ValueError:
        return None
    is_of_ses = isinstance(event, dict) and "eventType" in event and isinstance(event.get("mail"), dict)
    return event if is_of_ses else None


def parse_event(event: dict[str, Any]) -> MailEvent | None:
    """Return what an event says of one of our mails; None if it says nothing that is recorded.

    Addresses in it are not looked at: a delivery is one mail to one address.
    """
    reason = _REASONS.get(str(event["eventType"]))
    tags = (event["mail"].get("tags") or {}).get(DELIVERY_TAG)
    if reason is None or not tags:
        return None
    if reason == "bounced":
        reason = f"{reason}:{str(event['bounce']['bounceType']).lower()}"
    return MailEvent(DeliveryId(str(tags[0])), reason)
