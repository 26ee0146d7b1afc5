"""States of the SMS that confirm registrations, for officers, managers and summaries."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Protocol

from chalicelib.callers import Caller, Role
from chalicelib.notifications.model import Sms, SmsState
from chalicelib.sms_purposes import Purpose


class ConfirmationState(StrEnum):
    """The state of the SMS that confirms a registration.

    `waiting`: it is sent yet, perhaps on another day, because its phone got enough SMS. `held`: an operator
    has to decide. `unknown`: a gateway may have sent it. `replaced`: a later SMS says more. `none`: there is
    no such SMS, because there is no phone, the phone is over its cap, or it was registered moments ago.
    """

    SENT = "sent"
    WAITING = "waiting"
    HELD = "held"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    NOT_SENT = "not_sent"
    REPLACED = "replaced"
    NONE = "none"


# The states in which the worker has not been told, as far as is known.
UNTOLD_STATES = frozenset(ConfirmationState) - {
    ConfirmationState.SENT,
    ConfirmationState.REPLACED,
    ConfirmationState.NONE,
}

_BY_SMS_STATE = {
    SmsState.PENDING: ConfirmationState.WAITING,
    SmsState.CLAIMED: ConfirmationState.WAITING,
    SmsState.ATTEMPT_STARTED: ConfirmationState.WAITING,
    SmsState.ACCEPTED: ConfirmationState.SENT,
    SmsState.SENT: ConfirmationState.SENT,
    SmsState.DELIVERED: ConfirmationState.SENT,
    SmsState.UNKNOWN: ConfirmationState.UNKNOWN,
    SmsState.HELD: ConfirmationState.HELD,
    SmsState.FAILED: ConfirmationState.NOT_SENT,
}


_TOLD_ROLES = frozenset({Role.KIOSK, Role.MANAGER})


class SmsHistory(Protocol):
    def iter_by_reference(self, reference: str) -> Iterator[Sms]:
        """Yield the SMS of a registration. One created moments ago may be missing."""


class ConfirmationService:
    """Finds the states of confirmations."""

    def __init__(self, *, sms_history: SmsHistory) -> None:
        self._sms_history = sms_history

    def find_for(
        self, caller: Caller, reference: str, *, phone_corrected_at: int = 0
    ) -> ConfirmationState | None:
        """Return the state of a registration's confirmation, None for whoever is no officer and no manager.

        It is sent if any copy was, or else the state of the newest. Copies to the phone that was recorded
        before the version `phone_corrected_at` do not count.
        """
        if not caller.roles & _TOLD_ROLES:
            return None
        found = self._sms_history.iter_by_reference(reference)
        return _combine(
            each for each in found if each.purpose is Purpose.RECEIVED and each.version >= phone_corrected_at
        )


def judge_confirmation(state: SmsState, reason: str | None) -> ConfirmationState:
    """Return the state of a confirmation by that of its SMS."""
    if state is SmsState.FAILED and (reason or "").startswith("expired"):
        return ConfirmationState.EXPIRED
    if state is SmsState.FAILED and reason == "overtaken":
        return ConfirmationState.REPLACED
    return _BY_SMS_STATE[state]


def _combine(copies: Iterable[Sms]) -> ConfirmationState:
    state = ConfirmationState.NONE
    for each in sorted(copies, key=lambda sms: sms.begun_at):
        state = judge_confirmation(each.state, each.reason)
        if state is ConfirmationState.SENT:
            return state
    return state
