"""The store of campaigns, on each engine."""

from typing import Any

import pytest

from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.service import CampaignWriteConflict
from chalicelib.campaigns.store import DynamoCampaigns
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.refusals import RecordUnreadable
from tests.contracts.conftest import Engine
from tests.support.registration_builders import FIRST_DAY, make_campaign


@pytest.fixture
def table_name(engine: Engine) -> str:
    return engine.create_table("CampaignsTable")


@pytest.fixture
def campaigns(engine: Engine, table_name: str, cipher: FieldCipher) -> DynamoCampaigns:
    return DynamoCampaigns(engine.client, table_name, cipher, build_audit_write=None)


def test_a_campaign_comes_back_as_it_was_added(campaigns: DynamoCampaigns) -> None:
    campaigns.add(make_campaign())

    assert campaigns.get("tanah-abang-2024") == make_campaign()


def test_a_campaign_without_managers_comes_back_without_them(campaigns: DynamoCampaigns) -> None:
    campaigns.add(make_campaign(managers=[]))

    assert campaigns.get("tanah-abang-2024").managers == ()


def test_an_unknown_campaign_is_reported(campaigns: DynamoCampaigns) -> None:
    with pytest.raises(CampaignUnknown):
        campaigns.get("tanah-abang-2024")


def test_an_id_longer_than_any_key_is_unknown(campaigns: DynamoCampaigns) -> None:
    with pytest.raises(CampaignUnknown):
        campaigns.get("a" * 3000)


def test_a_second_campaign_with_the_same_id_leaves_the_first_as_it_was(campaigns: DynamoCampaigns) -> None:
    campaigns.add(make_campaign())

    with pytest.raises(CampaignExists):
        campaigns.add(make_campaign(target=1))

    assert campaigns.get("tanah-abang-2024").target == 500


def test_campaigns_are_listed_by_last_day(campaigns: DynamoCampaigns) -> None:
    for campaign_id, last_day in (("later", "2024-10-12"), ("ended", "2024-10-08"), ("now", "2024-10-09")):
        campaigns.add(make_campaign(campaign_id=campaign_id, first_day="2024-10-01", last_day=last_day))

    listed_ids = [campaign.campaign_id for campaign in campaigns.iter_ending_since(FIRST_DAY.day)]

    assert listed_ids == ["now", "later"]


def test_a_listed_campaign_is_complete(campaigns: DynamoCampaigns) -> None:
    campaigns.add(make_campaign())

    assert list(campaigns.iter_ending_since(FIRST_DAY.day)) == [make_campaign()]


def test_managers_copied_to_another_campaign_cannot_be_unsealed(
    engine: Engine, table_name: str, campaigns: DynamoCampaigns
) -> None:
    campaigns.add(make_campaign())
    campaigns.add(make_campaign(campaign_id="another", managers=[]))
    items = {item["campaign_id"]["S"]: item for item in engine.scan_items()}

    forged = {**items["another"], "managers": items["tanah-abang-2024"]["managers"]}
    engine.client.put_item(TableName=table_name, Item=forged)

    with pytest.raises(RecordUnreadable):
        campaigns.get("another")


def test_a_change_stores_only_the_fields_that_differ(campaigns: DynamoCampaigns) -> None:
    campaigns.add(make_campaign())
    previous = campaigns.get("tanah-abang-2024")
    # A concurrent change of another field.
    campaigns.replace(make_campaign(name="Aktivasi"), previous=previous)

    campaigns.replace(make_campaign(target=1, managers=[]), previous=previous)

    assert campaigns.get("tanah-abang-2024") == make_campaign(name="Aktivasi", target=1, managers=[])


def test_changed_managers_are_sealed(engine: Engine, campaigns: DynamoCampaigns) -> None:
    campaigns.add(make_campaign(managers=[]))
    managers = [{"name": "Kepala Baru", "email": "baru@cabang.example", "phone": None}]

    campaigns.replace(make_campaign(managers=managers), previous=make_campaign(managers=[]))

    assert campaigns.get("tanah-abang-2024").managers[0].name == "Kepala Baru"
    assert "Kepala Baru" not in str(engine.scan_items())


@pytest.mark.parametrize("new_days", [{"last_day": "2024-10-11"}, {"accepts_until": "2029-12-31"}])
def test_a_change_conflicts_with_days_that_changed_meanwhile(
    campaigns: DynamoCampaigns, new_days: dict[str, Any]
) -> None:
    campaigns.add(make_campaign())
    campaigns.replace(make_campaign(**new_days), previous=make_campaign())

    with pytest.raises(CampaignWriteConflict):
        campaigns.replace(make_campaign(target=1), previous=make_campaign())

    assert campaigns.get("tanah-abang-2024") == make_campaign(**new_days)


SPONSORS = [{"sponsor_id": "pt-a", "name": "PT A", "quota": 7}, {"sponsor_id": "pt-b", "name": "PT B"}]


def test_sponsors_come_back_as_they_were_added_or_changed(campaigns: DynamoCampaigns) -> None:
    campaigns.add(make_campaign(sponsors=SPONSORS[:1]))
    assert campaigns.get("tanah-abang-2024") == make_campaign(sponsors=SPONSORS[:1])

    campaigns.replace(make_campaign(sponsors=SPONSORS), previous=campaigns.get("tanah-abang-2024"))

    assert campaigns.get("tanah-abang-2024") == make_campaign(sponsors=SPONSORS)


def test_a_change_of_sponsors_conflicts_with_sponsors_that_changed_meanwhile(
    campaigns: DynamoCampaigns,
) -> None:
    campaigns.add(make_campaign())
    campaigns.replace(make_campaign(sponsors=SPONSORS[:1]), previous=make_campaign())

    with pytest.raises(CampaignWriteConflict):
        campaigns.replace(make_campaign(sponsors=SPONSORS[1:]), previous=make_campaign())
    campaigns.replace(make_campaign(target=1), previous=make_campaign())

    assert campaigns.get("tanah-abang-2024") == make_campaign(target=1, sponsors=SPONSORS[:1])


def test_a_campaign_of_an_earlier_release_has_no_sponsors_and_can_get_some(
    engine: Engine, table_name: str, campaigns: DynamoCampaigns
) -> None:
    campaigns.add(make_campaign())
    (item,) = engine.scan_items()
    engine.client.put_item(
        TableName=table_name, Item={name: value for name, value in item.items() if name != "sponsors"}
    )
    assert campaigns.get("tanah-abang-2024") == make_campaign()

    campaigns.replace(make_campaign(sponsors=SPONSORS), previous=make_campaign())

    assert campaigns.get("tanah-abang-2024") == make_campaign(sponsors=SPONSORS)


def test_an_unknown_campaign_cannot_be_changed(engine: Engine, campaigns: DynamoCampaigns) -> None:
    with pytest.raises(CampaignWriteConflict):
        campaigns.replace(make_campaign(target=1), previous=make_campaign())

    assert engine.scan_items() == []


def test_an_extended_campaign_is_listed_by_its_new_last_day(campaigns: DynamoCampaigns) -> None:
    campaigns.add(make_campaign())
    campaigns.add(make_campaign(campaign_id="another", last_day="2024-10-11"))

    campaigns.replace(make_campaign(last_day="2024-10-12"), previous=make_campaign())

    listed_ids = [campaign.campaign_id for campaign in campaigns.iter_ending_since(FIRST_DAY.day)]
    assert listed_ids == ["another", "tanah-abang-2024"]
