"""The office: opening and changing are safe to repeat, and what was asked for is remembered for a minute."""

from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from chalicelib.callers import EVERY_CAMPAIGN
from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.schemas import ChangeCampaign
from chalicelib.campaigns.service import CampaignService
from chalicelib.http.pagination import CursorInvalid, Position
from chalicelib.refusals import BrokenRule, RulesBroken, TryAgain
from tests.support.builders import NOW, make_caller
from tests.support.fakes import FixedClock, InMemoryCampaigns
from tests.support.registration_builders import make_campaign


def test_a_campaign_that_was_opened_is_found() -> None:
    office = CampaignService(campaigns=InMemoryCampaigns(), clock=FixedClock(NOW))
    assert office.open(make_campaign()) is True
    assert office.get("tanah-abang-2024") == make_campaign()


def test_opening_the_very_same_campaign_again_changes_nothing() -> None:
    office = CampaignService(campaigns=InMemoryCampaigns(make_campaign()), clock=FixedClock(NOW))
    assert office.open(make_campaign()) is False


def test_opening_another_campaign_under_the_same_id_is_refused() -> None:
    office = CampaignService(campaigns=InMemoryCampaigns(make_campaign()), clock=FixedClock(NOW))
    with pytest.raises(CampaignExists):
        office.open(make_campaign(target=501))
    assert office.get("tanah-abang-2024").target == 500


def test_an_unknown_campaign_is_asked_for_every_time() -> None:
    office = CampaignService(campaigns=InMemoryCampaigns(), clock=FixedClock(NOW))
    with pytest.raises(CampaignUnknown):
        office.get("tanah-abang-2024")
    office.open(make_campaign())
    assert office.get("tanah-abang-2024")


def test_a_campaign_is_looked_up_once_a_minute() -> None:
    campaigns, clock = InMemoryCampaigns(make_campaign()), FixedClock(NOW)
    office = CampaignService(campaigns=campaigns, clock=clock)

    asked = []
    for _ in range(4):
        office.get("tanah-abang-2024")
        asked.append(campaigns.lookup_count)
        clock.advance(timedelta(seconds=30))

    assert asked == [1, 1, 2, 2]


def test_campaigns_are_listed_from_a_last_day_on() -> None:
    later, ended = (
        make_campaign(campaign_id="later"),
        make_campaign(campaign_id="ended", last_day="2024-10-09"),
    )
    office = CampaignService(campaigns=InMemoryCampaigns(later, ended), clock=FixedClock(NOW))
    assert list(office.iter_ending_since(date(2024, 10, 10))) == [later]


def changed(campaign: Campaign, **changes: object) -> Campaign:
    office = CampaignService(campaigns=InMemoryCampaigns(campaign), clock=FixedClock(NOW))
    return office.change(campaign.campaign_id, ChangeCampaign.model_validate(changes).changes)


def test_a_change_leaves_what_it_does_not_name() -> None:
    assert changed(make_campaign(), target=600, name=None) == make_campaign(target=600)


@pytest.mark.parametrize("field", sorted(ChangeCampaign.model_fields))
def test_every_field_that_may_change_can_be_changed(field: str) -> None:
    another = make_campaign(
        name="n",
        branch="b",
        place="p",
        last_day="2024-10-11",
        accepts_until="2030-12-30",
        summary_hour=0,
        target=0,
        managers=[],
        sms_budget=0,
    )
    found = changed(make_campaign(), **{field: getattr(another, field)})
    assert found == make_campaign().model_copy(update={field: getattr(another, field)})
    assert found != make_campaign()


def test_what_says_which_day_a_capture_belongs_to_never_changes() -> None:
    fixed = set(Campaign.model_fields) - set(ChangeCampaign.model_fields)
    assert fixed == {"campaign_id", "zone", "first_day"}


def test_the_last_day_may_move_later_and_never_earlier() -> None:
    assert changed(make_campaign(), last_day="2024-10-12").has_day(date(2024, 10, 12))
    with pytest.raises(RulesBroken) as refused:
        changed(make_campaign(), last_day="2024-10-09")
    assert refused.value.broken_rules == (BrokenRule("last_day", "last_day_earlier"),)


@pytest.mark.parametrize(
    "changes", [{"accepts_until": "2024-10-09"}, {"last_day": "2031-01-01"}, {"last_day": "2024-10-08"}]
)
def test_the_days_stay_in_order(changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="not in order"):
        changed(make_campaign(), **changes)


def test_a_campaign_still_lasts_no_longer_than_a_year() -> None:
    with pytest.raises(ValidationError, match="a year at most"):
        changed(make_campaign(), last_day="2025-10-10")


def test_a_campaign_that_was_changed_is_known_as_it_is_now() -> None:
    office = CampaignService(campaigns=InMemoryCampaigns(make_campaign()), clock=FixedClock(NOW))
    office.get("tanah-abang-2024")
    office.change("tanah-abang-2024", {"target": 1})
    assert office.get("tanah-abang-2024").target == 1


def test_the_current_campaign_is_not_a_remembered_one() -> None:
    campaigns = InMemoryCampaigns(make_campaign())
    office = CampaignService(campaigns=campaigns, clock=FixedClock(NOW))
    office.get("tanah-abang-2024")
    campaigns.replace(make_campaign(target=1), previous=make_campaign())
    assert office.get("tanah-abang-2024").target == 500
    assert office.get_current("tanah-abang-2024").target == 1
    assert office.get("tanah-abang-2024").target == 1


class Contested(InMemoryCampaigns):
    """Somebody else changes the campaign between its being read and stored, a number of times."""

    def __init__(self, campaign: Campaign, *, by_others: list[dict[str, object]]) -> None:
        super().__init__(campaign)
        self._by_others = by_others

    def replace(self, campaign: Campaign, *, previous: Campaign) -> None:
        if self._by_others:
            super().replace(previous.with_changes(self._by_others.pop(0)), previous=previous)
        super().replace(campaign, previous=previous)


def test_of_two_changes_at_once_each_keeps_what_it_alone_names() -> None:
    campaigns = Contested(make_campaign(), by_others=[{"name": "Aktivasi", "sms_budget": 1}])
    office = CampaignService(campaigns=campaigns, clock=FixedClock(NOW))
    office.change("tanah-abang-2024", {"target": 1, "sms_budget": 2})
    found = campaigns.get("tanah-abang-2024")
    assert (found.name, found.target, found.sms_budget) == ("Aktivasi", 1, 2)


def test_days_that_another_change_has_moved_are_read_again() -> None:
    another = {"last_day": date(2024, 10, 20)}
    campaigns = Contested(make_campaign(), by_others=[another])
    office = CampaignService(campaigns=campaigns, clock=FixedClock(NOW))
    with pytest.raises(RulesBroken):
        office.change("tanah-abang-2024", {"last_day": date(2024, 10, 15)})
    assert campaigns.get("tanah-abang-2024").last_day == date(2024, 10, 20)


def test_a_change_that_others_are_always_in_the_way_of_is_put_off() -> None:
    moved: list[dict[str, object]] = [{"last_day": date(2024, 10, 11 + day)} for day in range(9)]
    office = CampaignService(campaigns=Contested(make_campaign(), by_others=moved), clock=FixedClock(NOW))
    with pytest.raises(TryAgain):
        office.change("tanah-abang-2024", {"target": 1})


def listed(office: CampaignService, *, campaigns: frozenset[str], size: int) -> list[list[str]]:
    """The ids on each page, page by page."""
    pages: list[list[str]] = []
    after: Position | None = None
    while True:
        page = office.list_for_caller(
            caller=make_caller(campaigns=campaigns), start_after=after, page_size=size
        )
        pages.append([each.campaign_id for each in page.rows])
        after = page.next_position
        if after is None:
            return pages


SEVERAL = [
    make_campaign(campaign_id=f"campaign-{name}", last_day=day)
    for name, day in [("d", "2024-10-12"), ("b", "2024-10-11"), ("a", "2024-10-12"), ("c", "2024-10-11")]
]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_pages_hold_every_campaign_once_by_last_day_and_id(size: int) -> None:
    office = CampaignService(campaigns=InMemoryCampaigns(*SEVERAL), clock=FixedClock(NOW))
    pages = listed(office, campaigns=frozenset({EVERY_CAMPAIGN}), size=size)
    assert [each for page in pages for each in page] == [f"campaign-{name}" for name in "bcad"]
    assert all(len(page) == size for page in pages[:-1])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_who_works_for_some_campaigns_is_given_full_pages_of_those(size: int) -> None:
    office = CampaignService(campaigns=InMemoryCampaigns(*SEVERAL), clock=FixedClock(NOW))
    pages = listed(office, campaigns=frozenset({"campaign-d", "campaign-c", "not-opened-yet"}), size=size)
    assert [each for page in pages for each in page] == ["campaign-c", "campaign-d"]
    assert all(len(page) == size for page in pages[:-1])


@pytest.mark.parametrize("position", ["", "2024-10-09", "2024-13-09 a", "2024-10-09#van-1", "x"])
def test_a_position_that_no_page_ended_at_is_refused(position: str) -> None:
    office = CampaignService(campaigns=InMemoryCampaigns(), clock=FixedClock(NOW))
    with pytest.raises(CursorInvalid):
        office.list_for_caller(caller=make_caller(), start_after=Position(position), page_size=1)
