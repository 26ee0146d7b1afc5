"""The state of a registration for whoever knows its reference and its phone number."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from hmac import compare_digest
from typing import Protocol

from chalicelib.clock import Clock
from chalicelib.registrations import phone, references
from chalicelib.registrations.errors import (
    InvalidValue,
    RegistrationDestroyed,
    RegistrationUnknown,
)
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.references import Reference
from chalicelib.registrations.reported_events import PaymentCode
from chalicelib.statuses.schemas import AskForStatus
from chalicelib.statuses.texts import STATES, RegistrationState

# Longer than a read takes: whether a reference exists must not show in the time of the answer.
ANSWER_TIME = timedelta(milliseconds=250)


@dataclass(frozen=True)
class WorkerStatus:
    """The state of a registration, its last paid day, and the payment code where one is to be paid."""

    state: RegistrationState
    active_until: date | None = None
    payment_code: PaymentCode | None = None


_NOT_FOUND = WorkerStatus(RegistrationState.NOT_FOUND)


class Registrations(Protocol):
    """The part of the registrations table that this needs."""

    def get(self, reference: Reference) -> Registration:
        """Return a registration. Raise RegistrationUnknown, or RegistrationDestroyed."""


class StatusService:
    """Tells a worker how a registration stands, and a stranger nothing."""

    def __init__(
        self, *, registrations: Registrations, clock: Clock, sleep: Callable[[timedelta], None]
    ) -> None:
        self._registrations = registrations
        self._clock = clock
        self._sleep = sleep

    def find_status(self, question: AskForStatus) -> WorkerStatus:
        """Return the state of a registration, after the same time for every question.

        A wrong reference, a wrong phone number and a registration without one get the same answer.
        """
        started_at = self._clock()
        try:
            return self._look_up(question)
        finally:
            self._sleep(max(timedelta(0), ANSWER_TIME - (self._clock() - started_at)))

    def _look_up(self, question: AskForStatus) -> WorkerStatus:
        reference = references.parse(question.reference)
        try:
            number = phone.parse(question.phone)
        except InvalidValue:
            number = None
        if reference is None or number is None:
            return _NOT_FOUND
        try:
            registration = self._registrations.get(reference)
        except (RegistrationUnknown, RegistrationDestroyed):
            return _NOT_FOUND
        if not compare_digest(registration.worker.phone or "", number):
            return _NOT_FOUND
        lifecycle = registration.lifecycle
        is_to_be_paid = lifecycle.status is Status.AWAITING_PAYMENT
        return WorkerStatus(
            state=STATES[lifecycle.status],
            active_until=lifecycle.active_until,
            payment_code=lifecycle.payment_code if is_to_be_paid else None,
        )
