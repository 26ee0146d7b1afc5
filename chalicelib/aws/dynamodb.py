"""Queries of DynamoDB, and the failed conditions of its errors."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.items import from_item

# In characters. Ids are 64 at most; a partition key is 2,048 bytes at most, prefix included.
MAX_ID_LENGTH = 64


def is_condition_failure(error: ClientError) -> bool:
    """Return True if the condition of a single write failed."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def get_cancellation_reasons(error: ClientError) -> list[Mapping[str, Any]]:
    """Return the reasons of a cancelled transaction, one per item in its order; otherwise an empty list."""
    if error.response["Error"]["Code"] != "TransactionCanceledException":
        return []
    return list(error.response.get("CancellationReasons", []))


def iter_failed_conditions(reasons: list[Mapping[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the items of a transaction whose condition failed: their position and stored values."""
    for position, reason in enumerate(reasons):
        if reason.get("Code") == "ConditionalCheckFailed":
            yield position, from_item(reason.get("Item", {}))


def iter_query_items(client: Any, **query: Any) -> Iterator[dict[str, Any]]:
    """Yield every item of a query, page by page, so that memory use does not grow with the partition."""
    while True:
        page = client.query(**query)
        for item in page["Items"]:
            yield from_item(item)
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
