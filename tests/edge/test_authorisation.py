"""Every route, every role, own and foreign campaigns: the table of docs/authorisation.md, cell by cell."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from chalice.test import HTTPResponse

from app import app
from chalicelib.callers import Role
from chalicelib.clients.authorizer import Unauthorized
from tests.edge.conftest import FAR_FUTURE, Edge, assert_problem, dump_stored_state
from tests.support.payloads import make_campaign_payload, make_capture_id, make_capture_payload, make_nik

DOCUMENT = Path(__file__).parents[2] / "docs" / "authorisation.md"
ROUTES = sorted(f"{method} {path}" for path, methods in app.routes.items() for method in methods)
ROLES = [str(role) for role in Role]
HERE, ELSEWHERE = "tanah-abang-2024", "senen-2024"


def the_table() -> dict[str, dict[str, str]]:
    """What each role may do, by route."""
    rows = [re.findall(r"[^|]+", line) for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    heading, *lines = [[cell.strip().strip("`") for cell in row] for row in rows]
    return {route: dict(zip(heading[1:], cells, strict=True)) for route, *cells in lines}


TABLE = the_table()


@dataclass(frozen=True)
class Target:
    """What a request is about: something of the campaign here, or nothing that exists."""

    campaign_id: str
    reference: str
    client_id: str
    number: int

    @property
    def capture(self) -> dict[str, Any]:
        """A capture of a worker of its own."""
        return make_capture_payload(
            campaign_id=self.campaign_id,
            capture_id=make_capture_id(self.number),
            worker={"nik": make_nik(self.number), "phone": f"0824-5551-{self.number}"},
        )


Request = Callable[[Target], tuple[str, Any]]

A_CODE = {"code": "EPS-1234", "amount": 16_400, "expires_on": "2024-11-15"}
A_PAYMENT = {"payment_id": "p-1", "amount": 16_400, "months": 1, "paid_at": "2024-10-12T09:00:00+07:00"}
A_QUOTE = {
    "monthly_income": 2_500_000,
    "occupations": ["porter"],
    "employs_others": False,
    "programmes": ["JKK", "JKM"],
    "months": 1,
    "payer": "self",
}


def a_person_request(of: Target) -> dict[str, str]:
    """A request about a worker of the target's own."""
    return {"request_id": of.capture["capture_id"], "nik": of.capture["worker"]["nik"]}


# A good request for each route: its path, and its body if it has one.
REQUESTS: dict[str, Request] = {
    "POST /v1/registrations": lambda of: ("/v1/registrations", of.capture),
    "POST /v1/registrations/batch": lambda of: ("/v1/registrations/batch", {"items": [of.capture]}),
    "GET /v1/registrations": lambda of: (
        f"/v1/registrations?campaign_id={of.campaign_id}&day=2024-10-09",
        b"",
    ),
    "GET /v1/registrations/{reference}": lambda of: (f"/v1/registrations/{of.reference}", b""),
    "PUT /v1/registrations/{reference}/payment-code": lambda of: (
        f"/v1/registrations/{of.reference}/payment-code",
        A_CODE,
    ),
    "POST /v1/registrations/{reference}/payments": lambda of: (
        f"/v1/registrations/{of.reference}/payments",
        A_PAYMENT,
    ),
    "POST /v1/registrations/{reference}/verification": lambda of: (
        f"/v1/registrations/{of.reference}/verification",
        {"result": "matched"},
    ),
    "POST /v1/registrations/{reference}/cancellation": lambda of: (
        f"/v1/registrations/{of.reference}/cancellation",
        {"reason": "worker_request"},
    ),
    "POST /v1/quotes": lambda of: ("/v1/quotes", A_QUOTE),
    "POST /v1/campaigns": lambda of: (
        "/v1/campaigns",
        make_campaign_payload(campaign_id=of.campaign_id, accepts_until=FAR_FUTURE),
    ),
    "GET /v1/campaigns": lambda of: ("/v1/campaigns", b""),
    "GET /v1/campaigns/{campaign_id}": lambda of: (f"/v1/campaigns/{of.campaign_id}", b""),
    "PATCH /v1/campaigns/{campaign_id}": lambda of: (
        f"/v1/campaigns/{of.campaign_id}",
        {"target": of.number},
    ),
    "GET /v1/campaigns/{campaign_id}/summaries": lambda of: (
        f"/v1/campaigns/{of.campaign_id}/summaries",
        b"",
    ),
    "GET /v1/campaigns/{campaign_id}/summaries/{day}": lambda of: (
        f"/v1/campaigns/{of.campaign_id}/summaries/2024-10-09",
        b"",
    ),
    "GET /v1/campaigns/{campaign_id}/board": lambda of: (f"/v1/campaigns/{of.campaign_id}/board", b""),
    "GET /board": lambda of: ("/board", b""),
    "POST /v1/campaigns/{campaign_id}/summaries/{day}": lambda of: (
        f"/v1/campaigns/{of.campaign_id}/summaries/2024-10-09",
        b"",
    ),
    "POST /v1/clients": lambda of: ("/v1/clients", {"client_id": f"new-{of.number}", "roles": ["kiosk"]}),
    "GET /v1/clients": lambda of: ("/v1/clients", b""),
    "GET /v1/clients/{client_id}": lambda of: (f"/v1/clients/{of.client_id}", b""),
    "POST /v1/clients/{client_id}/token": lambda of: (f"/v1/clients/{of.client_id}/token", {}),
    "DELETE /v1/clients/{client_id}": lambda of: (f"/v1/clients/{of.client_id}", b""),
    "GET /v1/clients/{client_id}/gaps": lambda of: (f"/v1/clients/{of.client_id}/gaps", b""),
    "POST /v1/disclosures": lambda of: ("/v1/disclosures", a_person_request(of)),
    "POST /v1/erasures": lambda of: ("/v1/erasures", a_person_request(of)),
    "GET /v1/openapi.json": lambda of: ("/v1/openapi.json", b""),
    "POST /v1/gateways/twilio/receipts": lambda of: ("/v1/gateways/twilio/receipts", b""),
    "GET /docs": lambda of: ("/docs", b""),
    "GET /healthz": lambda of: ("/healthz", b""),
}


class Matrix:
    """A client of each role bound to the campaign here, and one bound to another."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self._numbers = count(1001)
        for role in ROLES:
            for where, campaign_id in (("here", HERE), ("elsewhere", ELSEWHERE)):
                client = {"client_id": f"{role}-{where}", "roles": [role], "campaigns": [campaign_id]}
                edge.enrol(f"{role} {where}", client)
        edge.send("POST", f"/v1/campaigns/{HERE}/summaries/2024-10-09", caller="manager")

    def something_here(self) -> Target:
        """A registration and a device of the campaign here, made for one try."""
        number = next(self._numbers)
        made = Target(HERE, "", f"device-{number}", number)
        reference = self.edge.register(made.capture).json_body["reference"]
        self.edge.enrol("made", {"client_id": made.client_id, "roles": [Role.KIOSK]})
        return Target(HERE, reference, made.client_id, next(self._numbers))

    def request_cell(self, route: str, target: Target, *, by: str | None) -> HTTPResponse:
        path, body = REQUESTS[route](target)
        return self.edge.send(route.partition(" ")[0], path, body, caller=by)

    def ask_in_vain(self, route: str, target: Target, *, by: str) -> HTTPResponse:
        """Ask, and see that what never was is answered just alike."""
        refused = self.request_cell(route, target, by=by)
        never_was = Target("never-opened", "7K4-M2Q-X9P", "nobody-1", target.number)
        assert as_seen(refused) == as_seen(self.request_cell(route, never_was, by=by))
        return refused


@pytest.fixture
def authorisation_matrix(edge: Edge) -> Matrix:
    return Matrix(edge)


def as_seen(answer: HTTPResponse) -> tuple[int, dict[str, str], bytes]:
    """An answer as its reader sees it, without the ids of the request."""
    ids = {"X-Correlation-Id", "x-amzn-RequestId"}
    headers = {name: value for name, value in answer.headers.items() if name not in ids}
    return answer.status_code, headers, answer.body


def code_of(answer: HTTPResponse) -> str | None:
    """The code of a refusal, also of the only item of a batch; None if it is none."""
    document = (answer.json_body or {}) if answer.body else {}
    problem = document.get("results", [{}])[0].get("problem") if "results" in document else document
    return (problem or {}).get("code")


def test_the_table_has_a_line_for_every_route_and_no_other() -> None:
    assert sorted(TABLE) == ROUTES
    assert sorted(REQUESTS) == ROUTES


def test_the_table_has_a_column_for_every_role() -> None:
    assert {tuple(cells) for cells in TABLE.values()} == {tuple(ROLES)}
    words = {"no", "own", "unseen", "filtered", "itself", "any", "public", "signed"}
    assert {word for cells in TABLE.values() for word in cells.values()} <= words


def cells(*words: str) -> Iterator[tuple[str, str, str]]:
    """Route, role and word of every cell that says one of the words."""
    for route, roles in TABLE.items():
        for role, word in roles.items():
            if word in words:
                yield route, role, word


def test_a_role_that_may_not_is_refused_before_anything_is_looked_at(
    authorisation_matrix: Matrix, subtests: pytest.Subtests
) -> None:
    before = dump_stored_state()
    target = Target(HERE, "7K4-M2Q-X9P", "van-1", 1)

    for route, role, _ in cells("no"):
        for where in ("here", "elsewhere"):
            with subtests.test(route, by=f"{role} {where}"):
                path, _ = REQUESTS[route](target)
                method = route.partition(" ")[0]
                answer = authorisation_matrix.edge.send(
                    method, path, b"not even JSON", caller=f"{role} {where}"
                )
                assert_problem(answer, 403, "role_not_allowed")

    assert dump_stored_state() == before


def test_a_role_may_do_for_its_own_campaigns_what_the_table_says(
    authorisation_matrix: Matrix, subtests: pytest.Subtests
) -> None:
    for route, role, word in cells("own", "unseen", "filtered", "itself", "any"):
        with subtests.test(route, by=role):
            here = authorisation_matrix.something_here()
            if word == "itself":
                here = replace(here, client_id=f"{role}-here")
            answer = authorisation_matrix.request_cell(route, here, by=f"{role} here")
            assert answer.status_code < 300, answer.body
            assert code_of(answer) is None


def test_for_a_foreign_campaign_a_role_gets_what_the_table_says(
    authorisation_matrix: Matrix, subtests: pytest.Subtests
) -> None:
    for route, role, word in cells("own", "unseen", "filtered", "itself", "any"):
        with subtests.test(route, by=role):
            FOREIGN[word](authorisation_matrix, route, f"{role} elsewhere")


def _not_theirs(authorisation_matrix: Matrix, route: str, by: str) -> None:
    answer = authorisation_matrix.ask_in_vain(route, authorisation_matrix.something_here(), by=by)
    assert code_of(answer) == "campaign_not_yours"


def _unseen(authorisation_matrix: Matrix, route: str, by: str) -> None:
    answer = authorisation_matrix.ask_in_vain(route, authorisation_matrix.something_here(), by=by)
    assert (answer.status_code, code_of(answer)) in {(404, "registration_unknown"), (404, "client_unknown")}


def _filtered(authorisation_matrix: Matrix, route: str, by: str) -> None:
    answer = authorisation_matrix.request_cell(route, authorisation_matrix.something_here(), by=by)
    assert (answer.status_code, HERE in answer.body.decode()) == (200, False)


def _another_client(authorisation_matrix: Matrix, route: str, by: str) -> None:
    answer = authorisation_matrix.ask_in_vain(route, authorisation_matrix.something_here(), by=by)
    assert_problem(answer, 403, "role_not_allowed")


def _allowed_all_the_same(authorisation_matrix: Matrix, route: str, by: str) -> None:
    answer = authorisation_matrix.request_cell(route, authorisation_matrix.something_here(), by=by)
    assert answer.status_code < 300, answer.body


FOREIGN: dict[str, Callable[[Matrix, str, str], None]] = {
    "own": _not_theirs,
    "unseen": _unseen,
    "filtered": _filtered,
    "itself": _another_client,
    "any": _allowed_all_the_same,
}


def test_anybody_may_call_a_public_route(edge: Edge, subtests: pytest.Subtests) -> None:
    for route in {route for route, _, _ in cells("public")}:
        with subtests.test(route):
            path, body = REQUESTS[route](Target(HERE, "7K4-M2Q-X9P", "van-1", 1))
            method = route.partition(" ")[0]
            assert edge.send(method, path, body, caller=None).status_code < 300


def test_what_a_gateway_signs_is_believed_of_nobody_else_whatever_the_role(
    authorisation_matrix: Matrix, subtests: pytest.Subtests
) -> None:
    """`test_twilio_receipts.py` shows what the gateway itself is answered."""
    before = dump_stored_state()

    for route, role, _ in cells("signed"):
        for by in (f"{role} here", f"{role} elsewhere", None):
            with subtests.test(route, by=by):
                answer = authorisation_matrix.request_cell(
                    route, Target(HERE, "7K4-M2Q-X9P", "van-1", 1), by=by
                )
                assert_problem(answer, 403, "signature_invalid")

    assert dump_stored_state() == before


def test_without_a_good_token_every_other_route_is_alike_and_does_nothing(
    authorisation_matrix: Matrix, subtests: pytest.Subtests
) -> None:
    edge, here = authorisation_matrix.edge, authorisation_matrix.something_here()
    yesterday = datetime.now(UTC) - timedelta(days=1)
    # A kiosk may do all that a bot may, and no client is both.
    everything = {"roles": [role for role in ROLES if role != "bot"], "campaigns": ["*"]}
    edge.enrol("revoked", {"client_id": "revoked-1", **everything})
    edge.enrol("expired", {"client_id": "expired-1", **everything, "expires_at": yesterday})
    edge.container.clients.revoke("revoked-1")
    edge.tokens |= {"garbage": "daftar_nobody-has-this", "empty": ""}
    before = dump_stored_state()

    for route in {route for route, _, word in cells("no", "own", "unseen", "filtered", "itself", "any")}:
        with subtests.test(route):
            method, (path, _) = route.partition(" ")[0], REQUESTS[route](here)
            assert edge.send(method, path, caller=None).status_code == 401
            for token in ("revoked", "expired"):
                # Chalice's own answer; the template makes it a 401 with a code (e2e: test_refusals).
                assert authorisation_matrix.ask_in_vain(route, here, by=token).status_code == 403
            for token in ("garbage", "empty"):
                # API Gateway answers 401 to an authorizer that fails with this word.
                with pytest.raises(Unauthorized):
                    authorisation_matrix.request_cell(route, here, by=token)

    assert dump_stored_state() == before
