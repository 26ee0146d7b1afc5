"""Deliveries in DynamoDB, in the table of what sending goes by.

DELIVERY#<delivery id>    what became of one report to one manager; expires
"""

from collections.abc import Callable
from dataclasses import asdict
from datetime import date, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.dynamodb import is_condition_failure
from chalicelib.aws.items import from_item, to_item
from chalicelib.clock import Clock, to_timestamp
from chalicelib.deliveries.model import Delivery, DeliveryId, DeliveryState, Medium


class DynamoDeliveries:
    """Satisfies `service.Deliveries`.

    Every write carries an id of its own: where the answer to one is lost, the SDK writes again, and must not
    take its own first write for another sender's.
    """

    def __init__(
        self, client: Any, table: str, *, new_write_id: Callable[[], str], clock: Clock, retention: timedelta
    ) -> None:
        self._client = client
        self._table = table
        self._new_write_id = new_write_id
        self._clock = clock
        self._retention = retention

    def find(self, delivery_id: DeliveryId) -> Delivery | None:
        """One delivery, as it stands now."""
        found = self._client.get_item(
            TableName=self._table, Key=to_item(_delivery_key(delivery_id)), ConsistentRead=True
        )
        return _parse_delivery(delivery_id, from_item(found["Item"])) if "Item" in found else None

    def save(self, delivery: Delivery) -> bool:
        """Store a delivery's next revision; False if another sender was first."""
        write_id = self._new_write_id()
        item = {
            **_delivery_key(delivery.delivery_id),
            **{name: value for name, value in asdict(delivery).items() if name != "delivery_id"},
            "revised_versions": {
                day.isoformat(): version for day, version in delivery.revised_versions.items()
            }
            or None,
            "touched_at": None if delivery.touched_at is None else to_timestamp(delivery.touched_at),
            "write_id": write_id,
            "expires_at": int((self._clock() + self._retention).timestamp()),
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
            if not is_condition_failure(error):
                raise
            standing = from_item(error.response.get("Item", {}))  # type: ignore[arg-type]
            return standing.get("write_id") == write_id
        return True


def _delivery_key(delivery_id: DeliveryId) -> dict[str, str]:
    return {"pk": f"DELIVERY#{delivery_id}"}


def _parse_delivery(delivery_id: DeliveryId, item: dict[str, Any]) -> Delivery:
    touched_at = item.get("touched_at")
    return Delivery(
        delivery_id=delivery_id,
        medium=Medium(item["medium"]),
        state=DeliveryState(item["state"]),
        revision=int(item["revision"]),
        attempts=int(item["attempts"]),
        version=int(item["version"]),
        touched_at=None if touched_at is None else datetime.fromisoformat(touched_at),
        is_repeated=item["is_repeated"],
        reason=item.get("reason"),
        revised_versions={
            date.fromisoformat(day): int(version) for day, version in item.get("revised_versions", {}).items()
        },
    )
