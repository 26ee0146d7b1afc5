"""The items of a stage's tables, and the keys that values in them are sealed under."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from chalicelib.aws.items import from_item
from chalicelib.campaigns.store import reseal as reseal_campaign
from chalicelib.conversations.store_items import reseal as reseal_conversation
from chalicelib.crypto.encryption import FieldCipher, is_sealed, read_key_id
from chalicelib.registrations.store_items import reseal as reseal_registration
from chalicelib.reviews.store import reseal as reseal_review_item

# The tables with sealed values, and the function that reseals an item; `tests/structure` finds a missing one.
SEALED_TABLES: Mapping[str, Callable[[Mapping[str, Any], FieldCipher], dict[str, Any]]] = {
    "RegistrationsTable": reseal_registration,
    "CampaignsTable": reseal_campaign,
    "ReviewsTable": reseal_review_item,
    "ConversationsTable": reseal_conversation,
}

PAGE_SIZE = 100

_TABLE_OUTPUT_SUFFIX = "TableName"


def list_tables(outputs: Mapping[str, str]) -> list[str]:
    """Return every table of a stage, by the logical id that the stack's outputs have."""
    return [name.removesuffix("Name") for name in outputs if name.endswith(_TABLE_OUTPUT_SUFFIX)]


def iter_pages(dynamodb: Any, table_name: str) -> Iterator[list[dict[str, Any]]]:
    """Yield the items of a table, page by page."""
    pages = dynamodb.get_paginator("scan").paginate(
        TableName=table_name, Limit=PAGE_SIZE, ConsistentRead=True
    )
    for page in pages:
        yield [from_item(item) for item in page["Items"]]


def iter_key_ids(value: object) -> Iterator[str]:
    """Yield the ids of the keys that the values in an item are sealed under, wherever they stand."""
    match value:
        case bytes():
            if is_sealed(value):
                yield read_key_id(value)
        case dict():
            for each in value.values():
                yield from iter_key_ids(each)
        case list() | set():
            for each in value:
                yield from iter_key_ids(each)
