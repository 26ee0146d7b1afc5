"""A DynamoDB table as stores use it: plain values in and out, conditional writes, and transactions.

Stores name attributes and conditions; this module knows requests, pages and refusals.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.items import Item, Values, from_item, to_item
from chalicelib.clock import to_expiry
from chalicelib.values import Value

# In characters: the longest id. A partition key may have 2,048 bytes, prefix included.
MAX_ID_LENGTH = 64

PAGE_SIZE = 200
"""Rows per request. A count reads 17 partitions of a day side by side, and has a page of each in memory."""

# BatchGetItem takes no more keys in one request.
_MAX_BATCH_GET_KEYS = 100

_EXPECTED_REASONS = frozenset({"None", "ConditionalCheckFailed", "TransactionConflict"})


class ConditionFailed(Exception):
    """A write was refused by its condition.

    `current` holds the values of the stored item, if the write asked for them; it is empty if there is none.
    """

    def __init__(self, current: Values) -> None:
        super().__init__("condition failed")
        self.current = current


class TransactionFailed(Exception):
    """A transaction was refused by its conditions or by a concurrent write; nothing of it was stored.

    `current` holds, by the position of each write whose condition failed, the values of the stored item (see
    ConditionFailed). It is empty if only a concurrent write was in the way.
    """

    def __init__(self, current: Mapping[int, Values]) -> None:
        super().__init__("transaction failed")
        self.current = current


class Write(Value):
    """One write request, to be sent alone (`Table.run`) or in a transaction (`Table.transact`)."""

    action: str
    """`Put`, `Update`, `Delete` or `ConditionCheck`."""
    request: Mapping[str, Any]


class Table:
    """One DynamoDB table. Every single read is strongly consistent; reads of an index cannot be."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self._name = name

    def get(self, key: Values) -> Values | None:
        """Return the item with `key`, or None."""
        found = self._client.get_item(TableName=self._name, Key=to_item(key), ConsistentRead=True)
        return from_item(found["Item"]) if "Item" in found else None

    def get_many(self, keys: Sequence[Values]) -> Iterator[Values]:
        """Yield the items that are stored under `keys`, in any order."""
        wanted = [to_item(key) for key in keys]
        while wanted:
            request = {"Keys": wanted[:_MAX_BATCH_GET_KEYS], "ConsistentRead": True}
            answer = self._client.batch_get_item(RequestItems={self._name: request})
            yield from map(from_item, answer["Responses"].get(self._name, []))
            unanswered = answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", [])
            wanted = [*unanswered, *wanted[_MAX_BATCH_GET_KEYS:]]

    def query(
        self,
        condition: str,
        values: Values,
        *,
        index: str | None = None,
        names: Mapping[str, str] | None = None,
        page_size: int = PAGE_SIZE,
        is_descending: bool = False,
    ) -> Iterator[Values]:
        """Yield every item of a query, page by page, so that memory does not grow with the partition."""
        query: dict[str, Any] = {
            "TableName": self._name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
            "Limit": page_size,
            **({"ConsistentRead": True} if index is None else {"IndexName": index}),
            **({"ExpressionAttributeNames": names} if names else {}),
            **({"ScanIndexForward": False} if is_descending else {}),
        }
        while True:
            page = self._client.query(**query)
            yield from map(from_item, page["Items"])
            if "LastEvaluatedKey" not in page:
                return
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def put(self, values: Values, condition: str | None = None, **options: Any) -> Write:
        """Return the write that stores `values`. Options are those of `put_item`."""
        return self.put_item(to_item(values), condition, **options)

    def put_item(self, item: Item, condition: str | None = None, **options: Any) -> Write:
        """Return the write that stores an item in DynamoDB's own form.

        Options, as of the other writes: `compared`, the values that the condition names; `names`, the
        attribute names behind its placeholders; `returns_current`, to get the stored item if it fails.
        """
        return Write("Put", self._request({"Item": item}, condition, **options))

    def update(self, key: Values, update: str, condition: str | None = None, **options: Any) -> Write:
        """Return the write that changes the item with `key` by an update expression."""
        return Write(
            "Update",
            self._request({"Key": to_item(key), "UpdateExpression": update}, condition, **options),
        )

    def delete(self, key: Values, condition: str | None = None, **options: Any) -> Write:
        return Write("Delete", self._request({"Key": to_item(key)}, condition, **options))

    def check(self, key: Values, condition: str, **options: Any) -> Write:
        """Return the part of a transaction that only checks a condition."""
        return Write("ConditionCheck", self._request({"Key": to_item(key)}, condition, **options))

    def run(self, write: Write, *, returns: str | None = None) -> Values:
        """Send one write. Return what `returns` (such as `ALL_NEW`) asks for. Raise ConditionFailed."""
        send = {
            "Put": self._client.put_item,
            "Update": self._client.update_item,
            "Delete": self._client.delete_item,
        }[write.action]
        try:
            answer = send(**write.request, **({"ReturnValues": returns} if returns else {}))
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise ConditionFailed(from_item(error.response.get("Item", {}))) from None  # type: ignore[arg-type]
        return from_item(answer.get("Attributes", {}))

    def try_run(self, write: Write) -> bool:
        """Send one write. Return False if its condition failed."""
        try:
            self.run(write)
        except ConditionFailed:
            return False
        return True

    def transact(self, writes: Sequence[Write]) -> None:
        """Send writes, of this table and of others, as one transaction. Raise TransactionFailed.

        Any other refusal, such as throttling, rises as the ClientError that it is.
        """
        items = [{write.action: write.request} for write in writes]
        try:
            self._client.transact_write_items(TransactItems=items)
        except ClientError as error:
            reasons = _cancellation_reasons(error)
            if not reasons or any(reason.get("Code", "None") not in _EXPECTED_REASONS for reason in reasons):
                raise
            raise TransactionFailed(
                {
                    position: from_item(reason.get("Item", {}))
                    for position, reason in enumerate(reasons)
                    if reason.get("Code") == "ConditionalCheckFailed"
                }
            ) from error

    def _request(
        self,
        request: dict[str, Any],
        condition: str | None,
        *,
        compared: Values | None = None,
        names: Mapping[str, str] | None = None,
        returns_current: bool = False,
    ) -> dict[str, Any]:
        request["TableName"] = self._name
        if condition is not None:
            request["ConditionExpression"] = condition
        if compared is not None:
            request["ExpressionAttributeValues"] = to_item(compared)
        if names is not None:
            request["ExpressionAttributeNames"] = names
        if returns_current:
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        return request


def expires_after(day: date, retention: timedelta) -> int:
    """Return the Unix time, in seconds, of the end of `retention` after the beginning of `day` in UTC."""
    return to_expiry(datetime.combine(day, time(), tzinfo=UTC) + retention)


def _cancellation_reasons(error: ClientError) -> list[Mapping[str, Any]]:
    if error.response["Error"]["Code"] != "TransactionCanceledException":
        return []
    return list(error.response.get("CancellationReasons", []))
