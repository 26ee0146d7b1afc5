"""Callers of the deployed stack: their tokens, the campaigns they are bound to, and their caps."""

import httpx
import pytest

from tests.support.isolated_campaign import Market, open_market
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

UNKNOWN = "7K4-M2Q-X9P"


def enrolled(stack: RunningStack, client_id: str, role: str, *campaigns: str, **more: object) -> str:
    body = {"client_id": client_id, "roles": [role], "campaigns": campaigns, **more}
    answer = stack.send("admin", "POST", "/v1/clients", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def asked(
    stack: RunningStack, token: str, method: str, path: str, body: object = None, **headers: str
) -> httpx.Response:
    return httpx.request(
        method,
        f"{stack.description.api_url}{path}",
        headers={"Authorization": f"Bearer {token}", **headers},
        json=body,
        timeout=30,
    )


def as_seen(answer: httpx.Response) -> tuple[int, bytes, set[str]]:
    return answer.status_code, answer.content, set(answer.headers)


@pytest.fixture
def market(stack: RunningStack) -> Market:
    return open_market(stack)


def test_a_device_cannot_tell_a_foreign_reference_from_an_unknown_one(
    stack: RunningStack, market: Market
) -> None:
    reference = market.register(market.make_capture_payload()).json()["reference"]
    elsewhere = open_market(stack)
    for role in ("kiosk", "manager"):
        token = enrolled(stack, f"{role}-of-{elsewhere.campaign_id}", role, elsewhere.campaign_id)

        foreign = asked(stack, token, "GET", f"/v1/registrations/{reference}")
        never_was = asked(stack, token, "GET", f"/v1/registrations/{UNKNOWN}")

        assert (foreign.status_code, foreign.json()["code"]) == (404, "registration_unknown")
        assert as_seen(foreign) == as_seen(never_was)


def test_a_token_replaced_without_overlap_is_refused_and_the_new_one_is_good(
    stack: RunningStack, market: Market
) -> None:
    old = enrolled(stack, "van-77", "kiosk", market.campaign_id)
    rotated = stack.send("admin", "POST", "/v1/clients/van-77/token", {"overlap_hours": 0}).json()

    refused = asked(stack, old, "GET", f"/v1/registrations/{UNKNOWN}")
    assert (refused.status_code, refused.json()["code"]) == (401, "token_revoked")
    assert asked(stack, rotated["token"], "GET", f"/v1/registrations/{UNKNOWN}").status_code == 404


def test_an_admin_sees_when_a_client_called_last(stack: RunningStack, market: Market) -> None:
    token = enrolled(stack, "van-78", "kiosk", market.campaign_id)
    shown = stack.send("admin", "GET", "/v1/clients/van-78").json()
    assert shown["last_seen_at"] is None

    asked(stack, token, "GET", f"/v1/registrations/{UNKNOWN}")

    assert stack.send("admin", "GET", "/v1/clients/van-78").json()["last_seen_at"] is not None


def test_a_client_at_its_cap_is_refused_until_tomorrow_and_loses_nothing(
    stack: RunningStack, market: Market
) -> None:
    token = enrolled(stack, "van-79", "kiosk", market.campaign_id, daily_flag=1, daily_cap=2)
    captures = [market.make_capture_payload() for _ in range(3)]
    first, second, refused = (asked(stack, token, "POST", "/v1/registrations", each) for each in captures)

    assert (first.status_code, second.status_code) == (201, 201)
    assert (refused.status_code, refused.json()["code"]) == (429, "client_cap_reached")
    assert 1 <= int(refused.headers["Retry-After"]) <= 24 * 3600
    again = asked(stack, token, "POST", "/v1/registrations", captures[0])
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    shown = [
        stack.send("manager", "GET", f"/v1/registrations/{each.json()['reference']}")
        for each in (first, second)
    ]
    assert [each.json().get("flags", []) for each in shown] == [[], ["client_busy"]]


def test_a_bot_sees_no_difference_between_a_new_and_a_known_worker(
    stack: RunningStack, market: Market
) -> None:
    token = enrolled(stack, "bot-77", "bot", market.campaign_id)
    known = market.make_capture_payload()
    market.register(known)
    captures = [market.make_capture_payload(), {**market.make_capture_payload(), "worker": known["worker"]}]

    new_one, known_one = (asked(stack, token, "POST", "/v1/registrations", each) for each in captures)

    assert new_one.status_code == known_one.status_code == 202
    told = [
        answer.text.replace(sent["capture_id"], "ID")
        for answer, sent in zip((new_one, known_one), captures, strict=True)
    ]
    assert told[0] == told[1]
    assert set(new_one.headers) == set(known_one.headers)
