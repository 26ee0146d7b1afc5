"""Deliveries in DynamoDB, in the sending table.

DELIVERY#<delivery id>    the delivery of one report to one manager; expires
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import ConditionFailed, Table
from chalicelib.clock import Clock, to_expiry, to_timestamp
from chalicelib.deliveries.model import Delivery, DeliveryId, DeliveryState, Medium


class DynamoDeliveries:
    """Satisfies `service.Deliveries`.

    Every write has an id of its own: if its answer is lost, the SDK repeats it, and the first write must not
    be taken for another process's.
    """

    def __init__(
        self, client: Any, table: str, *, new_write_id: Callable[[], str], clock: Clock, retention: timedelta
    ) -> None:
        self._table = Table(client, table)
        self._new_write_id = new_write_id
        self._clock = clock
        self._retention = retention

    def find(self, delivery_id: DeliveryId) -> Delivery | None:
        values = self._table.get(_build_key(delivery_id))
        return None if values is None else _parse_item(delivery_id, values)

    def save(self, delivery: Delivery) -> bool:
        write_id = self._new_write_id()
        item = {
            **_build_item(delivery),
            "write_id": write_id,
            "expires_at": to_expiry(self._clock() + self._retention),
        }
        is_new = delivery.revision == 1
        write = self._table.put(
            item,
            "attribute_not_exists(pk)" if is_new else "revision = :before",
            compared=None if is_new else {":before": delivery.revision - 1},
            returns_current=True,
        )
        try:
            self._table.run(write)
        except ConditionFailed as failed:
            return failed.current.get("write_id") == write_id
        return True


def _build_key(delivery_id: DeliveryId) -> Values:
    return {"pk": f"DELIVERY#{delivery_id}"}


def _build_item(delivery: Delivery) -> Values:
    revised = {day.isoformat(): version for day, version in delivery.revised_versions.items()}
    return {
        **_build_key(delivery.delivery_id),
        "medium": delivery.medium,
        "state": delivery.state,
        "revision": delivery.revision,
        "attempts": delivery.attempts,
        "version": delivery.version,
        "touched_at": None if delivery.touched_at is None else to_timestamp(delivery.touched_at),
        "is_repeated": delivery.is_repeated,
        "reason": delivery.reason,
        "revised_versions": revised or None,
    }


def _parse_item(delivery_id: DeliveryId, values: Values) -> Delivery:
    touched_at = values.get("touched_at")
    revised = values.get("revised_versions", {})
    return Delivery(
        delivery_id=delivery_id,
        medium=Medium(values["medium"]),
        state=DeliveryState(values["state"]),
        revision=int(values["revision"]),
        attempts=int(values["attempts"]),
        version=int(values["version"]),
        touched_at=None if touched_at is None else datetime.fromisoformat(touched_at),
        is_repeated=values["is_repeated"],
        reason=values.get("reason"),
        revised_versions={date.fromisoformat(day): int(version) for day, version in revised.items()},
    )
