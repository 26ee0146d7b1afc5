"""Reports of chat providers about our messages: those of conversations, and notifications of the ledger."""

from collections.abc import Mapping
from typing import Literal

from chalicelib.chats.service import ChatSender
from chalicelib.conversations.events import DeliveryReport
from chalicelib.conversations.sends import parse_tracker
from chalicelib.messaging.model import parse_sms_id
from chalicelib.messaging.receipts import Receipt, ReceiptSink

_STATE_BY_STATUS: Mapping[str, Literal["sent", "delivered", "failed"]] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "delivered",
    "played": "delivered",
    "failed": "failed",
}


class ChatReports:
    """Records each report where its message is."""

    def __init__(self, *, sender: ChatSender, receipts: ReceiptSink) -> None:
        self._sender = sender
        self._receipts = receipts

    def record(self, channel: str, report: DeliveryReport) -> None:
        """Record a report. One about a message of somebody else, or that adds nothing, changes nothing."""
        tracker, state = report.tracker or "", _STATE_BY_STATUS.get(report.status)
        if state is None:
            return
        if parse_tracker(tracker) is not None:
            self._sender.record_report(report)
            return
        sms_id = parse_sms_id(tracker)
        if sms_id is None:
            return
        self._receipts.record_receipt(
            Receipt(
                sms_id=sms_id,
                gateway=channel,
                gateway_id=f"{channel}:{report.message_id}",
                state=state,
                occurred_at=report.occurred_at,
                reason=str(report.error_codes[0]) if report.error_codes else None,
                parts=0,
                # The price of what costs something is not in the report.
                price_microusd=0 if report.is_billable is False else None,
            )
        )
