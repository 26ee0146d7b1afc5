"""The authorizer's answer to API Gateway, and the caller that the API reads from it."""

from dataclasses import fields
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.callers import Caller, Channel, DailyCap, DeviceMode, Role
from chalicelib.clients import authorizer
from chalicelib.clients.authorizer import Unauthorized
from chalicelib.clients.errors import TokenUnknown
from chalicelib.clients.model import Client
from chalicelib.clients.service import Token
from chalicelib.http.route_access import RouteAccess
from chalicelib.refusals import TokenRevoked
from tests.support.builders import NOW, make_caller

METHOD_ARN = "arn:aws:execute-api:eu-north-1:000000000000:api1/api/POST/v1/registrations"
VALID, REVOKED = Token("daftar_good"), Token("daftar_revoked")


class FakeRegistry:
    """Knows one valid and one revoked token."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    def identify(self, token: Token) -> Client:
        if token == REVOKED:
            raise TokenRevoked("van-1")
        if token != VALID:
            raise TokenUnknown("no client holds it")
        return Client(
            **{each.name: getattr(self._caller, each.name) for each in fields(Caller)}, enrolled_at=NOW
        )


class ScriptedTracker:
    """Records calls, then raises its failure, if it has one."""

    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure
        self.recorded_calls: list[tuple[str, str]] = []

    def record_call(self, client: Client, token: Token) -> None:
        self.recorded_calls.append((client.client_id, token))
        if self._failure is not None:
            raise self._failure


def build_answer(
    authorization: str, *, caller: Caller | None = None, tracker: ScriptedTracker | None = None
) -> dict[str, Any]:
    registry, tracker = FakeRegistry(caller or make_caller()), tracker or ScriptedTracker()
    return authorizer.build_policy(
        registry,  # type: ignore[arg-type]
        tracker,  # type: ignore[arg-type]
        authorization,
        METHOD_ARN,
        find_access=lambda roles: RouteAccess([f"GET/v1/{role}/*" for role in sorted(roles)], []),
    )


def get_statement(answer: dict[str, Any]) -> dict[str, Any]:
    (statement,) = answer["policyDocument"]["Statement"]
    return dict(statement)


@pytest.mark.parametrize(
    "authorization",
    [f"Bearer {VALID}", f"bearer {VALID}", f"BEARER {VALID}", f"  Bearer   {VALID} "],
)
def test_a_valid_token_allows_the_routes_of_its_roles_on_its_stage(authorization: str) -> None:
    answer = build_answer(authorization)
    assert answer["principalId"] == "van-1"
    assert get_statement(answer) == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": ["arn:aws:execute-api:eu-north-1:000000000000:api1/api/GET/v1/kiosk/*"],
    }


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        " ",
        "Bearer",
        "Bearer ",
        VALID,
        f"Basic {VALID}",
        f"Bearer{VALID}",
        "Bearer daftar_other",
        f"Bearer {VALID} x",
    ],
)
def test_any_other_authorization_is_answered_with_401(authorization: str) -> None:
    with pytest.raises(Unauthorized) as refused:
        build_answer(authorization)
    assert str(refused.value) == "Unauthorized"


def test_a_revoked_token_is_let_through_to_its_answer_without_its_client_id() -> None:
    answer = build_answer(f"Bearer {REVOKED}")
    assert get_statement(answer)["Resource"] == ["arn:aws:execute-api:eu-north-1:000000000000:api1/api/*"]
    assert (answer["principalId"], answer["context"]) == ("revoked", {"refused": "token_revoked"})


def test_only_allowed_calls_are_recorded() -> None:
    tracker = ScriptedTracker()
    build_answer(f"Bearer {REVOKED}", tracker=tracker)
    with pytest.raises(Unauthorized):
        build_answer("Bearer daftar_other", tracker=tracker)
    assert tracker.recorded_calls == []

    build_answer(f"Bearer {VALID}", tracker=tracker)
    assert tracker.recorded_calls == [("van-1", VALID)]


def test_a_call_that_cannot_be_recorded_is_allowed() -> None:
    throttled = ClientError({"Error": {"Code": "ThrottlingException"}}, "TransactWriteItems")
    for failure in (ConnectionError(), throttled, KeyError()):
        answer = build_answer(f"Bearer {VALID}", tracker=ScriptedTracker(failure))
        assert answer == build_answer(f"Bearer {VALID}")


def test_no_answer_contains_the_token() -> None:
    for token in (VALID, REVOKED):
        assert token not in str(build_answer(f"Bearer {token}"))


@given(
    roles=st.frozensets(st.sampled_from(Role), min_size=1),
    channel=st.sampled_from(Channel),
    campaigns=st.frozensets(st.from_regex(r"[a-z0-9][a-z0-9-]{1,5}[a-z0-9]|\*", fullmatch=True), max_size=4),
    daily_cap=st.none() | st.builds(DailyCap, flag=st.integers(0), cap=st.integers(1)),
    mode=st.none() | st.sampled_from(DeviceMode),
)
def test_the_api_reads_the_caller_that_the_authorizer_wrote(
    roles: frozenset[Role],
    channel: Channel,
    campaigns: frozenset[str],
    daily_cap: DailyCap | None,
    mode: DeviceMode | None,
) -> None:
    caller = Caller("van-1", roles, channel, campaigns, daily_cap, mode=mode)
    context = build_answer(f"Bearer {VALID}", caller=caller)["context"]
    assert all(isinstance(value, str) for value in context.values())
    assert Caller.from_context(context) == caller
