"""The attempt to send one message, as SMS to workers and reports to managers share it.

A message is claimed by one worker process, the attempt is started, and its outcome is recorded. The outcome
of an attempt whose worker process died is unknown. Every change makes a new value with the next revision
number.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto
from typing import ClassVar, Self

from chalicelib.messaging.errors import (
    AccountFailure,
    CircuitOpen,
    GatewayError,
    OutcomeUnknown,
    PermanentFailure,
    Throttled,
)
from chalicelib.messaging.gateways import GatewayAcceptance


class IllegalTransition(Exception):
    """A message cannot change from its state to the requested one."""


@dataclass(frozen=True, kw_only=True)
class OutboundAttempt:
    """The latest attempt to send one message.

    `touched_at` is when it was claimed or the attempt started, whichever is later.
    """

    TRANSITIONS: ClassVar[Mapping[StrEnum, Set[StrEnum]]]
    TIMEOUT: ClassVar[timedelta]
    """Longer than the sending function may run: after it, no worker process is sending the message."""

    state: StrEnum
    revision: int
    attempts: int = 0
    touched_at: datetime | None = None
    reason: str | None = None

    def has_timed_out(self, now: datetime) -> bool:
        """Return True if the worker process that claimed it or started the attempt must have died."""
        return self.touched_at is None or now >= self.touched_at + self.TIMEOUT

    def _move_to(self, state: StrEnum, **changes: object) -> Self:
        """Return the next revision in another state. Raise IllegalTransition."""
        if state not in self.TRANSITIONS[self.state]:
            raise IllegalTransition(f"{self.state} to {state}")
        return self._with_changes(state=state, **changes)

    def _with_changes(self, **changes: object) -> Self:
        return replace(self, revision=self.revision + 1, **changes)  # type: ignore[arg-type]


class OutcomeType(Enum):
    """The kinds of outcome of an attempt, by the next step that each allows."""

    ACCEPTED = auto()
    REJECTED = auto()
    """Surely not sent; another attempt may succeed."""
    FAILED = auto()
    """Surely not sent; no other attempt will succeed."""
    UNKNOWN = auto()
    """Sent or not; another attempt could send a duplicate."""


@dataclass(frozen=True)
class Outcome:
    """The outcome of one attempt. `gateway_id` is the accepting gateway's own id for the message.

    `is_counted` is False if no gateway was asked. `is_account_failure`: the gateway accepts nothing from this
    account. `opted_out`: the gateway refused because the recipient opted out. `retry_after_seconds` is when a
    rejected message may come again.
    """

    outcome_type: OutcomeType
    reason: str = ""
    gateway: str | None = None
    gateway_id: str = ""
    is_counted: bool = True
    is_account_failure: bool = False
    opted_out: bool = False
    retry_after_seconds: int | None = None
    parts: int | None = None
    price: int | None = None

    @classmethod
    def from_error(cls, error: GatewayError) -> "Outcome":
        match error:
            case PermanentFailure():
                outcome_type = OutcomeType.FAILED
            case OutcomeUnknown():
                outcome_type = OutcomeType.UNKNOWN
            case _:
                outcome_type = OutcomeType.REJECTED
        return cls(
            outcome_type,
            error.reason,
            error.gateway,
            is_counted=not isinstance(error, CircuitOpen),
            is_account_failure=isinstance(error, AccountFailure),
            opted_out=isinstance(error, PermanentFailure) and error.opted_out,
            retry_after_seconds=error.retry_after_seconds if isinstance(error, Throttled) else None,
        )


def make_attempt(send: Callable[[], GatewayAcceptance | None]) -> Outcome:
    """Call `send` once. Return the outcome that its result or its GatewayError stands for."""
    try:
        acceptance = send()
    except GatewayError as error:
        return Outcome.from_error(error)
    if acceptance is None:
        return Outcome(OutcomeType.ACCEPTED)
    return Outcome(OutcomeType.ACCEPTED, **vars(acceptance))
