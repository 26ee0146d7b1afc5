"""Queries that need several pages, on each engine."""

from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.campaigns.store import DynamoCampaigns
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.store_keys import SHARD_COUNT
from tests.contracts.conftest import Engine
from tests.support.registration_builders import (
    FIRST_DAY,
    REFUSALS_EXPIRE_ON,
    collect_capture_facts,
    make_campaign,
    make_capture,
    make_capture_metadata,
)
from tests.support.registration_stores import open_registration_stores

# Five items of this size are more than the megabyte that one page holds.
_WIDE = "w" * 250_000


@pytest.fixture
def cut_operations(engine: Engine) -> Iterator[list[str]]:
    """The operations whose responses had a further page."""
    operations: list[str] = []

    def record(parsed: Any, model: Any, **_: Any) -> None:
        if "LastEvaluatedKey" in parsed:
            operations.append(model.name)

    engine.client.meta.events.register("after-call.dynamodb", record)
    yield operations
    engine.client.meta.events.unregister("after-call.dynamodb", record)


def test_captures_of_a_day_are_read_over_several_pages(
    engine: Engine, cipher: FieldCipher, cut_operations: list[str]
) -> None:
    stores = open_registration_stores(engine.client, engine.create_table("RegistrationsTable"), cipher)
    # With this many, at least one shard holds five, wherever each capture falls.
    capture_count = 4 * SHARD_COUNT + 1
    for number in range(capture_count):
        refused = make_capture(make_capture_metadata(number), Outcome.REFUSED, occupations=(_WIDE,))
        stores.intake.add_refusal(refused, is_on_campaign_day=True, expires_on=REFUSALS_EXPIRE_ON)

    count = sum(1 for _ in collect_capture_facts(stores.reading, FIRST_DAY))

    assert count == capture_count
    assert cut_operations, "every response had one page: the test proves nothing"


def test_campaigns_are_listed_over_several_pages(
    engine: Engine, cipher: FieldCipher, cut_operations: list[str]
) -> None:
    campaigns = DynamoCampaigns(
        engine.client, engine.create_table("CampaignsTable"), cipher, build_audit_write=None
    )
    fifty_managers = [
        {"name": f"{number:04d}" + "n" * 96, "email": None, "phone": None} for number in range(50)
    ]
    for number in range(160):
        campaigns.add(make_campaign(campaign_id=f"campaign-{number}", managers=fifty_managers))

    assert len({campaign.campaign_id for campaign in campaigns.iter_ending_since(FIRST_DAY.day)}) == 160
    assert cut_operations, "every response had one page: the test proves nothing"
