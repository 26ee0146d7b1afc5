"""Domain values for tests; each test states only the fields it is about. All people are invented."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from chalicelib.callers import Caller, Channel, DailyCap, Role
from chalicelib.clients.caps import DailyCapLimiter, DayCounts
from chalicelib.clock import Clock
from chalicelib.registrations.intake_limits import IntakeLimits
from chalicelib.registrations.messages import SubmitRegistration
from tests.support.payloads import (
    encode_payload,
    make_capture_payload,
)

UNUSUAL_ATTEMPTS = 50
NOW = datetime(2024, 10, 9, 5, 0, tzinfo=UTC)  # noon on the first day at Pasar Tanah Abang


def make_submission(**changes: Any) -> SubmitRegistration:
    """Return a parsed capture."""
    return SubmitRegistration.model_validate_json(
        encode_payload(make_capture_payload(**changes)), strict=True
    )


def make_caller(*roles: Role, **changes: Any) -> Caller:
    """Return a caller for the campaign at Pasar Tanah Abang: a tablet in a van, unless roles are given."""
    usual = Caller(
        client_id="van-1",
        roles=frozenset(roles or {Role.KIOSK}),
        channel=Channel.BOT if Role.BOT in roles else Channel.VAN,
        campaigns=frozenset({"tanah-abang-2024"}),
    )
    return replace(usual, **changes)


def make_allowance(counts: DayCounts, clock: Clock, **caps: DailyCap) -> DailyCapLimiter:
    """Return a limiter; `caps` are by role, and too high to reach unless given. 50 attempts are unusual."""
    usual = dict.fromkeys((Role.KIOSK, Role.BOT), DailyCap(flag=5_000, cap=10_000))
    given = {Role(name): cap for name, cap in caps.items()}
    unusual = dict.fromkeys((Role.KIOSK, Role.BOT), UNUSUAL_ATTEMPTS)
    return DailyCapLimiter(counts=counts, caps={**usual, **given}, unusual=unusual, clock=clock)


def make_limits(counts: DayCounts, clock: Clock, **changes: Any) -> IntakeLimits:
    """Return the limits of a stage, with the default cap of a phone number."""
    usual: dict[str, Any] = {
        "client_allowance": make_allowance(counts, clock),
        "phone_cap": DailyCap(flag=5, cap=50),
        "on_unusual_client": lambda unusual_client: None,
    }
    return IntakeLimits(**{**usual, **changes})
