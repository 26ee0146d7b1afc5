"""Reads of more than one page: nothing is left out, however an engine cuts its answers."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.aws.dynamodb import iter_query_items
from chalicelib.aws.items import to_item
from chalicelib.campaigns.store import DynamoCampaigns
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.store_keys import SHARD_COUNT
from tests.contracts.conftest import Engine
from tests.support.registration_builders import (
    FIRST_DAY,
    collect_capture_facts,
    make_campaign,
    make_capture,
    make_capture_metadata,
)
from tests.support.registration_stores import open_registration_stores

# Five items of this size are more than the megabyte that one page holds.
_WIDE = "w" * 250_000


@pytest.fixture
def one_item_pages(engine: Engine) -> Iterator[list[str]]:
    """The operations whose answers said that there was more."""
    seen: list[str] = []

    def note(parsed: Any, model: Any, **_: Any) -> None:
        if "LastEvaluatedKey" in parsed:
            seen.append(model.name)

    engine.client.meta.events.register("after-call.dynamodb", note)
    yield seen
    engine.client.meta.events.unregister("after-call.dynamodb", note)


def test_every_capture_of_a_day_is_counted_when_a_shard_fills_more_than_a_page(
    engine: Engine, cipher: FieldCipher, one_item_pages: list[str]
) -> None:
    stores = open_registration_stores(engine.client, engine.create_table("RegistrationsTable"), cipher)
    # With this many, at least one shard holds five, wherever each capture falls.
    captures = 4 * SHARD_COUNT + 1
    for number in range(captures):
        refused = make_capture(make_capture_metadata(number), Outcome.REFUSED, occupations=(_WIDE,))
        stores.intake.add_refusal(refused, is_on_campaign_day=True)

    counted = sum(1 for _ in collect_capture_facts(stores.reading, FIRST_DAY))

    assert counted == captures
    assert one_item_pages, "no answer was cut into pages, so this has proved nothing"


def test_a_query_goes_on_until_the_last_page(engine: Engine, one_item_pages: list[str]) -> None:
    table = engine.create_table("KeysTable")
    for number in range(5):
        engine.client.put_item(
            TableName=table, Item=to_item({"purpose": "field", "key_id": f"{number}", "wrapped": b"key"})
        )

    found = iter_query_items(
        engine.client,
        TableName=table,
        KeyConditionExpression="purpose = :purpose",
        ExpressionAttributeValues=to_item({":purpose": "field"}),
        Limit=2,
    )

    assert [item["key_id"] for item in found] == ["0", "1", "2", "3", "4"]
    assert one_item_pages == ["Query", "Query"]


def test_every_campaign_is_listed_when_they_fill_more_than_a_page(
    engine: Engine, cipher: FieldCipher, one_item_pages: list[str]
) -> None:
    campaigns = DynamoCampaigns(engine.client, engine.create_table("CampaignsTable"), cipher)
    crowded = [{"name": f"{number:04d}" + "n" * 96, "email": None, "phone": None} for number in range(50)]
    for number in range(160):
        campaigns.add(make_campaign(campaign_id=f"campaign-{number}", managers=crowded))

    assert len({campaign.campaign_id for campaign in campaigns.iter_ending_since(FIRST_DAY.day)}) == 160
    assert one_item_pages, "no answer was cut into pages, so this has proved nothing"
