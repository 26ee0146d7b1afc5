"""Permission to correct a registration: at once, after the core system decided, or not at all. Pure."""

from datetime import date

from chalicelib.callers import Caller, Role
from chalicelib.corrections.errors import CorrectionNotAllowed
from chalicelib.registrations.model import Registration


def needs_decision(registration: Registration, caller: Caller, *, today: date) -> bool:
    """Return True if the caller's correction is only a request. `today` is the campaign's local day.

    The core system corrects always, managers until the worker has paid, and the device that made the capture
    on the same campaign day: its officer has seen the worker's card. Raise CorrectionNotAllowed.
    """
    if caller.has_role(Role.CORE):
        return False
    has_paid = bool(registration.lifecycle.payments)
    if caller.has_role(Role.MANAGER):
        return has_paid
    metadata = registration.capture_metadata
    if metadata.client_id != caller.client_id:
        raise CorrectionNotAllowed("captured by another device")
    if metadata.day != today:
        raise CorrectionNotAllowed("its campaign day is over")
    if has_paid:
        raise CorrectionNotAllowed("the worker has paid")
    return False
