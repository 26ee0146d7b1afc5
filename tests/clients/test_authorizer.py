"""What API Gateway is told, and what the API reads back from it."""

from dataclasses import fields
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.callers import Caller, Channel, DailyCap, Role
from chalicelib.clients import authorizer
from chalicelib.clients.authorizer import Unauthorized
from chalicelib.clients.errors import TokenRevoked, TokenUnknown
from chalicelib.clients.model import Client
from chalicelib.clients.service import Token
from tests.support.builders import NOW, make_caller

METHOD_ARN = "arn:aws:execute-api:eu-north-1:000000000000:api1/api/POST/v1/registrations"
GOOD, REVOKED = Token("daftar_good"), Token("daftar_revoked")


class KnownTokens:
    """Knows one good token and one that was revoked."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def identify(self, token: Token) -> Client:
        if token == REVOKED:
            raise TokenRevoked("van-1")
        if token != GOOD:
            raise TokenUnknown("no client holds it")
        return Client(
            **{each.name: getattr(self._caller, each.name) for each in fields(Caller)}, enrolled_at=NOW
        )


class ScriptedSightings:
    """Remembers who was noted, or raises what it was told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure
        self.noted: list[tuple[str, str]] = []

    def record_call(self, client: Client, token: Token) -> None:
        self.noted.append((client.client_id, token))
        if self._failure is not None:
            raise self._failure


def policy(
    authorization: str, *, caller: Caller | None = None, sightings: ScriptedSightings | None = None
) -> dict[str, Any]:
    known, noting = KnownTokens(caller or make_caller()), sightings or ScriptedSightings()
    return authorizer.build_policy(known, noting, authorization, METHOD_ARN)  # type: ignore[arg-type]


def only_statement(answer: dict[str, Any]) -> dict[str, Any]:
    (statement,) = answer["policyDocument"]["Statement"]
    return dict(statement)


@pytest.mark.parametrize(
    "authorization",
    [f"Bearer {GOOD}", f"bearer {GOOD}", f"BEARER {GOOD}", f"  Bearer   {GOOD} "],
)
def test_a_good_token_opens_every_route_of_the_stage(authorization: str) -> None:
    answer = policy(authorization)
    assert answer["principalId"] == "van-1"
    assert only_statement(answer) == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": "arn:aws:execute-api:eu-north-1:000000000000:api1/api/*",
    }


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        GOOD,
        f"Basic {GOOD}",
        f"Bearer{GOOD}",
        "Bearer daftar_other",
        f"Bearer {GOOD} x",
    ],
)
def test_anything_else_fails_with_the_word_that_makes_a_401(authorization: str) -> None:
    with pytest.raises(Unauthorized) as refused:
        policy(authorization)
    assert str(refused.value) == "Unauthorized"


def test_a_revoked_token_is_denied_by_policy_and_names_no_one() -> None:
    answer = policy(f"Bearer {REVOKED}")
    assert only_statement(answer)["Effect"] == "Deny"
    assert answer["principalId"] == "revoked"
    assert "context" not in answer


def test_only_a_caller_who_is_let_in_is_noted() -> None:
    sightings = ScriptedSightings()
    policy(f"Bearer {REVOKED}", sightings=sightings)
    with pytest.raises(Unauthorized):
        policy("Bearer daftar_other", sightings=sightings)
    assert sightings.noted == []

    policy(f"Bearer {GOOD}", sightings=sightings)
    assert sightings.noted == [("van-1", GOOD)]


def test_a_caller_who_cannot_be_noted_is_let_in_all_the_same() -> None:
    throttled = ClientError({"Error": {"Code": "ThrottlingException"}}, "TransactWriteItems")
    for failure in (ConnectionError(), throttled, KeyError()):
        answer = policy(f"Bearer {GOOD}", sightings=ScriptedSightings(failure))
        assert answer == policy(f"Bearer {GOOD}")


def test_neither_answer_holds_the_token() -> None:
    for token in (GOOD, REVOKED):
        assert token not in str(policy(f"Bearer {token}"))


@given(
    roles=st.frozensets(st.sampled_from(Role), min_size=1),
    channel=st.sampled_from(Channel),
    campaigns=st.frozensets(st.from_regex(r"[a-z0-9][a-z0-9-]{1,5}[a-z0-9]|\*", fullmatch=True), max_size=4),
    daily_cap=st.none() | st.builds(DailyCap, flag=st.integers(0), cap=st.integers(1)),
)
def test_the_api_reads_back_the_caller_that_the_authorizer_saw(
    roles: frozenset[Role], channel: Channel, campaigns: frozenset[str], daily_cap: DailyCap | None
) -> None:
    caller = Caller("van-1", roles, channel, campaigns, daily_cap)
    context = policy(f"Bearer {GOOD}", caller=caller)["context"]
    assert all(isinstance(value, str) for value in context.values())
    assert Caller.from_context(context) == caller
