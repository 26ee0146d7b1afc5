"""Faults of the fake chat, armed by tests and by hand."""

import threading
from collections import Counter
from enum import StrEnum
from hashlib import sha256
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ops.fake_chat.transcripts import App

# Longer than the time-out of every client of ours.
_TIMEOUT_SECONDS = 20.0


class FaultMode(StrEnum):
    """The kinds of faults: of our calls, and of the delivery of updates to us."""

    THROTTLE = "throttle"
    SERVER_ERROR = "server_error"
    TIMEOUT_AFTER_ACCEPT = "timeout_after_accept"
    TIMEOUT_BEFORE_ACCEPT = "timeout_before_accept"
    BLOCKED = "blocked"
    REJECT = "reject"
    UNDELIVERABLE = "undeliverable"
    DELIVER_TWICE = "deliver_twice"
    OUT_OF_ORDER = "out_of_order"
    NO_STATUS = "no_status"


TIMEOUT_MODES = frozenset({FaultMode.TIMEOUT_AFTER_ACCEPT, FaultMode.TIMEOUT_BEFORE_ACCEPT})
DELIVERY_MODES = frozenset({FaultMode.DELIVER_TWICE, FaultMode.OUT_OF_ORDER})
STATUS_MODES = frozenset({FaultMode.UNDELIVERABLE, FaultMode.NO_STATUS})
CALL_MODES = frozenset(FaultMode) - DELIVERY_MODES - STATUS_MODES


class ConnectionDropped(Exception):
    """The connection must be closed without a response."""


class InvalidRequest(Exception):
    """A request to the fake chat itself is invalid; the message says why."""


class Fault(BaseModel):
    """An armed fault: it hits `share` of what it is for, at most `times` of it, each for `seconds`.

    `throttle` asks to wait for `seconds` (1 if none are given), `out_of_order` delays an update by them
    (0.5). The share is chosen by the seed, the user and a count for that user.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mode: FaultMode
    app: App | None = None
    user_id: str | None = None
    times: int | None = Field(default=None, ge=1)
    seconds: float | None = Field(default=None, ge=0, le=300)
    share: float = Field(default=1, gt=0, le=1)
    seed: int = 0

    @property
    def wait_seconds(self) -> float:
        if self.seconds is not None:
            return self.seconds
        if self.mode in TIMEOUT_MODES:
            return _TIMEOUT_SECONDS
        return {FaultMode.THROTTLE: 1.0, FaultMode.OUT_OF_ORDER: 0.5}.get(self.mode, 0)

    def hits(self, app: App, user_id: str, number: int) -> bool:
        """Return True if the nth event of a user is in the fault's share."""
        if self.app not in {None, app} or self.user_id not in {None, user_id}:
            return False
        digest = sha256(f"{self.seed}|{self.mode}|{user_id}|{number}".encode()).digest()
        return int.from_bytes(digest[:8]) / 2**64 < self.share


class FaultInjector:
    """The armed faults, oldest first. An event is hit by at most one."""

    def __init__(self) -> None:
        self._armed: list[tuple[Fault, int | None]] = []
        self._counts: Counter[tuple[App, str]] = Counter()
        self._hits: Counter[FaultMode] = Counter()
        self._lock = threading.Lock()

    def arm(self, body: bytes) -> None:
        """Arm a fault. Raise InvalidRequest."""
        try:
            fault = Fault.model_validate_json(body)
        except ValidationError as error:
            raise InvalidRequest(describe_errors(error)) from None
        with self._lock:
            self._armed.append((fault, fault.times))

    def disarm(self) -> None:
        with self._lock:
            self._armed.clear()
            self._counts.clear()
            self._hits.clear()

    def take(self, modes: frozenset[FaultMode], app: App, user_id: str) -> Fault | None:
        """Return the fault of one of `modes` that hits this event of a user, and count it as used."""
        with self._lock:
            self._counts[app, user_id] += 1
            for index, (fault, left) in enumerate(self._armed):
                is_hit = fault.hits(app, user_id, self._counts[app, user_id])
                if left == 0 or fault.mode not in modes or not is_hit:
                    continue
                self._armed[index] = fault, None if left is None else left - 1
                self._hits[fault.mode] += 1
                return fault
        return None

    def describe(self) -> dict[str, Any]:
        """Return the armed faults, and how often each mode has hit."""
        with self._lock:
            armed = [
                {**fault.model_dump(exclude_none=True), "times": left}
                for fault, left in self._armed
                if left != 0
            ]
            return {"armed": armed, "hits": dict(self._hits)}


def describe_errors(error: ValidationError) -> str:
    """Return the errors of a request as text, field by field."""
    return "; ".join(
        f"{'.'.join(map(str, each['loc']))}: {each['msg']}".removeprefix(": ")
        for each in error.errors(include_url=False)
    )
