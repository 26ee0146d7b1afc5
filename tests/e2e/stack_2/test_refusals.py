"""Refusals as callers of the deployed API meet them: each a problem with a code of its own."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from chalicelib.http.endpoints import MAX_BODY_BYTES
from tests.support.isolated_campaign import open_market
from tests.support.payloads import encode_payload, make_capture_payload
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e


def raw(
    stack: RunningStack, method: str, path: str, *, token: str | None = None, **more: Any
) -> httpx.Response:
    """One request, sent once, with the headers given and no others."""
    headers = {"Authorization": token, **more.pop("headers", {})} if token else more.pop("headers", {})
    return httpx.request(method, f"{stack.description.api_url}{path}", headers=headers, timeout=30, **more)


def bearer(stack: RunningStack, client: str) -> str:
    return f"Bearer {stack.description.find_token(client)}"


def the_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    problem: dict[str, Any] = answer.json()
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["title"]
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "Traceback" not in answer.text
    return problem


def registrations(stack: RunningStack) -> int:
    found = stack.aws_client("dynamodb").scan(
        TableName=stack.description.outputs["RegistrationsTableName"], Select="COUNT"
    )
    return int(found["Count"])


@pytest.mark.parametrize(
    "token",
    [None, "Bearer daftar_unknown", "Bearer", "Basic dmFuLTE6", "daftar_unknown"],
    ids=["none", "unknown", "empty", "another scheme", "no scheme"],
)
def test_a_caller_without_a_valid_token_registers_no_worker(stack: RunningStack, token: str | None) -> None:
    before = registrations(stack)

    answer = raw(
        stack, "POST", "/v1/registrations", token=token, content=encode_payload(make_capture_payload())
    )

    the_problem(answer, 401, "token_missing_or_unknown")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert registrations(stack) == before


def test_a_revoked_token_is_refused_by_a_code_of_its_own(stack: RunningStack) -> None:
    body = {"client_id": "stolen-1", "roles": ["kiosk"], "campaigns": ["tanah-abang-2024"]}
    enrolled = stack.send("admin", "POST", "/v1/clients", body).json()
    assert stack.send("admin", "DELETE", "/v1/clients/stolen-1").status_code == 204
    before = registrations(stack)

    answer = raw(
        stack,
        "POST",
        "/v1/registrations",
        token=f"Bearer {enrolled['token']}",
        content=encode_payload(make_capture_payload()),
    )

    the_problem(answer, 401, "token_revoked")
    assert registrations(stack) == before


def test_an_expired_token_is_refused_like_a_revoked_one(stack: RunningStack) -> None:
    expires_at = datetime.now(UTC) + timedelta(seconds=5)
    body = {"client_id": "old-1", "roles": ["kiosk"], "campaigns": ["tanah-abang-2024"]}
    body |= {"expires_at": expires_at.isoformat()}
    token = stack.send("admin", "POST", "/v1/clients", body).json()["token"]
    wait_until("the token to expire", lambda: datetime.now(UTC) > expires_at)

    answer = raw(stack, "GET", "/v1/registrations/7K4-M2Q-X9P", token=f"Bearer {token}")

    the_problem(answer, 401, "token_revoked")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v1/nothing"),
        ("GET", "/v1"),
        ("PUT", "/v1/registrations"),
        ("DELETE", "/v1/campaigns/tanah-abang-2024"),
        ("PATCH", "/v1/clients"),
        ("POST", "/v1/registrations/7K4-M2Q-X9P"),
        ("POST", "/v2/registrations"),
    ],
)
@pytest.mark.parametrize("client", ["van-1", None])
def test_an_unknown_route_is_refused_as_unknown(
    stack: RunningStack, method: str, path: str, client: str | None
) -> None:
    token = bearer(stack, client) if client else None

    the_problem(raw(stack, method, path, token=token), 404, "route_unknown")


REFUSED: dict[str, tuple[str, bytes, int, str]] = {
    "another role": ("manager", encode_payload(make_capture_payload()), 403, "role_not_allowed"),
    "no body": ("van-1", b"", 400, "json_malformed"),
    "malformed": ("van-1", b"{", 400, "json_malformed"),
    "another shape": ("van-1", b"[]", 422, "body_invalid"),
    "another type": (
        "van-1",
        encode_payload(make_capture_payload(work={"monthly_income": "2500000"})),
        422,
        "body_invalid",
    ),
    "no campaign": (
        "van-1",
        encode_payload(make_capture_payload(campaign_id="never-opened")),
        404,
        "campaign_unknown",
    ),
    "oversized": ("van-1", b" " * (MAX_BODY_BYTES + 1), 413, "body_too_large"),
}


@pytest.mark.parametrize(("client", "body", "status", "code"), REFUSED.values(), ids=REFUSED)
def test_a_refused_body_stores_nothing(
    stack: RunningStack, client: Any, body: Any, status: Any, code: Any
) -> None:
    before = registrations(stack)

    answer = raw(
        stack,
        "POST",
        "/v1/registrations",
        token=bearer(stack, client),
        content=body,
        headers={"Content-Type": "application/json"},
    )

    the_problem(answer, status, code)
    assert registrations(stack) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/octet-stream", "image/png"])
def test_a_body_declared_as_something_else_is_refused(stack: RunningStack, kind: str) -> None:
    answer = raw(
        stack,
        "POST",
        "/v1/registrations",
        token=bearer(stack, "van-1"),
        content=encode_payload(make_capture_payload()),
        headers={"Content-Type": kind},
    )

    the_problem(answer, 415, "media_type_unsupported")


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v1/campaigns/{long}", "campaign_unknown"),
        ("/v1/campaigns/{long}/summaries/2024-10-09", "campaign_unknown"),
        ("/v1/registrations/{long}", "registration_unknown"),
    ],
)
def test_an_id_longer_than_any_key_is_unknown(stack: RunningStack, path: str, code: str) -> None:
    answer = raw(stack, "GET", path.format(long="a" * 3000), token=bearer(stack, "manager"))

    the_problem(answer, 404, code)


def test_a_client_id_longer_than_any_key_is_unknown(stack: RunningStack) -> None:
    answer = raw(stack, "GET", f"/v1/clients/{'a' * 3000}", token=bearer(stack, "admin"))

    the_problem(answer, 404, "client_unknown")


def test_a_refusal_is_in_the_language_of_the_caller(stack: RunningStack) -> None:
    market = open_market(stack)
    body = json.dumps(market.make_capture_payload(worker={"nik": "1"})).encode()
    told = {}
    for language in ("id", "en"):
        answer = raw(
            stack,
            "POST",
            "/v1/registrations",
            token=bearer(stack, "van-1"),
            content=body,
            headers={"Content-Type": "application/json", "Accept-Language": language},
        )
        told[language] = the_problem(answer, 422, "rules_broken")["errors"][0]["message"]

    assert told == {
        "id": "NIK harus 16 angka. Yang diketik 1 angka.",
        "en": "A NIK has 16 digits. You typed 1.",
    }
