"""The office: opening is safe to repeat, and what was just asked for is remembered for a minute."""

from datetime import date, timedelta

import pytest

from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.service import CampaignOffice
from tests.builders import NOW
from tests.contracts.stored import the_campaign
from tests.fakes import FixedClock, KnownCampaigns


def test_a_campaign_that_was_opened_is_found() -> None:
    office = CampaignOffice(campaigns=KnownCampaigns(), clock=FixedClock(NOW))
    assert office.open(the_campaign()) is True
    assert office.get("tanah-abang-2024") == the_campaign()


def test_opening_the_very_same_campaign_again_changes_nothing() -> None:
    office = CampaignOffice(campaigns=KnownCampaigns(the_campaign()), clock=FixedClock(NOW))
    assert office.open(the_campaign()) is False


def test_opening_another_campaign_under_the_same_id_is_refused() -> None:
    office = CampaignOffice(campaigns=KnownCampaigns(the_campaign()), clock=FixedClock(NOW))
    with pytest.raises(CampaignExists):
        office.open(the_campaign(target=501))
    assert office.get("tanah-abang-2024").target == 500


def test_an_unknown_campaign_is_asked_for_every_time() -> None:
    office = CampaignOffice(campaigns=KnownCampaigns(), clock=FixedClock(NOW))
    with pytest.raises(CampaignUnknown):
        office.get("tanah-abang-2024")
    office.open(the_campaign())
    assert office.get("tanah-abang-2024")


def test_a_campaign_is_looked_up_once_a_minute() -> None:
    campaigns, clock = KnownCampaigns(the_campaign()), FixedClock(NOW)
    office = CampaignOffice(campaigns=campaigns, clock=clock)

    asked = []
    for _ in range(4):
        office.get("tanah-abang-2024")
        asked.append(campaigns.asked)
        clock.forward(timedelta(seconds=30))

    assert asked == [1, 1, 2, 2]


def test_campaigns_are_listed_from_a_last_day_on() -> None:
    later, ended = the_campaign(campaign_id="later"), the_campaign(campaign_id="ended", last_day="2024-10-09")
    office = CampaignOffice(campaigns=KnownCampaigns(later, ended), clock=FixedClock(NOW))
    assert list(office.ending_since(date(2024, 10, 10))) == [later]
