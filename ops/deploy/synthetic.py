"""Synthetic clients, campaigns and workers, with which a stage is tried out.

They are marked by the ids that they get. Nobody has their NIKs or phone numbers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from chalicelib.callers import Role
from chalicelib.clients.service import TokenLifetime
from ops.api_client import ApiClient
from ops.deploy.first_admin import enrol_directly, open_registry
from ops.deploy.stages import Stage

ZONE = ZoneInfo("Asia/Jakarta")
_LIFETIME = timedelta(hours=6)
_ROLES = (Role.MANAGER, Role.KIOSK, Role.ADMIN)
# The civil registry gives no such district: nobody has this NIK.
_NIK_DISTRICT = "317199"
_BIRTH_DATE = date(1985, 4, 12)
_MAX_SERIAL = 9_999
# No operator has these numbers.
_FIRST_PHONE = 82_455_500_000


@contextmanager
def open_clients(
    stage: Stage, api_url: str, campaign_id: str, *, daily_cap: int | None = None
) -> Iterator[dict[Role, ApiClient]]:
    """Yield the API as each role, with clients that are revoked afterwards."""
    ids = {role: f"{campaign_id}-{role}" for role in _ROLES}
    apis: dict[Role, ApiClient] = {}
    try:
        for role, client_id in ids.items():
            token = enrol_directly(
                stage,
                client_id,
                role,
                lifetime=_LIFETIME,
                daily_cap=daily_cap if role is Role.KIOSK else None,
            )
            apis[role] = ApiClient(api_url, token, language="en")
        yield apis
    finally:
        for role, api in apis.items():
            api.close()
            open_registry(stage, TokenLifetime(_LIFETIME)).revoke(ids[role])


def make_campaign(campaign_id: str, today: date, *, sms_budget: int = 0) -> dict[str, Any]:
    """Return a campaign of one day."""
    return {
        "campaign_id": campaign_id,
        "name": "Uji pemasangan",
        "branch": "Uji",
        "place": "Uji",
        "zone": ZONE.key,
        "first_day": str(today),
        "last_day": str(today),
        "accepts_until": str(today),
        "summary_hour": 20,
        "target": 1,
        "managers": [],
        "sms_budget": sms_budget,
    }


def make_capture(
    campaign_id: str, number: int, now: datetime, *, phone: str | None = None, sequence: int | None = None
) -> dict[str, Any]:
    """Return the capture of one worker."""
    moment = now.astimezone(ZONE).isoformat(timespec="seconds")
    return {
        "capture_id": str(uuid4()),
        "campaign_id": campaign_id,
        "captured_at": moment,
        "officer": "deploy",
        **({} if sequence is None else {"device_sequence": sequence}),
        "worker": {
            "nik": make_nik(number),
            "name": "Uji Pemasangan",
            "birth_date": str(get_birth_date(number)),
            "phone": phone,
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


def make_nik(number: int) -> str:
    """Return a NIK that nobody has. Numbers give different ones up to some hundred thousand."""
    return f"{_NIK_DISTRICT}{get_birth_date(number):%d%m%y}{number % _MAX_SERIAL + 1:04}"


def get_birth_date(number: int) -> date:
    """Return the birth date that the NIK of a number has."""
    return _BIRTH_DATE + timedelta(days=number // _MAX_SERIAL)


def make_phone(number: int) -> str:
    return f"+62{_FIRST_PHONE + number}"
