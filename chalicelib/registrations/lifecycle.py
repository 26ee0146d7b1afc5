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
from chalicelib.contributions.model import months_from
from chalicelib.contributions.service import contribution_month
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


class Happening(StrEnum):
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
ENDED = frozenset({Status.LAPSED, Status.CANCELLED, Status.EXPIRED})
NEVER_BECAME_MEMBERS = frozenset({Status.CANCELLED, Status.EXPIRED})
NEVER_PAID = frozenset({Status.RECEIVED, Status.AWAITING_PAYMENT, Status.MISMATCH})

# What may happen where, and where it leads. What is not here is refused.
TRANSITIONS: Mapping[Happening, Mapping[Status, Status]] = {
    Happening.PAYMENT_CODE_ISSUED: {
        Status.RECEIVED: Status.AWAITING_PAYMENT,
        Status.AWAITING_PAYMENT: Status.AWAITING_PAYMENT,
        Status.ACTIVE: Status.ACTIVE,
        Status.LAPSED: Status.LAPSED,
    },
    Happening.PAID: {
        # Workers may pay by NIK before a code was issued, and late.
        Status.RECEIVED: Status.ACTIVE,
        Status.AWAITING_PAYMENT: Status.ACTIVE,
        Status.ACTIVE: Status.ACTIVE,
        Status.LAPSED: Status.ACTIVE,
    },
    Happening.MATCHED: {
        Status.RECEIVED: Status.RECEIVED,
        Status.MISMATCH: Status.RECEIVED,
        Status.AWAITING_PAYMENT: Status.AWAITING_PAYMENT,
        Status.ACTIVE: Status.ACTIVE,
    },
    Happening.MISMATCHED: {
        Status.RECEIVED: Status.MISMATCH,
        Status.MISMATCH: Status.MISMATCH,
        Status.AWAITING_PAYMENT: Status.MISMATCH,
        # Protection that was paid for does not end by a clerical doubt; the fact is kept beside it.
        Status.ACTIVE: Status.ACTIVE,
    },
    Happening.CANCELLED: dict.fromkeys(NEVER_PAID, Status.CANCELLED),
    # Nothing changes by it: it is the worker's reminder, kept so that there is one.
    Happening.LAPSING_SOON: {Status.ACTIVE: Status.ACTIVE},
    Happening.LAPSED: {Status.ACTIVE: Status.LAPSED},
    Happening.EXPIRED: dict.fromkeys(NEVER_PAID, Status.EXPIRED),
}

# After three unpaid months membership is inactive; arrears are not charged (official FAQ).
_GRACE_MONTHS = 3

# How long before a membership lapses its worker is reminded: time for one more market day's earnings.
_REMINDED_BEFORE = timedelta(days=14)


class _Fact(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PaymentCode(_Fact):
    """What the core system asks the worker to pay, in rupiah, and until when."""

    code: str = Field(pattern=r"^[A-Za-z0-9-]{4,30}$")
    amount: int = Field(gt=0, le=10_000_000_000)
    expires_on: date


class Payment(_Fact):
    """A contribution paid, in rupiah, for a number of months."""

    payment_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    amount: int = Field(gt=0, le=10_000_000_000)
    months: int = Field(ge=1, le=12)
    paid_at: Instant
    kpj: str | None = Field(default=None, pattern=r"^[0-9]{11}$", description="The member's card number.")


class VerificationResult(_Fact):
    """What the civil registry said of NIK, name and birth date."""

    result: Literal["matched", "mismatch"]


class Cancellation(_Fact):
    """Why an application is withdrawn before it was paid."""

    reason: Literal["worker_request", "captured_by_mistake", "duplicate", "other"]


@dataclass(frozen=True)
class Event:
    """One thing that happened, when, and through which client.

    The client is `system` for what a schedule did.
    """

    happening: Happening
    status: Status
    at: datetime
    client_id: str
    detail: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True)
class Life:
    """Where one registration stands and how it got there.

    Every change makes a new value, one version higher.
    """

    status: Status
    since: datetime
    version: int
    history: tuple[Event, ...]
    verification: Verification = Verification.NOT_CHECKED
    payment_code: PaymentCode | None = None
    payments: tuple[Payment, ...] = ()
    kpj: str | None = None
    paid_through: str | None = None

    @classmethod
    def begun(cls, *, at: datetime, client_id: str) -> "Life":
        """A registration just received."""
        event = Event(Happening.REGISTERED, Status.RECEIVED, at, client_id)
        return cls(status=Status.RECEIVED, since=at, version=1, history=(event,))

    @property
    def has_ended(self) -> bool:
        """Whether the worker may register anew."""
        return self.status in ENDED

    @property
    def active_until(self) -> date | None:
        """The last day that is paid for: the end of the last paid contribution month."""
        if self.paid_through is None:
            return None
        return _first_day_after(self.paid_through, months=1) - timedelta(days=1)

    @property
    def lapses_on(self) -> date | None:
        """The first day after three unpaid months."""
        if self.paid_through is None:
            return None
        return _first_day_after(self.paid_through, months=_GRACE_MONTHS + 1)

    @property
    def ages_on(self) -> date | None:
        """The day on which time alone does something to a membership: reminds its worker, or lapses it."""
        if self.status is not Status.ACTIVE or self.lapses_on is None:
            return None
        return self.lapses_on if self._is_reminded else self.lapses_on - _REMINDED_BEFORE

    @property
    def _is_reminded(self) -> bool:
        """Whether a reminder was given for what is paid now: one that pays has another one coming."""
        return any(
            event.happening is Happening.LAPSING_SOON
            and event.detail.get("paid_through") == self.paid_through
            for event in self.history
        )

    def with_payment_code(self, code: PaymentCode, *, at: datetime, client_id: str) -> "Life":
        """The same code again changes nothing; another replaces it.

        Raises TransitionNotAllowed.
        """
        # A mismatch that was cleared up has taken the registration back to before the code was issued.
        if self.payment_code == code and self.status is not Status.RECEIVED:
            return self
        moved = self._moved(
            Happening.PAYMENT_CODE_ISSUED, at, client_id, {"expires_on": code.expires_on.isoformat()}
        )
        return replace(moved, payment_code=code)

    def with_payment(self, payment: Payment, *, at: datetime, client_id: str) -> "Life":
        """A payment counts once, by its id. Raises PaymentReused or TransitionNotAllowed.

        It pays for months from the one it was made in, or from the first that is not paid yet.
        """
        for known in self.payments:
            if known.payment_id == payment.payment_id:
                if known != payment:
                    raise PaymentReused(payment.payment_id)
                return self
        detail: dict[str, str | int] = {"payment_id": payment.payment_id, "months": payment.months}
        moved = self._moved(Happening.PAID, at, client_id, detail)
        return replace(
            moved,
            payments=(*self.payments, payment),
            paid_through=_paid_through((*self.payments, payment)),
            kpj=payment.kpj or self.kpj,
        )

    def verified(self, result: VerificationResult, *, at: datetime, client_id: str) -> "Life":
        """The same result again changes nothing. Raises TransitionNotAllowed."""
        verification = Verification(result.result)
        if self.verification is verification:
            return self
        matched = verification is Verification.MATCHED
        happening = Happening.MATCHED if matched else Happening.MISMATCHED
        return replace(self._moved(happening, at, client_id, {}), verification=verification)

    def cancelled(self, cancellation: Cancellation, *, at: datetime, client_id: str) -> "Life":
        """Once more changes nothing. Raises TransitionNotAllowed."""
        if self.status is Status.CANCELLED:
            return self
        return self._moved(Happening.CANCELLED, at, client_id, {"reason": cancellation.reason})

    def aged(self, *, today: date, at: datetime, expires_on: date) -> "Life":
        """What time alone has done by a local day: unpaid applications expire, unpaid memberships are
        reminded of, and then lapse.
        """
        if self.status in NEVER_PAID and today >= expires_on:
            return self._moved(Happening.EXPIRED, at, "system", {})
        if self.status is Status.ACTIVE and self.lapses_on is not None and today >= self.lapses_on:
            return self._moved(Happening.LAPSED, at, "system", {})
        if self.paid_through is not None and self.ages_on is not None and today >= self.ages_on:
            return self._moved(Happening.LAPSING_SOON, at, "system", {"paid_through": self.paid_through})
        return self

    def _moved(
        self, happening: Happening, at: datetime, client_id: str, detail: Mapping[str, str | int]
    ) -> "Life":
        status = TRANSITIONS[happening].get(self.status)
        if status is None:
            raise TransitionNotAllowed(f"{happening} while {self.status}")
        event = Event(happening, status, at, client_id, detail)
        return replace(
            self,
            status=status,
            since=self.since if status is self.status else at,
            version=self.version + 1,
            history=(*self.history, event),
        )


def _paid_through(payments: tuple[Payment, ...]) -> str | None:
    """The last month paid for, whatever order the payments were reported in."""
    paid_through: str | None = None
    for payment in sorted(payments, key=lambda each: (each.paid_at, each.payment_id)):
        first = contribution_month(payment.paid_at)
        if paid_through is not None and paid_through >= first:
            first = months_from(paid_through, 2)[-1]
        paid_through = months_from(first, payment.months)[-1]
    return paid_through


def _first_day_after(month: str, *, months: int) -> date:
    year, number = map(int, months_from(month, months + 1)[-1].split("-"))
    return date(year, number, 1)
