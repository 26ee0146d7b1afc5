"""Requests as devices send them; each test states only the fields it is about. All people are invented.

Needs the standard library only, so that the fuzz test and the benchmarks start fast.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID


def make_capture_id(number: int = 1) -> str:
    """Return a UUIDv7 of the first campaign day; each number has its own."""
    return str(UUID(int=(0x01926F3E7C00 << 80) | (0x7 << 76) | (0x2 << 62) | number))


def make_nik(serial: int = 7001, *, birth_digits: str = "520485", district_code: str = "317107") -> str:
    """Return a valid NIK of an invented woman born on 12 April 1985."""
    return f"{district_code}{birth_digits}{serial:04d}"


def make_phone(number: int = 7001) -> str:
    """Return a mobile number of an unassigned block; each number below 10,000 has its own."""
    return f"0824-5550-{number:04d}"


def make_capture_payload(**changes: Any) -> dict[str, Any]:
    """Return a capture as a device sends it. `worker=`, `work=` ... change single fields inside."""
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
    """Return the campaign at Pasar Tanah Abang."""
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
        "sponsors": [],
        **changes,
    }


def make_expiry_day(days: int = 30) -> str:
    """Return a day after today, for payment codes on tests that run by the real clock."""
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def encode_payload(payload: dict[str, Any]) -> bytes:
    """Return the body of a request."""
    return json.dumps(payload).encode()
