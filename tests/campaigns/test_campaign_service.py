"""Campaigns are opened and changed, safely repeatable, and cached for a minute."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from pydantic import ValidationError

from chalicelib.audit.model import AuditRecord
from chalicelib.callers import EVERY_CAMPAIGN
from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.schemas import ChangeCampaign
from chalicelib.campaigns.service import CampaignService
from chalicelib.http.pagination import CursorInvalid, Position
from chalicelib.refusals import BrokenRule, RulesBroken, TryAgain
from tests.support.builders import NOW, make_caller
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.clock import FixedClock
from tests.support.fakes.summaries import make_due_list
from tests.support.registration_builders import make_campaign


def make_service(*campaigns: Campaign) -> CampaignService:
    return CampaignService(
        campaigns=InMemoryCampaigns(*campaigns), get_due_list=make_due_list, clock=FixedClock(NOW)
    )


def test_an_open_campaign_can_be_read() -> None:
    service = make_service()
    assert service.open(make_campaign()) is True
    assert service.get("tanah-abang-2024") == make_campaign()


def test_opening_the_same_campaign_again_changes_nothing() -> None:
    service = make_service(make_campaign())
    assert service.open(make_campaign()) is False


def test_opening_and_changing_a_campaign_has_it_looked_at_even_when_the_call_is_repeated() -> None:
    due_list = make_due_list()
    service = CampaignService(
        campaigns=InMemoryCampaigns(), get_due_list=lambda: due_list, clock=FixedClock(NOW)
    )

    def was_requested(request: Callable[[], object]) -> bool:
        """Return whether a call makes the campaign due, which was to be looked at tomorrow."""
        due_list.add_campaign("tanah-abang-2024", NOW + timedelta(days=1))
        request()
        return [each.due_at for each in due_list.iter_due(NOW)] == [NOW]

    for _ in range(2):
        assert was_requested(lambda: service.open(make_campaign()))
    for _ in range(2):
        assert was_requested(lambda: service.change("tanah-abang-2024", {"summary_hour": 12}))
    assert not was_requested(lambda: service.get("tanah-abang-2024"))


def test_opening_another_campaign_under_the_same_id_is_refused() -> None:
    service = make_service(make_campaign())
    with pytest.raises(CampaignExists):
        service.open(make_campaign(target=501))
    assert service.get("tanah-abang-2024").target == 500


def test_an_unknown_campaign_is_not_cached() -> None:
    service = make_service()
    with pytest.raises(CampaignUnknown):
        service.get("tanah-abang-2024")
    service.open(make_campaign())
    assert service.get("tanah-abang-2024")


def test_a_campaign_is_looked_up_once_a_minute() -> None:
    campaigns, clock = InMemoryCampaigns(make_campaign()), FixedClock(NOW)
    service = CampaignService(campaigns=campaigns, get_due_list=make_due_list, clock=clock)

    lookup_counts = []
    for _ in range(4):
        service.get("tanah-abang-2024")
        lookup_counts.append(campaigns.lookup_count)
        clock.advance(timedelta(seconds=30))

    assert lookup_counts == [1, 1, 2, 2]


def change(campaign: Campaign, **changes: object) -> Campaign:
    service = make_service(campaign)
    return service.change(campaign.campaign_id, ChangeCampaign.model_validate(changes).changes)


def test_a_change_leaves_what_it_does_not_name() -> None:
    assert change(make_campaign(), target=600, name=None) == make_campaign(target=600)


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
        sponsors=[{"sponsor_id": "pt-contoh", "name": "PT Contoh"}],
    )
    campaign = change(make_campaign(), **{field: getattr(another, field)})
    assert campaign == make_campaign().model_copy(update={field: getattr(another, field)})
    assert campaign != make_campaign()


def test_fields_that_decide_the_day_of_a_capture_never_change() -> None:
    fixed = set(Campaign.model_fields) - set(ChangeCampaign.model_fields)
    assert fixed == {"campaign_id", "zone", "first_day"}


def test_the_last_day_may_move_later_and_never_earlier() -> None:
    assert change(make_campaign(), last_day="2024-10-12").has_day(date(2024, 10, 12))
    with pytest.raises(RulesBroken) as error_info:
        change(make_campaign(), last_day="2024-10-09")
    assert error_info.value.broken_rules == (BrokenRule("last_day", "last_day_earlier"),)


# The 11th of October begins after 36 hours in Jakarta, and two hours earlier in Jayapura.
@pytest.mark.parametrize(
    ("was", "accepts_until", "zone", "hours", "is_taken"),
    [
        ("2030-12-31", "2024-10-11", "Asia/Jakarta", 48, True),
        ("2030-12-31", "2024-10-10", "Asia/Jakarta", 48, False),
        ("2030-12-31", "2024-10-10", "Asia/Jakarta", 35.99, True),
        ("2030-12-31", "2024-10-10", "Asia/Jayapura", 35.99, False),
        ("2024-10-10", "2024-10-10", "Asia/Jakarta", 480, True),
        ("2024-10-12", "2024-10-11", "Asia/Jakarta", 480, False),
        ("2024-10-12", "2024-10-20", "Asia/Jakarta", 480, True),
    ],
    ids=["today", "yesterday", "last minute", "another zone", "as it is", "over already", "later"],
)
def test_acceptance_cannot_end_on_a_day_that_is_over(
    was: str, accepts_until: str, zone: str, hours: float, is_taken: bool
) -> None:
    campaign = make_campaign(accepts_until=was, zone=zone)
    now = NOW + timedelta(hours=hours)
    service = CampaignService(
        campaigns=InMemoryCampaigns(campaign), get_due_list=make_due_list, clock=FixedClock(now)
    )
    changes = ChangeCampaign(accepts_until=date.fromisoformat(accepts_until)).changes
    if is_taken:
        assert service.change(campaign.campaign_id, changes).accepts_until.isoformat() == accepts_until
        return
    with pytest.raises(RulesBroken) as refused:
        service.change(campaign.campaign_id, changes)
    assert refused.value.broken_rules == (BrokenRule("accepts_until", "accepts_until_over"),)
    assert service.get_current(campaign.campaign_id) == campaign


@pytest.mark.parametrize(
    "changes", [{"accepts_until": "2024-10-09"}, {"last_day": "2031-01-01"}, {"last_day": "2024-10-08"}]
)
def test_the_days_stay_in_order(changes: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="not in order"):
        change(make_campaign(), **changes)


def test_a_change_cannot_make_a_campaign_longer_than_a_year() -> None:
    with pytest.raises(ValidationError, match="a year at most"):
        change(make_campaign(), last_day="2025-10-10")


def test_a_change_updates_the_cache() -> None:
    service = make_service(make_campaign())
    service.get("tanah-abang-2024")
    service.change("tanah-abang-2024", {"target": 1})
    assert service.get("tanah-abang-2024").target == 1


def test_the_current_campaign_is_read_from_the_store_and_cached() -> None:
    campaigns = InMemoryCampaigns(make_campaign())
    service = CampaignService(campaigns=campaigns, get_due_list=make_due_list, clock=FixedClock(NOW))
    service.get("tanah-abang-2024")
    campaigns.replace(make_campaign(target=1), previous=make_campaign())
    assert service.get("tanah-abang-2024").target == 500
    assert service.get_current("tanah-abang-2024").target == 1
    assert service.get("tanah-abang-2024").target == 1


def make_sponsors(*sponsor_ids: str, **fields: object) -> list[dict[str, object]]:
    return [{"sponsor_id": each, "name": f"Sponsor {each}", **fields} for each in sponsor_ids]


def test_a_sponsor_can_be_added_renamed_and_closed_but_not_removed() -> None:
    campaign = make_campaign(sponsors=make_sponsors("pt-satu"))
    extended = change(campaign, sponsors=make_sponsors("pt-satu", "pt-dua", name="Yayasan", quota=0))
    assert [(each.sponsor_id, each.name, each.quota) for each in extended.sponsors] == [
        ("pt-dua", "Yayasan", 0),
        ("pt-satu", "Yayasan", 0),
    ]
    for left in ([], make_sponsors("pt-dua")):
        with pytest.raises(RulesBroken) as refused:
            change(campaign, sponsors=left)
        assert refused.value.broken_rules == (BrokenRule("sponsors", "sponsor_removed"),)


def test_the_same_sponsors_in_another_order_change_nothing() -> None:
    service = make_service()
    service.open(make_campaign(sponsors=make_sponsors("pt-satu", "pt-dua")))
    assert service.open(make_campaign(sponsors=make_sponsors("pt-dua", "pt-satu"))) is False


def test_of_two_sponsors_added_at_once_neither_is_lost() -> None:
    both = make_campaign(sponsors=make_sponsors("pt-satu")).sponsors
    campaigns = ContestedCampaigns(make_campaign(), concurrent_changes=[{"sponsors": both}])
    service = CampaignService(campaigns=campaigns, get_due_list=make_due_list, clock=FixedClock(NOW))
    with pytest.raises(RulesBroken):
        service.change(
            "tanah-abang-2024", {"sponsors": make_campaign(sponsors=make_sponsors("x-y")).sponsors}
        )
    assert campaigns.get("tanah-abang-2024").sponsors == both


class ContestedCampaigns(InMemoryCampaigns):
    """Applies one of its concurrent changes between the read and the write of a campaign."""

    def __init__(self, campaign: Campaign, *, concurrent_changes: list[dict[str, object]]) -> None:
        super().__init__(campaign)
        self._concurrent_changes = concurrent_changes

    def replace(self, campaign: Campaign, *, previous: Campaign, record: AuditRecord | None = None) -> None:
        if self._concurrent_changes:
            super().replace(previous.with_changes(self._concurrent_changes.pop(0)), previous=previous)
        super().replace(campaign, previous=previous, record=record)


def test_of_two_concurrent_changes_each_keeps_the_fields_it_alone_names() -> None:
    campaigns = ContestedCampaigns(
        make_campaign(), concurrent_changes=[{"name": "Aktivasi", "sms_budget": 1}]
    )
    service = CampaignService(campaigns=campaigns, get_due_list=make_due_list, clock=FixedClock(NOW))
    service.change("tanah-abang-2024", {"target": 1, "sms_budget": 2})
    campaign = campaigns.get("tanah-abang-2024")
    assert (campaign.name, campaign.target, campaign.sms_budget) == ("Aktivasi", 1, 2)


def test_a_change_is_checked_against_days_that_moved_meanwhile() -> None:
    another: dict[str, object] = {"last_day": date(2024, 10, 20)}
    campaigns = ContestedCampaigns(make_campaign(), concurrent_changes=[another])
    service = CampaignService(campaigns=campaigns, get_due_list=make_due_list, clock=FixedClock(NOW))
    with pytest.raises(RulesBroken):
        service.change("tanah-abang-2024", {"last_day": date(2024, 10, 15)})
    assert campaigns.get("tanah-abang-2024").last_day == date(2024, 10, 20)


def test_a_change_with_endless_conflicts_is_to_be_tried_again() -> None:
    moved: list[dict[str, object]] = [{"last_day": date(2024, 10, 11 + day)} for day in range(9)]
    service = CampaignService(
        campaigns=ContestedCampaigns(make_campaign(), concurrent_changes=moved),
        get_due_list=make_due_list,
        clock=FixedClock(NOW),
    )
    with pytest.raises(TryAgain):
        service.change("tanah-abang-2024", {"target": 1})


def list_pages(service: CampaignService, *, campaigns: frozenset[str], size: int) -> list[list[str]]:
    """The ids on each page, page by page."""
    pages: list[list[str]] = []
    after: Position | None = None
    while True:
        page = service.list_for_caller(
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
    service = make_service(*SEVERAL)
    pages = list_pages(service, campaigns=frozenset({EVERY_CAMPAIGN}), size=size)
    assert [each for page in pages for each in page] == [f"campaign-{name}" for name in "bcad"]
    assert all(len(page) == size for page in pages[:-1])


@pytest.mark.parametrize("size", [1, 2, 3])
def test_a_caller_with_some_campaigns_gets_full_pages_of_those(size: int) -> None:
    service = make_service(*SEVERAL)
    pages = list_pages(
        service, campaigns=frozenset({"campaign-d", "campaign-c", "not-opened-yet"}), size=size
    )
    assert [each for page in pages for each in page] == ["campaign-c", "campaign-d"]
    assert all(len(page) == size for page in pages[:-1])


@pytest.mark.parametrize("position", ["", "2024-10-09", "2024-13-09 a", "2024-10-09#van-1", "x"])
def test_a_position_that_no_page_ended_at_is_refused(position: str) -> None:
    service = make_service()
    with pytest.raises(CursorInvalid):
        service.list_for_caller(caller=make_caller(), start_after=Position(position), page_size=1)


UNUSABLE_TEXTS = [(" \u200b", "text_blank"), ("\u3164", "text_blank"), ("a\x00b", "text_characters")]


@pytest.mark.parametrize(("text", "code"), UNUSABLE_TEXTS, ids=ascii)
def test_blank_texts_and_control_characters_of_a_campaign_are_refused(text: str, code: str) -> None:
    texts = {"name": text, "branch": text, "place": text, "managers": [{"name": text}]}
    texts["sponsors"] = [{"sponsor_id": "pt-contoh", "name": text}]
    fields = ("branch", "managers.0.name", "name", "place", "sponsors.0.name")
    expected = [BrokenRule(field, code) for field in fields]
    service = make_service()
    with pytest.raises(RulesBroken) as opened:
        service.open(make_campaign(**texts))
    assert list(opened.value.broken_rules) == expected

    service.open(make_campaign())
    changes = ChangeCampaign.model_validate(texts).changes
    with pytest.raises(RulesBroken) as changed:
        service.change("tanah-abang-2024", changes)
    assert list(changed.value.broken_rules) == expected


def test_the_texts_of_a_campaign_are_cleaned() -> None:
    typed = {
        "name": "\ufeffPasar\u200b Kita ",
        "managers": [{"name": " Bu Contoh\n", "email": " a@b.example ", "phone": "\u202a08123\u202c"}],
        "sponsors": [{"sponsor_id": "pt-contoh", "name": " PT\u200b Contoh "}],
    }
    service = make_service()
    service.open(make_campaign(**typed))
    opened = service.get("tanah-abang-2024")
    assert (opened.name, opened.sponsors[0].name) == ("Pasar Kita", "PT Contoh")
    manager = opened.managers[0]
    assert (manager.name, manager.email, manager.phone) == ("Bu Contoh", "a@b.example", "08123")
    assert service.change("tanah-abang-2024", ChangeCampaign.model_validate(typed).changes) == opened
    assert service.open(make_campaign(**typed)) is False


def test_a_campaign_of_an_earlier_release_is_read_and_changed_as_it_was_stored() -> None:
    stored = make_campaign(name=" Pasar\nKita ")
    service = make_service(stored)
    assert service.get("tanah-abang-2024").name == " Pasar\nKita "
    assert service.change("tanah-abang-2024", {"target": 7}).name == " Pasar\nKita "


def test_a_campaign_of_an_earlier_release_can_be_opened_again() -> None:
    stored = make_campaign(name=" Pasar Kita ")
    assert make_service(stored).open(stored) is False


@pytest.mark.parametrize("phone", ["812345678.0", "8.12E+09"])
def test_the_phone_of_a_manager_is_no_decimal(phone: str) -> None:
    with pytest.raises(RulesBroken) as refused:
        make_service().open(make_campaign(managers=[{"name": "Bu Contoh", "phone": phone}]))
    assert refused.value.broken_rules == (BrokenRule("managers.0.phone", "number_from_spreadsheet"),)
