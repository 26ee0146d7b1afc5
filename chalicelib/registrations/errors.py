"""Refusals of the registrations package.

Refusal
├── RegistrationUnknown     no registration has this reference, or the caller may not know of it
│   └── RegistrationDestroyed  it ended long ago, and its personal data was destroyed
├── PhoneCapReached         the phone number has reached its number of registrations for today
├── CaptureReused           the capture id was used before, with other content
├── CaptureErased           the capture was accepted once; its person's data was destroyed since
├── PaymentReused           the payment id was used before, with other content
├── TransitionNotAllowed    the registration's state does not allow this
├── RegistrationSuperseded  the worker has a newer registration
└── RulesBroken             (from refusals) the capture breaks rules, each named

ValueError
└── InvalidValue            a typed value breaks a rule
"""

from chalicelib.refusals import Refusal
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
    """No registration has this reference, or none that this caller may know of."""

    code = "registration_unknown"


class RegistrationDestroyed(RegistrationUnknown):
    """The application ended long ago: its personal fields were destroyed, as the law asks.

    It was taken in for `campaign_id`; `follows` is the application that it came after.
    """

    code = "registration_destroyed"

    def __init__(self, reference: Reference, *, campaign_id: str, follows: Reference | None) -> None:
        super().__init__(reference)
        self.campaign_id = campaign_id
        self.follows = follows


class CaptureReused(Refusal):
    """A capture with this id, but other content, was sent before; this one is not stored."""

    code = "capture_reused"


class PhoneCapReached(Refusal):
    """This phone number was given for as many registrations today as it may; this one was not stored."""

    code = "phone_cap_reached"


class CaptureErased(Refusal):
    """The capture was taken in once, and its person's data was destroyed since: it is not taken in again."""

    code = "capture_forgotten"


class PaymentReused(Refusal):
    """A payment with this id, but another amount, date or number of months, was reported before."""

    code = "payment_reused"


class TransitionNotAllowed(Refusal):
    """The registration's state does not allow this."""

    code = "transition_not_allowed"


class RegistrationSuperseded(Refusal):
    """The worker has registered anew since this application ended; what happens now belongs to the newer
    one.
    """

    code = "registration_superseded"
