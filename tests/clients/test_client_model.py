"""Who may do what, and until when."""

from datetime import timedelta
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
def test_no_role_stands_for_another(role: Role) -> None:
    others = frozenset(Role) - {role}
    with pytest.raises(NotAllowed):
        make_caller(role).require_any_role(others)


def test_a_caller_works_for_the_campaigns_it_is_bound_to() -> None:
    caller = make_caller(campaigns=frozenset({"senen-2024"}))
    caller.require_campaign("senen-2024")
    for campaign_id in ("senen", "senen-2025", "", "*"):
        with pytest.raises(CampaignNotAllowed):
            caller.require_campaign(campaign_id)


def test_a_caller_may_be_bound_to_every_campaign_or_to_none() -> None:
    assert make_caller(campaigns=frozenset({"*"})).may_access_campaign("anything")
    assert not make_caller(campaigns=frozenset()).may_access_campaign("anything")


def test_a_token_is_honoured_until_it_expires() -> None:
    client = make_client(expires_at=NOW)
    assert not client.is_revoked(NOW - timedelta(microseconds=1))
    assert client.is_revoked(NOW)


def test_a_revoked_token_is_not_honoured_however_long_it_would_have_lasted() -> None:
    assert make_client(expires_at=NOW + timedelta(days=1)).revoke(NOW).is_revoked(NOW)


def test_a_token_without_an_end_is_honoured_until_it_is_revoked() -> None:
    assert not make_client().is_revoked(NOW + timedelta(days=36500))


def an_enrolment(**changes: Any) -> EnrolClient:
    return EnrolClient.model_validate({"client_id": "van-1", "roles": ["kiosk"], **changes})


@pytest.mark.parametrize(
    ("roles", "channel"),
    [
        (["kiosk"], Channel.KIOSK),
        (["bot"], Channel.BOT),
        (["manager"], Channel.OFFICE),
        (["core"], Channel.OFFICE),
        (["admin", "bot"], Channel.OFFICE),
    ],
)
def test_the_channel_follows_from_the_first_role(roles: list[str], channel: Channel) -> None:
    assert an_enrolment(roles=roles).effective_channel is channel


def test_a_channel_that_is_named_is_kept() -> None:
    assert an_enrolment(channel="van").effective_channel is Channel.VAN


@pytest.mark.parametrize(
    ("changes", "fault"),
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
def test_each_misshapen_field_of_an_enrolment_is_found(changes: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValidationError) as refused:
        an_enrolment(**changes)
    assert {error["loc"][0] for error in refused.value.errors()} == {fault}


def test_what_admins_see_of_a_client_holds_no_token() -> None:
    assert "token" not in ClientView.from_client(make_client()).model_dump_json()
