"""Deliveries in DynamoDB, in the table of what sending goes by.

DELIVERY#<delivery id>    what became of one report to one manager; expires
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.clock import Clock, timestamp
from chalicelib.deliveries.model import Delivery, DeliveryId, DeliveryState, Medium
from chalicelib.dynamodb import condition_failed, from_item, to_item


class DynamoDeliveries:
    """Satisfies `service.Deliveries`.

    Every write carries an id of its own: where the answer to one is lost, the SDK writes again, and must not
    take its own first write for another sender's.
    """

    def __init__(
        self, client: Any, table: str, *, new_write_id: Callable[[], str], clock: Clock, kept_for: timedelta
    ) -> None:
        self._client = client
        self._table = table
        self._new_write_id = new_write_id
        self._clock = clock
        self._kept_for = kept_for

    def get(self, known: DeliveryId) -> Delivery | None:
        """One delivery, as it stands now."""
        found = self._client.get_item(TableName=self._table, Key=to_item(_key(known)), ConsistentRead=True)
        return _delivery(known, from_item(found["Item"])) if "Item" in found else None

    def move(self, delivery: Delivery) -> bool:
        """Store a delivery's next revision; False if another sender was first."""
        write_id = self._new_write_id()
        item = {
            **_key(delivery.delivery_id),
            **{name: value for name, value in asdict(delivery).items() if name != "delivery_id"},
            "touched_at": None if delivery.touched_at is None else timestamp(delivery.touched_at),
            "write_id": write_id,
            "expires_at": int((self._clock() + self._kept_for).timestamp()),
        }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(item),
                ConditionExpression="revision = :before"
                if delivery.revision > 1
                else "attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
                **(
                    {"ExpressionAttributeValues": to_item({":before": delivery.revision - 1})}
                    if delivery.revision > 1
                    else {}
                ),
            )
        except ClientError as error:
            if not condition_failed(error):
                raise
            standing = from_item(error.response.get("Item", {}))  # type: ignore[arg-type]
            return standing.get("write_id") == write_id
        return True


def _key(known: DeliveryId) -> dict[str, str]:
    return {"pk": f"DELIVERY#{known}"}


def _delivery(known: DeliveryId, values: dict[str, Any]) -> Delivery:
    touched_at = values.get("touched_at")
    return Delivery(
        delivery_id=known,
        medium=Medium(values["medium"]),
        state=DeliveryState(values["state"]),
        revision=int(values["revision"]),
        attempts=int(values["attempts"]),
        version=int(values["version"]),
        touched_at=None if touched_at is None else datetime.fromisoformat(touched_at),
        is_repeated=values["is_repeated"],
        reason=values.get("reason"),
    )
