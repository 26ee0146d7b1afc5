"""Receipts from AWS End User Messaging's events, which arrive by SNS and SQS.

https://docs.aws.amazon.com/sms-voice/latest/userguide/configuration-sets-event-format.html
"""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from chalicelib.messaging.model import SmsId
from chalicelib.messaging.receipts import Receipt

GATEWAY = "aws"

# SUCCESSFUL: the carrier accepted it. UNKNOWN comes after 72 hours without a report from the carrier; the SMS
# was sent. QUEUED and PENDING add nothing to the acceptance.
_STATE_BY_EVENT_TYPE: Mapping[str, Literal["sent", "delivered", "failed"]] = {
    "TEXT_SENT": "sent",
    "TEXT_SUCCESSFUL": "sent",
    "TEXT_UNKNOWN": "sent",
    "TEXT_DELIVERED": "delivered",
    "TEXT_INVALID": "failed",
    "TEXT_INVALID_MESSAGE": "failed",
    "TEXT_UNREACHABLE": "failed",
    "TEXT_CARRIER_UNREACHABLE": "failed",
    "TEXT_BLOCKED": "failed",
    "TEXT_CARRIER_BLOCKED": "failed",
    "TEXT_SPAM": "failed",
    "TEXT_TTL_EXPIRED": "failed",
    "TEXT_PROTECT_BLOCKED": "failed",
}


def parse_receipt(body: str) -> Receipt | None:
    """Return the receipt in an event, or None if it adds nothing or is not about an SMS of this system.

    Raise ValueError or KeyError if `body` is not an event.
    """
    event: dict[str, Any] = json.loads(body, parse_float=Decimal)
    state = _STATE_BY_EVENT_TYPE.get(event["eventType"])
    sms_id = (event.get("context") or {}).get("sms_id")
    if state is None or sms_id is None:
        return None
    return Receipt(
        sms_id=SmsId(sms_id),
        gateway=GATEWAY,
        gateway_id=event["messageId"],
        state=state,
        occurred_at=datetime.fromtimestamp(int(event["eventTimestamp"]) / 1000, tz=UTC),
        reason=event["eventType"] if state == "failed" else None,
        parts=event.get("totalMessageParts"),
        price_microusd=_parse_price(event),
    )


def _parse_price(event: Mapping[str, Any]) -> int | None:
    if "totalMessagePrice" not in event:
        return None
    dollars = Decimal(event["totalMessagePrice"]) + Decimal(event.get("totalCarrierFee") or 0)
    return int((dollars * 1_000_000).to_integral_value())
