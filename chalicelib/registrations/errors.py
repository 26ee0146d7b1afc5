"""Refusals of the registrations package.

Refusal
├── RegistrationUnknown     no registration has this reference, or the caller may not access it
│   └── RegistrationDestroyed
├── PhoneCapReached         the phone number has its maximum of registrations for today
├── WorkerCapturesReached   the worker has as many captures as a worker may have
├── CaptureUnknown          no capture has this id, or the caller may not access it
├── CaptureReused           the capture id was used before, with other content
├── CaptureErased           the capture was accepted once, and its data was erased since
├── PaymentReused           the payment id was used before, with another amount, date or number of months
├── HistoryFull             the registration has as many reported events as it may have
├── TransitionNotAllowed    the registration's state does not allow this
├── RegistrationSuperseded  the worker has a newer registration, which gets all new events
└── RulesBroken             (from refusals) the capture breaks rules, each named

ValueError
└── InvalidValue            a typed value breaks a rule
"""

from chalicelib.refusals import Refusal
from chalicelib.registrations.capture_source import CaptureSource
from chalicelib.registrations.references import Reference


class InvalidValue(ValueError):
    """A typed value that breaks a rule: `code` names the rule. The message never contains the value.

    `digits` is the number of digits in the value, where that helps the person who typed it.
    """

    def __init__(self, code: str, *, digits: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.digits = digits


class RegistrationUnknown(Refusal):
    code = "registration_unknown"


class RegistrationDestroyed(RegistrationUnknown):
    """The application ended long ago, and its personal fields were destroyed, as the law requires.

    It belonged to `campaign_id`; `follows` is the application before it.
    """

    code = "registration_destroyed"

    def __init__(self, reference: Reference, *, campaign_id: str, follows: Reference | None) -> None:
        super().__init__(reference)
        self.campaign_id = campaign_id
        self.follows = follows


class CaptureUnknown(Refusal):
    code = "capture_unknown"


class CaptureReused(Refusal):
    code = "capture_reused"


class PhoneCapReached(Refusal):
    code = "phone_cap_reached"


class WorkerCapturesReached(Refusal):
    code = "worker_captures_reached"


class CaptureErased(Refusal):
    """The capture was accepted once; `source` is what is kept of it, or None if even that is unknown."""

    code = "capture_forgotten"

    def __init__(self, message: str, source: CaptureSource | None = None) -> None:
        super().__init__(message)
        self.source = source


class PaymentReused(Refusal):
    code = "payment_reused"


class HistoryFull(Refusal):
    code = "history_full"


class TransitionNotAllowed(Refusal):
    code = "transition_not_allowed"


class RegistrationSuperseded(Refusal):
    code = "registration_superseded"
