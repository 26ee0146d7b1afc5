"""How a registration lives: the one table of its transitions, and what each event does to it.

Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.campaigns.model import Instant
from chalicelib.contributions.model import list_months
from chalicelib.contributions.service import find_contribution_month
from chalicelib.registrations.errors import PaymentReused, TransitionNotAllowed


class Status(StrEnum):
    """Where a registration stands.

    Registered is not yet protected: only `active` is.
    """

    RECEIVED = "received"
    AWAITING_PAYMENT = "awaiting_payment"
    MISMATCH = "mismatch"
    ACTIVE = "active"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class EventType(StrEnum):
    """What can happen to a registration."""

    REGISTERED = "registered"
    PAYMENT_CODE_ISSUED = "payment_code_issued"
    PAID = "paid"
    MATCHED = "matched"
    MISMATCHED = "mismatched"
    CANCELLED = "cancelled"
    LAPSING_SOON = "lapsing_soon"
    LAPSED = "lapsed"
    EXPIRED = "expired"


class Verification(StrEnum):
    """What the civil registry said; apart from where the registration stands."""

    NOT_CHECKED = "not_checked"
    MATCHED = "matched"
    MISMATCH = "mismatch"


# An application that has ended makes room for a new one of the same worker.
ENDED_STATUSES = frozenset({Status.LAPSED, Status.CANCELLED, Status.EXPIRED})
ENDED_UNPAID_STATUSES = frozenset({Status.CANCELLED, Status.EXPIRED})
OPEN_UNPAID_STATUSES = frozenset({Status.RECEIVED, Status.AWAITING_PAYMENT, Status.MISMATCH})

# What may happen where, and where it leads. What is not here is refused.
TRANSITIONS: Mapping[EventType, Mapping[Status, Status]] = {
    EventType.PAYMENT_CODE_ISSUED: {
        Status.RECEIVED: Status.AWAITING_PAYMENT,
        Status.AWAITING_PAYMENT: Status.AWAITING_PAYMENT,
        Status.ACTIVE: Status.ACTIVE,
        Status.LAPSED: Status.LAPSED,
    },
    EventType.PAID: {
        # Workers may pay by NIK before a code was issued, and late.
        Status.RECEIVED: Status.ACTIVE,
        Status.AWAITING_PAYMENT: Status.ACTIVE,
        Status.ACTIVE: Status.ACTIVE,
        Status.LAPSED: Status.ACTIVE,
    },
    EventType.MATCHED: {
        Status.RECEIVED: Status.RECEIVED,
        Status.MISMATCH: Status.RECEIVED,
        Status.AWAITING_PAYMENT: Status.AWAITING_PAYMENT,
        Status.ACTIVE: Status.ACTIVE,
    },
    EventType.MISMATCHED: {
        Status.RECEIVED: Status.MISMATCH,
        Status.MISMATCH: Status.MISMATCH,
        Status.AWAITING_PAYMENT: Status.MISMATCH,
        # Protection that was paid for does not end by a clerical doubt; the fact is kept beside it.
        Status.ACTIVE: Status.ACTIVE,
    },
    EventType.CANCELLED: dict.fromkeys(OPEN_UNPAID_STATUSES, Status.CANCELLED),
    # Nothing changes by it: it is the worker's reminder, kept so that there is one.
    EventType.LAPSING_SOON: {Status.ACTIVE: Status.ACTIVE},
    EventType.LAPSED: {Status.ACTIVE: Status.LAPSED},
    EventType.EXPIRED: dict.fromkeys(OPEN_UNPAID_STATUSES, Status.EXPIRED),
}

# After three unpaid months membership is inactive; arrears are not charged (official FAQ).
_GRACE_MONTHS = 3

# How long before a membership lapses its worker is reminded: time for one more market day's earnings.
_LAPSE_REMINDER_LEAD = timedelta(days=14)


class _FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PaymentCode(_FrozenModel):
    """What the core system asks the worker to pay, in rupiah, and until when."""

    code: str = Field(pattern=r"^[A-Za-z0-9-]{4,30}$")
    amount: int = Field(gt=0, le=10_000_000_000)
    expires_on: date


class Payment(_FrozenModel):
    """A contribution paid, in rupiah, for a number of months."""

    payment_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    amount: int = Field(gt=0, le=10_000_000_000)
    months: int = Field(ge=1, le=12)
    paid_at: Instant
    kpj: str | None = Field(default=None, pattern=r"^[0-9]{11}$", description="The member's card number.")


class VerificationResult(_FrozenModel):
    """What the civil registry said of NIK, name and birth date."""

    result: Literal["matched", "mismatch"]


class Cancellation(_FrozenModel):
    """Why an application is withdrawn before it was paid."""

    reason: Literal["worker_request", "captured_by_mistake", "duplicate", "other"]


@dataclass(frozen=True)
class LifecycleEvent:
    """One thing that happened, when, and through which client.

    The client is `system` for what a schedule did.
    """

    event_type: EventType
    status: Status
    occurred_at: datetime
    client_id: str
    detail: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class LifecycleState:
    """Where one registration stands and how it got there.

    Every change makes a new value, one version higher.
    """

    status: Status
    status_since: datetime
    version: int
    history: tuple[LifecycleEvent, ...]
    verification: Verification = Verification.NOT_CHECKED
    payment_code: PaymentCode | None = None
    payments: tuple[Payment, ...] = ()
    kpj: str | None = None
    paid_through: str | None = None

    @classmethod
    def begin(cls, *, occurred_at: datetime, client_id: str) -> "LifecycleState":
        """A registration just received."""
        event = LifecycleEvent(EventType.REGISTERED, Status.RECEIVED, occurred_at, client_id)
        return cls(status=Status.RECEIVED, status_since=occurred_at, version=1, history=(event,))

    @property
    def has_ended(self) -> bool:
        """Whether the worker may register anew."""
        return self.status in ENDED_STATUSES

    @property
    def active_until(self) -> date | None:
        """The last day that is paid for: the end of the last paid contribution month."""
        if self.paid_through is None:
            return None
        return _find_first_day_after(self.paid_through, month_count=1) - timedelta(days=1)

    @property
    def lapses_on(self) -> date | None:
        """The first day after three unpaid months."""
        if self.paid_through is None:
            return None
        return _find_first_day_after(self.paid_through, month_count=_GRACE_MONTHS + 1)

    @property
    def next_ageing_on(self) -> date | None:
        """The day on which time alone does something to a membership: reminds its worker, or lapses it."""
        if self.status is not Status.ACTIVE or self.lapses_on is None:
            return None
        return self.lapses_on if self._has_lapse_reminder else self.lapses_on - _LAPSE_REMINDER_LEAD

    @property
    def _has_lapse_reminder(self) -> bool:
        """Whether a reminder was given for what is paid now: one that pays has another one coming."""
        return any(
            event.event_type is EventType.LAPSING_SOON
            and event.detail.get("paid_through") == self.paid_through
            for event in self.history
        )

    def with_payment_code(
        self, payment_code: PaymentCode, *, occurred_at: datetime, client_id: str
    ) -> "LifecycleState":
        """The same code again changes nothing; another replaces it.

        Raises TransitionNotAllowed.
        """
        # A mismatch that was cleared up has taken the registration back to before the code was issued.
        if self.payment_code == payment_code and self.status is not Status.RECEIVED:
            return self
        moved = self._transition(
            EventType.PAYMENT_CODE_ISSUED,
            occurred_at,
            client_id,
            {"expires_on": payment_code.expires_on.isoformat()},
        )
        return replace(moved, payment_code=payment_code)

    def with_payment(self, payment: Payment, *, occurred_at: datetime, client_id: str) -> "LifecycleState":
        """A payment counts once, by its id. Raises PaymentReused or TransitionNotAllowed.

        It pays for months from the one it was made in, or from the first that is not paid yet.
        """
        for known in self.payments:
            if known.payment_id == payment.payment_id:
                if known != payment:
                    raise PaymentReused(payment.payment_id)
                return self
        detail: dict[str, str | int] = {"payment_id": payment.payment_id, "months": payment.months}
        moved = self._transition(EventType.PAID, occurred_at, client_id, detail)
        return replace(
            moved,
            payments=(*self.payments, payment),
            paid_through=_compute_paid_through((*self.payments, payment)),
            kpj=payment.kpj or self.kpj,
        )

    def with_verification(
        self, result: VerificationResult, *, occurred_at: datetime, client_id: str
    ) -> "LifecycleState":
        """The same result again changes nothing. Raises TransitionNotAllowed."""
        verification = Verification(result.result)
        if self.verification is verification:
            return self
        matched = verification is Verification.MATCHED
        event_type = EventType.MATCHED if matched else EventType.MISMATCHED
        return replace(self._transition(event_type, occurred_at, client_id, {}), verification=verification)

    def with_cancellation(
        self, cancellation: Cancellation, *, occurred_at: datetime, client_id: str
    ) -> "LifecycleState":
        """Once more changes nothing. Raises TransitionNotAllowed."""
        if self.status is Status.CANCELLED:
            return self
        return self._transition(EventType.CANCELLED, occurred_at, client_id, {"reason": cancellation.reason})

    def age(self, *, today: date, occurred_at: datetime, expires_on: date) -> "LifecycleState":
        """What time alone has done by a local day: unpaid applications expire, unpaid memberships are
        reminded of, and then lapse.
        """
        if self.status in OPEN_UNPAID_STATUSES and today >= expires_on:
            return self._transition(EventType.EXPIRED, occurred_at, "system", {})
        if self.status is Status.ACTIVE and self.lapses_on is not None and today >= self.lapses_on:
            return self._transition(EventType.LAPSED, occurred_at, "system", {})
        if self.paid_through is not None and self.next_ageing_on is not None and today >= self.next_ageing_on:
            return self._transition(
                EventType.LAPSING_SOON, occurred_at, "system", {"paid_through": self.paid_through}
            )
        return self

    def _transition(
        self, event_type: EventType, occurred_at: datetime, client_id: str, detail: Mapping[str, str | int]
    ) -> "LifecycleState":
        status = TRANSITIONS[event_type].get(self.status)
        if status is None:
            raise TransitionNotAllowed(f"{event_type} while {self.status}")
        event = LifecycleEvent(event_type, status, occurred_at, client_id, detail)
        return replace(
            self,
            status=status,
            status_since=self.status_since if status is self.status else occurred_at,
            version=self.version + 1,
            history=(*self.history, event),
        )


def _compute_paid_through(payments: tuple[Payment, ...]) -> str | None:
    """The last month paid for, whatever order the payments were reported in."""
    paid_through: str | None = None
    for payment in sorted(payments, key=lambda each: (each.paid_at, each.payment_id)):
        first = find_contribution_month(payment.paid_at)
        if paid_through is not None and paid_through >= first:
            first = list_months(paid_through, 2)[-1]
        paid_through = list_months(first, payment.months)[-1]
    return paid_through


def _find_first_day_after(month: str, *, month_count: int) -> date:
    year, number = map(int, list_months(month, month_count + 1)[-1].split("-"))
    return date(year, number, 1)
