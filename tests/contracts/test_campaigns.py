"""What any store of campaigns promises."""

import pytest

from chalicelib.campaigns.dynamodb import DynamoCampaigns
from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.privacy.encryption import CannotUnseal, FieldCipher
from tests.contracts.conftest import Engine
from tests.contracts.stored import FIRST_DAY, the_campaign


@pytest.fixture
def table(engine: Engine) -> str:
    return engine.table("CampaignsTable")


@pytest.fixture
def campaigns(engine: Engine, table: str, cipher: FieldCipher) -> DynamoCampaigns:
    return DynamoCampaigns(engine.client, table, cipher)


def test_a_campaign_comes_back_as_it_was_added(campaigns):
    campaigns.add(the_campaign())

    assert campaigns.get("tanah-abang-2024") == the_campaign()


def test_a_campaign_without_managers_comes_back_without_them(campaigns):
    campaigns.add(the_campaign(managers=[]))

    assert campaigns.get("tanah-abang-2024").managers == ()


def test_a_campaign_never_opened_is_unknown(campaigns):
    with pytest.raises(CampaignUnknown):
        campaigns.get("tanah-abang-2024")


def test_an_id_longer_than_any_key_is_unknown(campaigns):
    with pytest.raises(CampaignUnknown):
        campaigns.get("a" * 3000)


def test_a_second_campaign_with_the_same_id_leaves_the_first_as_it_was(campaigns):
    campaigns.add(the_campaign())

    with pytest.raises(CampaignExists):
        campaigns.add(the_campaign(target=1))

    assert campaigns.get("tanah-abang-2024").target == 500


def test_campaigns_are_listed_by_last_day_from_a_day_on(campaigns):
    for campaign_id, last_day in (("later", "2024-10-12"), ("ended", "2024-10-08"), ("now", "2024-10-09")):
        campaigns.add(the_campaign(campaign_id=campaign_id, first_day="2024-10-01", last_day=last_day))

    listed = [campaign.campaign_id for campaign in campaigns.ending_since(FIRST_DAY.day)]

    assert listed == ["now", "later"]


def test_a_listed_campaign_is_whole(campaigns):
    campaigns.add(the_campaign())

    assert list(campaigns.ending_since(FIRST_DAY.day)) == [the_campaign()]


def test_managers_copied_into_another_campaign_cannot_be_read_there(engine, table, campaigns):
    campaigns.add(the_campaign())
    campaigns.add(the_campaign(campaign_id="another", managers=[]))
    items = {item["campaign_id"]["S"]: item for item in engine.raw_items()}

    forged = {**items["another"], "managers": items["tanah-abang-2024"]["managers"]}
    engine.client.put_item(TableName=table, Item=forged)

    with pytest.raises(CannotUnseal):
        campaigns.get("another")
