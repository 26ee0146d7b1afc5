"""Register one synthetic worker on a stage, count the day, and remove the worker again.

The worker has no phone, so no SMS is sent. The campaign stays, under an id that begins with `smoke-`, with
the counts of the erased worker: counts are never taken back.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from secrets import randbelow
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from chalicelib.callers import Role
from chalicelib.clients.service import TokenLifetime
from chalicelib.clock import utc_now
from ops.api_client import ApiClient
from ops.deploy.first_admin import enrol_directly, open_registry
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.refusals import ApiRefusal

_ZONE = "Asia/Jakarta"
_LIFETIME = timedelta(hours=1)
_ROLES = (Role.MANAGER, Role.KIOSK, Role.ADMIN)
# The civil registry gives no such district: nobody has this NIK.
_NIK_DISTRICT = "317199"
_BIRTH_DATE = date(1985, 4, 12)


class SmokeTestFailed(OperationError):
    """The stage runs, but does not do what it is for."""

    default_code = "smoke_test_failed"


def run_smoke_test(stage: Stage, api_url: str) -> str:
    """Register, count, erase. Return the campaign's id. Raise SmokeTestFailed, naming the step."""
    now = utc_now()
    campaign_id = f"smoke-{now:%Y%m%d-%H%M%S}"
    today = now.astimezone(ZoneInfo(_ZONE)).date()
    nik = _make_nik()
    with _open_clients(stage, api_url, campaign_id) as clients:
        _call(clients[Role.MANAGER], "POST", "/v1/campaigns", _make_campaign(campaign_id, today))
        try:
            made = _call(
                clients[Role.KIOSK], "POST", "/v1/registrations", _make_capture(campaign_id, nik, now)
            )
            path = f"/v1/campaigns/{campaign_id}/summaries/{today}"
            summary = _call(clients[Role.MANAGER], "POST", path)
        finally:
            request = {"request_id": str(uuid4()), "nik": nik, "reason": "purpose_ended"}
            _call(clients[Role.ADMIN], "POST", "/v1/erasures", request)
    if made["outcome"] != "created" or summary["counts"]["created"] != 1:
        raise SmokeTestFailed(f"one worker was registered, the day's summary counts {summary['counts']}")
    return campaign_id


@contextmanager
def _open_clients(stage: Stage, api_url: str, campaign_id: str) -> Iterator[dict[Role, ApiClient]]:
    """Yield the API as each role, with clients that are revoked afterwards."""
    ids = {role: f"{campaign_id}-{role}" for role in _ROLES}
    apis: dict[Role, ApiClient] = {}
    try:
        for role, client_id in ids.items():
            token = enrol_directly(stage, client_id, role, lifetime=_LIFETIME)
            apis[role] = ApiClient(api_url, token, language="en")
        yield apis
    finally:
        for role, api in apis.items():
            api.close()
            open_registry(stage, TokenLifetime(_LIFETIME)).revoke(ids[role])


def _call(api: ApiClient, method: str, path: str, body: Any = None) -> Any:
    response = api.send(method, path, None if body is None else json.dumps(body))
    if not response.is_success:
        raise SmokeTestFailed(f"{method} {path} was refused: {ApiRefusal.from_response(response)}")
    return response.json() if response.content else None


def _make_campaign(campaign_id: str, today: date) -> dict[str, Any]:
    return {
        "campaign_id": campaign_id,
        "name": "Uji pemasangan",
        "branch": "Uji",
        "place": "Uji",
        "zone": _ZONE,
        "first_day": str(today),
        "last_day": str(today),
        "accepts_until": str(today),
        "summary_hour": 20,
        "target": 1,
        "managers": [],
        "sms_budget": 0,
    }


def _make_capture(campaign_id: str, nik: str, now: datetime) -> dict[str, Any]:
    moment = now.astimezone(ZoneInfo(_ZONE)).isoformat(timespec="seconds")
    return {
        "capture_id": str(uuid4()),
        "campaign_id": campaign_id,
        "captured_at": moment,
        "officer": "deploy",
        "worker": {
            "nik": nik,
            "name": "Uji Pemasangan",
            "birth_date": str(_BIRTH_DATE),
            "phone": None,
            "email": None,
            "address": None,
            "postal_code": None,
            "language": "id",
        },
        "work": {
            "occupations": ["porter"],
            "place": "Uji",
            "monthly_income": 2_500_000,
            "employs_others": False,
        },
        "coverage": {"programmes": ["JKK", "JKM"], "months": 1, "payer": "self"},
        "consent": {"text_version": "2024-10", "given_at": moment, "method": "tick"},
    }


def _make_nik() -> str:
    return f"{_NIK_DISTRICT}{_BIRTH_DATE:%d%m%y}{9000 + randbelow(1000):04}"
