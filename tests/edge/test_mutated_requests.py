"""Ten thousand mutated requests with a fixed seed: answered as documented; refused ones store nothing."""

from functools import cache
from random import Random
from typing import Any

import pytest
from chalice.test import HTTPResponse

from chalicelib.callers import Role
from tests.edge.authorisation_matrix import (
    MAKE_BODY,
    OWN_CAMPAIGN,
    TABLE,
    Target,
    get_method,
    make_body,
    make_path,
)
from tests.edge.conftest import Edge
from tests.support.mutations import HEADERS, PARAMETERS, QUERIES, mutate_body
from tests.support.payloads import make_capture_id

SEED = 20261129
# By several workers side by side.
PARTS, REQUESTS_PER_PART = 8, 1_250

WRITES = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem"})
# Mutation finds most where there is a body, and nothing at all in a fixed public page. What ODK Collect sends
# (`path`) is XML: test_odk_hostile_bodies.py has it.
ROUTES = sorted(
    route
    for route, cells in TABLE.items()
    if not set(cells.values()) & {"signed", "public", "path"}
    for _ in range(8 if route in MAKE_BODY else 1)
)
UNLIMITED = {"daily_flag": 10_000_000, "daily_cap": 10_000_000}


class WriteLog:
    """The items that the app's requests have written."""

    def __init__(self, edge: Edge) -> None:
        self.items: list[tuple[str, dict[str, Any]]] = []
        events = edge.container.aws.dynamodb.meta.events
        events.register("before-parameter-build.dynamodb", self._remember)
        events.register("after-call.dynamodb", self._record)

    def _remember(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        context["written"] = (model.name, dict(params))

    def _record(self, http_response: Any, context: dict[str, Any], **_: Any) -> None:
        operation, params = context.get("written", ("", {}))
        if operation not in WRITES or http_response.status_code != 200:
            return
        writes = params.get("TransactItems") or [{operation: params}]
        for write in writes:
            (request,) = write.values()
            if "TableName" in request and "ConditionExpression" not in write.get("ConditionCheck", {}):
                self.items.append((request["TableName"], request.get("Item") or request.get("Key", {})))


def may_be_left_by_a_refused_request(table: str, item: dict[str, Any]) -> bool:
    """Return True for what a refusal costs its sender: counts, notes without personal data, audit records."""
    sort_key = item.get("sk", {}).get("S", "")
    if table == "RegistrationsTable":
        outcome = item.get("facts", {}).get("M", {}).get("outcome", {}).get("S")
        return outcome == "refused" and "answer" not in item
    return table == "AuditTable" or (table == "ClientsTable" and sort_key.startswith("DAY#"))


def choose_request(random: Random, target: Target) -> tuple[str, str, str | None, bytes, dict[str, str]]:
    """Return method, path, caller, body and headers of a mutated request."""
    route = random.choice(ROUTES)
    roles = [role for role, word in TABLE[route].items() if word != "no"]
    path = make_path(route, target)
    body = mutate_body(make_body(route, target), random)
    for value in (target.campaign_id, target.reference, target.client_id, target.capture_id, "2024-10-09"):
        if random.random() < 0.2:
            path = path.replace(value, random.choice(PARAMETERS), 1)
    if random.random() < 0.2:
        path += ("&" if "?" in path else "?") + random.choice(QUERIES)
    headers = random.choice(HEADERS) if random.random() < 0.2 else {}
    return get_method(route), path, f"{random.choice(roles)} tried", body, headers


def is_refused(response: HTTPResponse) -> bool:
    return response.status_code >= 400


@pytest.fixture
def tried(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Edge:
    for role in Role:
        client = {"client_id": f"{role}-tried", "roles": [role], "campaigns": [OWN_CAMPAIGN]}
        limits = UNLIMITED if role in {Role.KIOSK, Role.BOT} else {}
        edge.enrol(f"{role} tried", client | limits)
    # As API Gateway does, which asks the authorizer once a minute.
    monkeypatch.setattr(edge.container.clients, "identify", cache(edge.container.clients.identify))
    return edge


@pytest.mark.parametrize("part", range(PARTS))
def test_mutated_requests_are_answered_as_documented_and_a_refused_one_stores_nothing(
    tried: Edge, part: int
) -> None:
    random = Random(SEED + part)  # noqa: S311 - repeatable, not secret
    device = {"client_id": "device-1", "roles": [Role.KIOSK]}
    tried.enrol("device", device)
    log, refused = WriteLog(tried), 0
    target = Target(OWN_CAMPAIGN, "7K4-M2Q-X9P", "device-1", 1)

    for number in range(1, REQUESTS_PER_PART + 1):
        if number % 50 == 1:
            target = Target(OWN_CAMPAIGN, target.reference, "device-1", number, make_capture_id(number))
            answer = tried.register(target.capture, caller="kiosk tried").json_body
            assert "RegistrationsTable" in {table for table, _ in log.items}
            target = Target(
                OWN_CAMPAIGN,
                answer.get("reference", target.reference),
                "device-1",
                number + 1,
                make_capture_id(number),
            )
        method, path, caller, body, headers = choose_request(random, target)
        log.items.clear()

        response = tried.send(method, path, body, caller=caller, **headers)

        assert response.status_code < 500, f"{method} {path} {body[:300]!r}: {response.body!r}"
        if is_refused(response):
            refused += 1
            left = [each for each in log.items if not may_be_left_by_a_refused_request(*each)]
            assert left == [], f"{method} {path} {body[:300]!r}: {response.status_code}"

    assert 0.5 < refused / REQUESTS_PER_PART < 0.99
