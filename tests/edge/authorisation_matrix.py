"""The table of docs/authorisation.md as rows and cells, and a request for every route and target."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from chalice.test import HTTPResponse

from app import app
from chalicelib.callers import Role
from chalicelib.reviews.model import Finding, ReviewKind, ReviewSubject
from chalicelib.web.site import load_app_site, load_console_site
from tests.edge.conftest import FAR_FUTURE, Edge
from tests.support.chat_items import open_chat_item
from tests.support.payloads import (
    make_campaign_payload,
    make_capture_id,
    make_capture_payload,
    make_expiry_day,
    make_nik,
)
from tests.support.rescue_files import make_rescue_file

DOCUMENT = Path(__file__).parents[2] / "docs" / "authorisation.md"
ROUTES = sorted(f"{method} {path}" for path, methods in app.routes.items() for method in methods)
ROLES = [str(role) for role in Role]
OWN_CAMPAIGN, OTHER_CAMPAIGN = "tanah-abang-2024", "senen-2024"


def read_table() -> dict[str, dict[str, str]]:
    """Return the word of each role, by route."""
    rows = [re.findall(r"[^|]+", line) for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    heading, *lines = [[cell.strip().strip("`") for cell in row] for row in rows]
    return {route: dict(zip(heading[1:], cells, strict=True)) for route, *cells in lines}


TABLE = read_table()


@dataclass(frozen=True)
class Target:
    """The campaign, registration and client that a request is about."""

    campaign_id: str
    reference: str
    client_id: str
    number: int
    capture_id: str = make_capture_id(999)
    item_id: str = "0" * 32

    @property
    def capture(self) -> dict[str, Any]:
        """Return a capture of a worker that no other target has."""
        return make_capture_payload(
            campaign_id=self.campaign_id,
            capture_id=make_capture_id(self.number),
            worker={"nik": make_nik(self.number), "phone": f"0824-5551-{self.number}"},
        )


ANSWER = "POST /v1/campaigns/{campaign_id}/review-items/{item_id}/answer"
CORRECTION_ID = make_capture_id(998)
# Routes that need a correction which waits for a decision.
ROUTES_OF_OPEN_REQUESTS = {
    "GET /v1/corrections",
    "POST /v1/registrations/{reference}/corrections/{correction_id}/decision",
}

UNKNOWN_REGISTRATION = Target(OWN_CAMPAIGN, "7K4-M2Q-X9P", "van-1", 1)


def make_data_request(target: Target) -> dict[str, str]:
    """Return a request about the worker of the target's capture."""
    return {"request_id": target.capture["capture_id"], "nik": target.capture["worker"]["nik"]}


def make_correction(correction_id: str) -> dict[str, Any]:
    """Return a correction of the place of work."""
    return {"correction_id": correction_id, "fields": {"place": "Blok C"}, "reason": "salah ketik"}


# The valid body of each route that needs one.
MAKE_BODY: dict[str, Callable[[Target], Any]] = {
    "POST /v1/registrations": lambda target: target.capture,
    "POST /v1/registrations/batch": lambda target: {"items": [target.capture]},
    "PUT /v1/registrations/{reference}/payment-code": lambda target: {
        "code": "EPS-1234",
        "amount": 16_400,
        "expires_on": make_expiry_day(),
    },
    "POST /v1/registrations/{reference}/payments": lambda target: {
        "payment_id": "p-1",
        "amount": 16_400,
        "months": 1,
        "paid_at": "2024-10-12T09:00:00+07:00",
    },
    "POST /v1/registrations/{reference}/verification": lambda target: {"result": "matched"},
    "POST /v1/registrations/{reference}/sms": lambda target: {"purpose": "received"},
    "POST /v1/registrations/{reference}/cancellation": lambda target: {"reason": "worker_request"},
    "POST /v1/registrations/{reference}/corrections": lambda target: make_correction(
        make_capture_id(target.number)
    ),
    "POST /v1/registrations/{reference}/corrections/{correction_id}/decision": lambda target: {
        "decision": "confirmed"
    },
    "POST /v1/checks": lambda target: {"campaign_id": target.campaign_id, **target.capture["worker"]},
    "POST /v1/searches": lambda target: {"text": target.reference},
    "POST /v1/quotes": lambda target: {
        "monthly_income": 2_500_000,
        "occupations": ["porter"],
        "employs_others": False,
        "programmes": ["JKK", "JKM"],
        "months": 1,
        "payer": "self",
    },
    "POST /v1/campaigns": lambda target: make_campaign_payload(
        campaign_id=target.campaign_id, accepts_until=FAR_FUTURE
    ),
    "PATCH /v1/campaigns/{campaign_id}": lambda target: {"target": target.number},
    "POST /v1/campaigns/{campaign_id}/devices": lambda target: {
        "client_id": f"new-{target.number}",
        "channel": "van",
    },
    "PATCH /v1/campaigns/{campaign_id}/review-items/{item_id}": lambda target: {"state": "looked_at"},
    ANSWER: lambda target: {"answer_id": make_capture_id(target.number), "text": "Datanglah ke meja 3."},
    "POST /v1/clients": lambda target: {"client_id": f"new-{target.number}", "roles": ["admin"]},
    "POST /v1/clients/{client_id}/token": lambda target: {},
    "POST /v1/clients/{client_id}/enrolment-codes": lambda target: {"mode": "kiosk"},
    "POST /v1/enrolments": lambda target: {"code": "K7M2Q4XP"},
    "POST /v1/device/discards": lambda target: {
        "discards": [{"device_sequence": target.number, "reason": "worker_left"}]
    },
    "POST /v1/statuses": lambda target: {"reference": target.reference, "phone": "0824-5550-7001"},
    "POST /v1/rescues": lambda target: make_rescue_file([target.capture], client_id=target.client_id),
    "POST /v1/disclosures": make_data_request,
    "POST /v1/erasures": make_data_request,
}


def make_path(route: str, target: Target) -> str:
    """Return the path of a route, with the query if it needs one."""
    path = route.partition(" ")[2].format(
        campaign_id=target.campaign_id,
        reference=target.reference,
        client_id=target.client_id,
        capture_id=target.capture_id,
        correction_id=CORRECTION_ID,
        item_id=target.item_id,
        day="2024-10-09",
        release=(load_console_site() if "/console/" in route else load_app_site()).release,
        folder="scripts",
        file="main.js",
    )
    queries = {
        "GET /v1/registrations": f"?campaign_id={target.campaign_id}&day=2024-10-09",
        "GET /v1/campaigns/{campaign_id}/rates": "?day=2024-10-09",
        "GET /v1/audit": f"?subject=client:{target.client_id}",
    }
    return f"{path}{queries.get(route, '')}"


def make_body(route: str, target: Target) -> Any:
    """Return the body of a valid request."""
    return MAKE_BODY[route](target) if route in MAKE_BODY else b""


class Matrix:
    """A client of each role for the own campaign, and one for the other campaign."""

    def __init__(self, edge: Edge) -> None:
        self.edge = edge
        self._numbers = count(1001)
        for role in ROLES:
            for name, campaign_id in (("own", OWN_CAMPAIGN), ("other", OTHER_CAMPAIGN)):
                client: dict[str, Any] = {"client_id": f"{role}-{name}", "roles": [role]}
                client["campaigns"] = [campaign_id]
                # A device may renew its token in the last week of it.
                client["expires_at"] = datetime.now(UTC) + timedelta(days=5)
                edge.enrol(f"{role} {name}", client)
        edge.send("POST", f"/v1/campaigns/{OWN_CAMPAIGN}/summaries/2024-10-09", caller="manager")

    def create_target(self, caller: str = "kiosk", *, route: str = "") -> Target:
        """Register a worker and enrol a device in the own campaign, for one request of a route."""
        number = next(self._numbers)
        target = Target(OWN_CAMPAIGN, "", f"device-{number}", number)
        reference = self.edge.register(target.capture, caller=caller).json_body.get("reference", "")
        if route in ROUTES_OF_OPEN_REQUESTS:
            self._request_correction(reference, number)
        self.edge.enrol("device", {"client_id": target.client_id, "roles": [Role.KIOSK]})
        return replace(
            target,
            reference=reference,
            number=next(self._numbers),
            capture_id=make_capture_id(number),
            item_id=self._open_review_item(reference, route),
        )

    def _request_correction(self, reference: str, number: int) -> None:
        """Let a manager request a correction of a registration that was paid."""
        path = f"/v1/registrations/{reference}"
        payment = {
            **MAKE_BODY["POST /v1/registrations/{reference}/payments"](UNKNOWN_REGISTRATION),
            "payment_id": f"p-{number}",
        }
        assert self.edge.send("POST", f"{path}/payments", payment, caller="core").status_code == 200
        correction = make_correction(CORRECTION_ID)
        requested = self.edge.send("POST", f"{path}/corrections", correction, caller="manager")
        assert requested.status_code == 202

    def _open_review_item(self, reference: str, route: str) -> str:
        if route == ANSWER:
            return open_chat_item(self.edge.container, OWN_CAMPAIGN, f"chat-{reference}")
        finding = Finding(
            OWN_CAMPAIGN,
            ReviewKind.REPEAT_DIFFERS,
            ReviewSubject.registration(reference),
            date(2024, 10, 9),
        )
        self.edge.container.reviews.open_finding(finding)
        return finding.item_id

    def send(self, route: str, target: Target, *, caller: str | None) -> HTTPResponse:
        """Send the request of a route about a target."""
        path, body = make_path(route, target), make_body(route, target)
        return self.edge.send(get_method(route), path, body, caller=caller)

    def send_refused(self, route: str, target: Target, *, caller: str) -> HTTPResponse:
        """Send a request that is refused; check that an unknown target gets the same response."""
        refused = self.send(route, target, caller=caller)
        unknown = Target("never-opened", "7K4-M2Q-X9P", "unknown-1", target.number)
        assert get_visible_parts(refused) == get_visible_parts(self.send(route, unknown, caller=caller))
        return refused


def get_method(route: str) -> str:
    return route.partition(" ")[0]


def get_visible_parts(response: HTTPResponse) -> tuple[int, dict[str, str], bytes]:
    """Return a response without the ids of the request."""
    ids = {"X-Correlation-Id", "x-amzn-RequestId"}
    headers = {name: value for name, value in response.headers.items() if name not in ids}
    return response.status_code, headers, response.body


def get_code(response: HTTPResponse) -> str | None:
    """Return the code of a refusal, also of the only item of a batch; None for any other response."""
    document: dict[str, Any] = (response.json_body or {}) if response.body else {}
    answer = document if response.status_code >= 400 else {}
    problem = document["results"][0].get("problem") if "results" in document else answer
    code: str | None = (problem or {}).get("code")
    return code


def iter_cells(*words: str) -> Iterator[tuple[str, str, str]]:
    """Yield route, role and word of every cell that has one of the words."""
    for route, roles in TABLE.items():
        for role, word in roles.items():
            if word in words:
                yield route, role, word
