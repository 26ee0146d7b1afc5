"""Discarded captures in the registrations table, where the index of device numbers finds them.

DISCARD#<client id>   <number>   the reason, as a code
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from chalicelib.aws.table import Table
from chalicelib.clock import to_timestamp
from chalicelib.registrations.discards import Discard
from chalicelib.registrations.store_keys import ITEM_IS_NEW

_SEQUENCE_DIGITS = 10


class DynamoDiscards:
    """Satisfies `discards.DiscardStore`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def add(self, client_id: str, discard: Discard) -> None:
        values = {
            "pk": _make_partition(client_id),
            "sk": f"{discard.device_sequence:0{_SEQUENCE_DIGITS}}",
            "client_id": client_id,
            "device_sequence": discard.device_sequence,
            "reason": discard.reason,
            "reported_at": to_timestamp(discard.reported_at),
        }
        self._table.try_run(self._table.put(values, ITEM_IS_NEW))

    def iter_latest(self, client_id: str, *, page_size: int) -> Iterator[Discard]:
        for values in self._table.query(
            "pk = :client", {":client": _make_partition(client_id)}, page_size=page_size, is_descending=True
        ):
            yield Discard(
                device_sequence=int(values["device_sequence"]),
                reason=values["reason"],
                reported_at=datetime.fromisoformat(values["reported_at"]),
            )


def _make_partition(client_id: str) -> str:
    return f"DISCARD#{client_id}"
