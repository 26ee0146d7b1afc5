"""The countable facts of a registration, and the flags that people should see. Pure."""

from enum import StrEnum

from chalicelib.registrations.transitions import Status
from chalicelib.values import Value


class Flag(StrEnum):
    """Something unusual about how a registration was received, captured again or paid, for people to see."""

    CLIENT_BUSY = "client_busy"
    CLIENT_UNUSUAL = "client_unusual"
    PHONE_BUSY = "phone_busy"
    PHONE_OVER_CAP = "phone_over_cap"
    SPONSOR_OVER_QUOTA = "sponsor_over_quota"
    REPEAT_DIFFERS = "repeat_differs"
    HISTORY_FULL = "history_full"
    PAYMENT_DIFFERS = "payment_differs"
    PAYMENT_SHARED = "payment_shared"
    TAKEN_OVER = "taken_over"
    TOOK_OVER = "took_over"
    CORRECTION_OPEN = "correction_open"


class RegistrationFacts(Value):
    """The countable facts of a registration.

    `quoted` and `paid` are sums in rupiah, the latter so far; `corrections` were applied to it.
    Those of earlier releases name neither the client nor the officer of the capture.
    """

    status: Status
    quoted: int
    paid: int
    flags: tuple[Flag, ...] = ()
    corrections: int = 0
    client_id: str | None = None
    officer: str | None = None
