"""What tests send and store; each test states only the fields it is about. All people are invented."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chalicelib.callers import Caller, Channel, DailyCap, Role
from chalicelib.clients.caps import DailyCapLimiter, DayCounts
from chalicelib.clock import Clock
from chalicelib.registrations.intake import IntakeLimits
from chalicelib.registrations.messages import SubmitRegistration

NOW = datetime(2024, 10, 9, 5, 0, tzinfo=UTC)  # noon on the first day at Pasar Tanah Abang


def make_capture_id(number: int = 1) -> str:
    """A UUIDv7 of the first campaign day; another number, another capture."""
    return str(UUID(int=(0x01926F3E7C00 << 80) | (0x7 << 76) | (0x2 << 62) | number))


def make_nik(serial: int = 7001, *, birth_digits: str = "520485", district_code: str = "317107") -> str:
    """A well-formed NIK of an invented woman born on 12 April 1985."""
    return f"{district_code}{birth_digits}{serial:04d}"


def make_phone(number: int = 7001) -> str:
    """A mobile number of a block that nobody has; another number below 10,000, another phone."""
    return f"0824-5550-{number:04d}"


def make_capture_payload(**changes: Any) -> dict[str, Any]:
    """A capture as a device sends it. `worker=`, `work=` … change single fields inside."""
    capture: dict[str, Any] = {
        "capture_id": make_capture_id(),
        "campaign_id": "tanah-abang-2024",
        "captured_at": "2024-10-09T11:12:00+07:00",
        "officer": "ofc-12",
        "worker": {
            "nik": make_nik(),
            "name": "Melati Kusumawati",
            "birth_date": "1985-04-12",
            "phone": make_phone(),
            "email": None,
            "address": "Jalan Contoh 7",
            "postal_code": "10250",
            "language": "id",
        },
        "work": {
            "occupations": ["porter"],
            "place": "Blok A",
            "monthly_income": 2_500_000,
            "employs_others": False,
        },
        "coverage": {"programmes": ["JKK", "JKM"], "months": 3, "payer": "self"},
        "consent": {"text_version": "2024-10", "given_at": "2024-10-09T11:11:30+07:00", "method": "tick"},
    }
    for name, value in changes.items():
        inside = isinstance(value, dict) and isinstance(capture.get(name), dict)
        capture[name] = {**capture[name], **value} if inside else value
    return capture


def make_campaign_payload(**changes: Any) -> dict[str, Any]:
    """The campaign at Pasar Tanah Abang."""
    return {
        "campaign_id": "tanah-abang-2024",
        "name": "Aktivasi Pasar Tanah Abang",
        "branch": "Jakarta Salemba",
        "place": "Pasar Tanah Abang",
        "zone": "Asia/Jakarta",
        "first_day": "2024-10-09",
        "last_day": "2024-10-10",
        "accepts_until": "2030-12-31",
        "summary_hour": 20,
        "target": 500,
        "managers": [{"name": "Kepala Cabang", "email": "kepala@cabang.example", "phone": None}],
        "sms_budget": 500_000,
        **changes,
    }


def encode_payload(payload: dict[str, Any]) -> bytes:
    """A capture as it travels."""
    return json.dumps(payload).encode()


def make_submission(**changes: Any) -> SubmitRegistration:
    """A capture as it was parsed."""
    return SubmitRegistration.model_validate_json(
        encode_payload(make_capture_payload(**changes)), strict=True
    )


def make_caller(*roles: Role, **changes: Any) -> Caller:
    """A van's tablet that works for the campaign at Pasar Tanah Abang, unless roles are given."""
    usual = Caller(
        client_id="van-1",
        roles=frozenset(roles or {Role.KIOSK}),
        channel=Channel.VAN,
        campaigns=frozenset({"tanah-abang-2024"}),
    )
    return replace(usual, **changes)


def make_allowance(counts: DayCounts, clock: Clock, **caps: DailyCap) -> DailyCapLimiter:
    """What is left to clients; caps by role, far away unless given."""
    usual = dict.fromkeys((Role.KIOSK, Role.BOT), DailyCap(flag=5_000, cap=10_000))
    given = {Role(name): cap for name, cap in caps.items()}
    return DailyCapLimiter(counts=counts, caps={**usual, **given}, clock=clock)


def make_limits(counts: DayCounts, clock: Clock, **changes: Any) -> IntakeLimits:
    """What a stage sets, with the usual cap of a phone number."""
    usual: dict[str, Any] = {
        "client_allowance": make_allowance(counts, clock),
        "phone_cap": DailyCap(flag=5, cap=50),
    }
    return IntakeLimits(**{**usual, **changes})
