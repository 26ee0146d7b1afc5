"""DynamoDB's values and refusals, put into Python once for every store."""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.items import from_item

# In characters. Ids are 64 at most; a partition key is 2,048 bytes at most, prefix included.
MAX_ID_LENGTH = 64


def is_condition_failure(error: ClientError) -> bool:
    """Whether a single conditional write was refused by its condition."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def get_cancellation_reasons(error: ClientError) -> list[Mapping[str, Any]]:
    """Why a transaction was cancelled, one reason per item in its order; empty if it was not cancelled."""
    if error.response["Error"]["Code"] != "TransactionCanceledException":
        return []
    return list(error.response.get("CancellationReasons", []))


def iter_failed_conditions(reasons: list[Mapping[str, Any]]) -> Iterator[tuple[int, dict[str, Any]]]:
    """The transaction items whose own condition failed: their position, and the values that stand there."""
    for position, reason in enumerate(reasons):
        if reason.get("Code") == "ConditionalCheckFailed":
            yield position, from_item(reason.get("Item", {}))


def iter_query_items(client: Any, **query: Any) -> Iterator[dict[str, Any]]:
    """Every item of a query, page after page, so that memory stays flat whatever the partition holds."""
    while True:
        page = client.query(**query)
        for item in page["Items"]:
            yield from_item(item)
        if "LastEvaluatedKey" not in page:
            return
        query["ExclusiveStartKey"] = page["LastEvaluatedKey"]
