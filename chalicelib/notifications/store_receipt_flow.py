"""The time of the latest receipt in DynamoDB, as one item of the sending table.

RECEIPTS    when a gateway's receipt last came in
"""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.table import Table
from chalicelib.clock import to_timestamp

_KEY = {"pk": "RECEIPTS"}
_INTERVAL = timedelta(minutes=1)


class DynamoReceiptFlow:
    """Satisfies `messaging.receipts.ReceiptFlow`. A process writes at most once a minute."""

    def __init__(self, client: Any, table: str) -> None:
        self._table = Table(client, table)
        self._recorded_at: datetime | None = None

    def record(self, now: datetime) -> None:
        if self._recorded_at is not None and now < self._recorded_at + _INTERVAL:
            return
        timestamp = to_timestamp(now)
        # The clocks of two processes differ: the later time stays.
        self._table.try_run(
            self._table.put(
                {**_KEY, "received_at": timestamp},
                "attribute_not_exists(pk) OR received_at < :at",
                compared={":at": timestamp},
            )
        )
        self._recorded_at = now

    def has_receipt_since(self, instant: datetime) -> bool:
        item = self._table.get(_KEY)
        return item is not None and str(item["received_at"]) > to_timestamp(instant)
