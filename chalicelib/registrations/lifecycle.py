"""Events after intake: payment codes, payments, verification, cancellation and time-outs."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Protocol, TypeVar

from chalicelib.callers import Caller, Role
from chalicelib.clock import Clock
from chalicelib.conflicts import WriteConflict
from chalicelib.contributions.service import FUND_ZONE
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.refusals import TryAgain
from chalicelib.registrations.ageing import age_registration
from chalicelib.registrations.corrections import withdraw_open
from chalicelib.registrations.model import EventType, Flag, LifecycleState, Registration
from chalicelib.registrations.payments import differs_from_quote
from chalicelib.registrations.reading import ReadingService
from chalicelib.registrations.references import Reference
from chalicelib.registrations.reported_events import (
    DECEASED,
    Cancellation,
    Payment,
    PaymentCode,
    VerificationResult,
)
from chalicelib.registrations.reported_times import check_payment_code, check_payment_time
from chalicelib.shares import WHOLE, Share

# Each attempt succeeds unless another writer changed the same registration in between.
_MAX_ATTEMPTS = 4

_COUNTED_TIME_OUTS = frozenset({EventType.EXPIRED, EventType.LAPSED, EventType.IDENTITY_DELETED})

Detail_contra = TypeVar("Detail_contra", contravariant=True)


class PaymentIdTaken(Exception):
    """A payment with this id was recorded for another registration."""


class _Transition(Protocol[Detail_contra]):
    def __call__(
        self, lifecycle: LifecycleState, detail: Detail_contra, /, *, occurred_at: datetime, client_id: str
    ) -> LifecycleState: ...


class LifecycleStore(Protocol):
    """The writes of the registrations table that the service needs."""

    def replace(
        self, registration: Registration, *, previous: Registration, payment_key: str | None = None
    ) -> None:
        """Store the next version of a registration.

        Raise WriteConflict, RegistrationSuperseded, or PaymentIdTaken if `payment_key` was stored before.
        """

    def iter_due(self, due_day: date, share: Share = WHOLE) -> Iterator[Reference]:
        """Yield the references of the registrations of a share with a time-out on or before `due_day`."""


class LifecycleService:
    """Changes registrations one event at a time; an event that is reported twice is recorded once."""

    def __init__(
        self,
        *,
        store: LifecycleStore,
        reading: ReadingService,
        hashing: KeyedHash,
        max_payment_difference: int,
        identity_retention: timedelta,
        clock: Clock,
    ) -> None:
        """`max_payment_difference` is the difference between a payment and its quote, in per cent of the
        quote, above which the registration is flagged. `identity_retention` is how long the identity is kept
        after the first payment was reported, which shows that the core system has it.
        """
        self._store = store
        self._reading = reading
        self._hashing = hashing
        self._max_payment_difference = max_payment_difference
        self._identity_retention = identity_retention
        self._clock = clock

    def issue_payment_code(
        self, typed_reference: str, payment_code: PaymentCode, *, caller: Caller
    ) -> Registration:
        """Record the code and the amount that the worker is asked to pay.

        Raise RegistrationUnknown, TransitionNotAllowed, HistoryFull, RulesBroken or TryAgain.
        """
        registration = self._reading.look_up(typed_reference, caller=caller)
        check_payment_code(payment_code, registration.lifecycle, today=self._today())
        return self._change(registration, caller, LifecycleState.with_payment_code, payment_code)

    def record_payment(self, typed_reference: str, payment: Payment, *, caller: Caller) -> Registration:
        """Record a paid contribution of any amount.

        Flag the registration if the amount is far from the quote, or if the id paid another registration.
        Raise RegistrationUnknown, PaymentReused, TransitionNotAllowed, HistoryFull, RegistrationSuperseded,
        RulesBroken or TryAgain.
        """
        registration = self._reading.look_up(typed_reference, caller=caller)
        check_payment_time(payment, registration, now=self._clock())

        def pay(current: Registration, *flags: Flag) -> Registration:
            lifecycle = current.lifecycle.with_payment(
                payment, occurred_at=self._clock(), client_id=caller.client_id
            )
            if lifecycle is current.lifecycle:
                return current
            if differs_from_quote(
                payment, lifecycle, current.quote, max_percent=self._max_payment_difference
            ):
                flags = (*flags, Flag.PAYMENT_DIFFERS)
            return replace(
                current,
                lifecycle=lifecycle,
                flags=tuple(dict.fromkeys((*current.flags, *flags))),
                identity_until=current.identity_until or self._today() + self._identity_retention,
            )

        payment_key = self._hashing.digest("payment", payment.payment_id)
        try:
            return self.store_change(registration, pay, payment_key=payment_key)
        except PaymentIdTaken:
            return self.store_change(registration, lambda current: pay(current, Flag.PAYMENT_SHARED))

    def record_verification(
        self, typed_reference: str, result: VerificationResult, *, caller: Caller
    ) -> Registration:
        """Record the answer of the civil registry.

        Raise RegistrationUnknown, TransitionNotAllowed, HistoryFull or TryAgain.
        """
        registration = self._reading.look_up(typed_reference, caller=caller)
        return self._change(registration, caller, LifecycleState.with_verification, result)

    def cancel(self, typed_reference: str, cancellation: Cancellation, *, caller: Caller) -> Registration:
        """Withdraw an application before it is paid, or end any registration of a worker who died.

        The core system alone reports a death. Raise NotAllowed, RegistrationUnknown, TransitionNotAllowed,
        RegistrationSuperseded or TryAgain.
        """
        if cancellation.reason == DECEASED:
            caller.require_any_role(frozenset({Role.CORE}))
        registration = self._reading.look_up(typed_reference, caller=caller)
        if cancellation.reason == DECEASED:
            return self.store_change(
                registration,
                lambda current: replace(
                    current,
                    lifecycle=current.lifecycle.with_death(
                        occurred_at=self._clock(), client_id=caller.client_id
                    ),
                    corrections=withdraw_open(current.corrections),
                ),
            )
        return self._change(registration, caller, LifecycleState.with_cancellation, cancellation)

    def iter_due(self, share: Share = WHOLE) -> Iterator[Reference]:
        """Yield the registrations of a share with a time-out on or before today."""
        return self._store.iter_due(self._today(), share)

    def age(self, reference: Reference) -> list[str]:
        """Apply the time-outs of a registration.

        Unpaid applications expire, unpaid memberships lapse, and the identity of paid workers is deleted at
        the end of its retention period. Return the new status and `identity_deleted`, as far as they were
        due. Raise RegistrationUnknown or TryAgain.
        """
        registration = self._reading.get(reference)
        aged = self.store_change(
            registration,
            lambda current: age_registration(
                current,
                today=self._today(),
                occurred_at=self._clock(),
                identity_retention=self._identity_retention,
            ),
        )
        # Between them may be the events of another writer, who came first.
        new_events = aged.lifecycle.history[len(registration.lifecycle.history) :]
        return [str(event.event_type) for event in new_events if event.event_type in _COUNTED_TIME_OUTS]

    def _change(
        self,
        registration: Registration,
        caller: Caller,
        transition: _Transition[Detail_contra],
        detail: Detail_contra,
    ) -> Registration:
        return self.store_change(
            registration,
            lambda current: replace(
                current,
                lifecycle=transition(
                    current.lifecycle, detail, occurred_at=self._clock(), client_id=caller.client_id
                ),
            ),
        )

    def store_change(
        self,
        registration: Registration,
        change: Callable[[Registration], Registration],
        *,
        payment_key: str | None = None,
    ) -> Registration:
        """Store a registration after `change`. Return `registration` itself if that changes nothing.

        After a conflict `change` is called again with the stored state. Raise TryAgain.
        """
        for _ in range(_MAX_ATTEMPTS):
            changed = change(registration)
            if changed == registration:
                return registration
            try:
                self._store.replace(changed, previous=registration, payment_key=payment_key)
            except WriteConflict:
                registration = self._reading.get(registration.reference)
            else:
                return changed
        raise TryAgain("other writers came first")

    def _today(self) -> date:
        return self._clock().astimezone(FUND_ZONE).date()
