"""Roles, campaigns, enrolments and the validity of tokens."""

from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.callers import Channel, Role
from chalicelib.clients.schemas import ClientView, EnrolClient
from chalicelib.refusals import CampaignNotAllowed, NotAllowed
from tests.support.builders import NOW, make_caller
from tests.support.registration_builders import make_client


def test_one_of_the_roles_is_enough() -> None:
    make_caller(Role.KIOSK, Role.MANAGER).require_any_role(frozenset({Role.MANAGER, Role.CORE}))


@pytest.mark.parametrize("role", Role)
def test_no_role_includes_another(role: Role) -> None:
    others = frozenset(Role) - {role}
    with pytest.raises(NotAllowed):
        make_caller(role).require_any_role(others)


def test_a_caller_may_access_the_campaigns_it_is_bound_to() -> None:
    caller = make_caller(campaigns=frozenset({"senen-2024"}))
    caller.require_campaign("senen-2024")
    for campaign_id in ("senen", "senen-2025", "", "*"):
        with pytest.raises(CampaignNotAllowed):
            caller.require_campaign(campaign_id)


def test_a_caller_may_be_bound_to_every_campaign_or_to_none() -> None:
    assert make_caller(campaigns=frozenset({"*"})).may_access_campaign("anything")
    assert not make_caller(campaigns=frozenset()).may_access_campaign("anything")


def test_a_token_is_valid_until_it_expires() -> None:
    client = make_client(expires_at=NOW)
    assert not client.is_revoked(NOW - timedelta(microseconds=1))
    assert client.is_revoked(NOW)


def test_a_revoked_token_is_invalid_before_its_expiry() -> None:
    assert make_client(expires_at=NOW + timedelta(days=1)).revoke(NOW).is_revoked(NOW)


def test_a_token_without_an_expiry_is_valid_until_it_is_revoked() -> None:
    assert not make_client().is_revoked(NOW + timedelta(days=36500))


def make_enrolment(**changes: Any) -> EnrolClient:
    enrolment = {"client_id": "van-1", "roles": ["kiosk"], "campaigns": ["tanah-abang-2024"], **changes}
    return EnrolClient.model_validate(enrolment)


def find_errors(**changes: Any) -> list[tuple[int | str, str]]:
    """The field and the type of each error of an enrolment."""
    with pytest.raises(ValidationError) as error_info:
        make_enrolment(**changes)
    return [(error["loc"][0], error["type"]) for error in error_info.value.errors()]


@pytest.mark.parametrize(
    ("roles", "channel"),
    [
        (["kiosk"], Channel.KIOSK),
        (["bot"], Channel.BOT),
        (["manager"], Channel.OFFICE),
        (["core"], Channel.OFFICE),
        (["manager", "kiosk"], Channel.OFFICE),
        (["viewer"], Channel.OFFICE),
    ],
)
def test_the_channel_follows_from_the_roles(roles: list[str], channel: Channel) -> None:
    assert make_enrolment(roles=roles).effective_channel is channel


def test_a_given_channel_is_kept() -> None:
    assert make_enrolment(channel="van").effective_channel is Channel.VAN


@pytest.mark.parametrize("channel", Channel)
def test_a_kiosk_and_a_bot_share_no_channel(channel: Channel) -> None:
    is_public = channel not in {Channel.KIOSK, Channel.VAN, Channel.AGENT, Channel.OFFICE}
    for roles, is_allowed in (
        (["kiosk"], not is_public),
        (["manager", "kiosk"], not is_public),
        (["bot"], is_public),
        (["manager", "admin"], True),
        (["core"], True),
    ):
        if is_allowed:
            assert make_enrolment(roles=roles, channel=channel).effective_channel is channel
        else:
            assert find_errors(roles=roles, channel=channel) == [("channel", "role_channel_conflict")]


@pytest.mark.parametrize("channel", [None, "kiosk", "bot"])
def test_no_client_is_both_a_kiosk_and_a_bot(channel: str | None) -> None:
    assert find_errors(roles=["kiosk", "bot"], channel=channel) == [("roles", "role_channel_conflict")]


SETS_OF_ROLES = [
    frozenset(roles) for number in range(1, len(Role) + 1) for roles in combinations(Role, number)
]


@pytest.mark.parametrize("roles", SETS_OF_ROLES, ids=lambda roles: "+".join(sorted(roles)))
def test_only_the_roles_of_one_person_go_together(roles: frozenset[Role]) -> None:
    if len(roles) == 1 or roles in ({Role.KIOSK, Role.MANAGER}, {Role.MANAGER, Role.ADMIN}):
        assert frozenset(make_enrolment(roles=list(roles)).roles) == roles
    else:
        code = "role_channel_conflict" if roles >= {Role.KIOSK, Role.BOT} else "roles_conflict"
        assert find_errors(roles=list(roles)) == [("roles", code)]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"client_id": "Van 1"}, "client_id"),
        ({"client_id": "v"}, "client_id"),
        ({"client_id": "van,1"}, "client_id"),
        ({"roles": []}, "roles"),
        ({"roles": ["root"]}, "roles"),
        ({"channel": "fax"}, "channel"),
        ({"campaigns": ["Tanah Abang"]}, "campaigns"),
        ({"campaigns": ["**"]}, "campaigns"),
        ({"campaigns": ["a,b"]}, "campaigns"),
        ({"expires_at": "2024-10-09T09:00:00"}, "expires_at"),
        ({"token": "mine"}, "token"),
    ],
)
def test_each_invalid_field_of_an_enrolment_is_named(changes: dict[str, Any], field: str) -> None:
    assert {name for name, _ in find_errors(**changes)} == {field}


@pytest.mark.parametrize(
    "roles", [*([role] for role in Role if role is not Role.ADMIN), ["admin", "manager"]], ids=str
)
def test_a_role_that_works_for_campaigns_is_enrolled_with_one(roles: list[str]) -> None:
    assert find_errors(roles=roles, campaigns=[]) == [("campaigns", "campaign_needed")]
    with pytest.raises(ValidationError, match="campaign_needed"):
        EnrolClient.model_validate({"client_id": "van-1", "roles": roles})


def test_an_admin_is_enrolled_without_a_campaign() -> None:
    assert EnrolClient.model_validate({"client_id": "chief", "roles": ["admin"]}).campaigns == ()


def test_the_view_of_a_client_contains_no_token() -> None:
    assert "token" not in ClientView.from_client(make_client()).model_dump_json()
