"""Faults of the fake gateway, armed by tests."""

import threading
from collections import Counter
from enum import StrEnum
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

# Longer than the time-out of every client of ours.
_TIMEOUT_SECONDS = 20.0


class FaultMode(StrEnum):
    """The kinds of faults of a request to send."""

    TIMEOUT_AFTER_ACCEPT = "timeout_after_accept"
    TIMEOUT_BEFORE_ACCEPT = "timeout_before_accept"
    THROTTLE = "throttle"
    SERVER_ERROR = "server_error"
    REJECT = "reject"
    OPTED_OUT = "opted_out"
    SPEND_LIMIT = "spend_limit"


TIMEOUT_MODES = frozenset({FaultMode.TIMEOUT_AFTER_ACCEPT, FaultMode.TIMEOUT_BEFORE_ACCEPT})


class InvalidSettings(Exception):
    """Settings of the fake gateway are invalid; the message says why."""


class Fault(BaseModel):
    """An armed fault: it hits `share` of the requests, at most `times` of them, each after `seconds`.

    A time-out closes the connection after `seconds`, without a response. The requests of a share are chosen
    by the seed, the phone and the count of requests for that phone, so they do not depend on the order of
    requests.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: FaultMode
    times: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, ge=0, le=300)
    share: float = Field(default=1, gt=0, le=1)
    seed: int = 0

    @property
    def delay_seconds(self) -> float:
        """Return how long the caller waits."""
        if self.seconds is not None:
            return self.seconds
        return _TIMEOUT_SECONDS if self.mode in TIMEOUT_MODES else 0

    def hits(self, phone: str, request_number: int) -> bool:
        """Return True if the nth request for a phone is in the fault's share."""
        digest = sha256(f"{self.seed}|{self.mode}|{phone}|{request_number}".encode()).digest()
        return int.from_bytes(digest[:8]) / 2**64 < self.share


class FaultInjector:
    """The armed faults, oldest first. A request is hit by at most one."""

    def __init__(self) -> None:
        self._armed: list[Fault] = []
        self._remaining_uses: list[int | None] = []
        self._request_counts: Counter[str] = Counter()
        self._hit_counts: Counter[FaultMode] = Counter()
        self._lock = threading.Lock()

    def arm(self, body: bytes) -> None:
        """Arm a fault. Raise InvalidSettings."""
        try:
            fault = Fault.model_validate_json(body)
        except ValidationError as error:
            raise InvalidSettings(describe_errors(error)) from None
        with self._lock:
            self._armed.append(fault)
            self._remaining_uses.append(fault.times)

    def disarm(self) -> None:
        with self._lock:
            self._armed.clear()
            self._remaining_uses.clear()
            self._hit_counts.clear()
            self._request_counts.clear()

    def take_fault(self, phone: str) -> Fault | None:
        """Return the fault that hits this request for a phone, and count it as used."""
        with self._lock:
            self._request_counts[phone] += 1
            for index, fault in enumerate(self._armed):
                left = self._remaining_uses[index]
                if left == 0 or not fault.hits(phone, self._request_counts[phone]):
                    continue
                if left is not None:
                    self._remaining_uses[index] = left - 1
                self._hit_counts[fault.mode] += 1
                return fault
        return None

    def describe(self) -> dict[str, Any]:
        """Return the armed faults, and how often each mode has hit."""
        with self._lock:
            armed = [
                {"mode": fault.mode, "times": left, "seconds": fault.delay_seconds, "share": fault.share}
                for fault, left in zip(self._armed, self._remaining_uses, strict=True)
                if left != 0
            ]
            return {
                "armed": armed,
                "hits": {mode: self._hit_counts[mode] for mode in FaultMode if self._hit_counts[mode]},
            }


def describe_errors(error: ValidationError) -> str:
    """Return the errors of a request as text, field by field."""
    errors = ((".".join(map(str, each["loc"])), each["msg"]) for each in error.errors(include_url=False))
    return "; ".join(f"{field}: {message}" if field else message for field, message in errors)
