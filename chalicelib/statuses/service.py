"""The state of a registration for whoever knows its reference and its phone number."""

from collections.abc import Callable
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
from chalicelib.registrations.model import Registration
from chalicelib.registrations.references import Reference
from chalicelib.statuses.schemas import AskForStatus
from chalicelib.statuses.texts import STATES, RegistrationState

# Longer than a read takes: whether a reference exists must not show in the time of the answer.
ANSWER_TIME = timedelta(milliseconds=250)


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

    def find_state(self, question: AskForStatus) -> tuple[RegistrationState, date | None]:
        """Return the state of a registration and its last paid day, after the same time for every question.

        A wrong reference, a wrong phone number and a registration without one get the same answer.
        """
        started_at = self._clock()
        try:
            return self._look_up(question)
        finally:
            self._sleep(max(timedelta(0), ANSWER_TIME - (self._clock() - started_at)))

    def _look_up(self, question: AskForStatus) -> tuple[RegistrationState, date | None]:
        reference = references.parse(question.reference)
        try:
            number = phone.parse(question.phone)
        except InvalidValue:
            number = None
        if reference is None or number is None:
            return RegistrationState.NOT_FOUND, None
        try:
            registration = self._registrations.get(reference)
        except (RegistrationUnknown, RegistrationDestroyed):
            return RegistrationState.NOT_FOUND, None
        if not compare_digest(registration.worker.phone or "", number):
            return RegistrationState.NOT_FOUND, None
        lifecycle = registration.lifecycle
        return STATES[lifecycle.status], lifecycle.active_until
