"""What the registrations package refuses.

Refusal
├── RegistrationUnknown   no registration has this reference, or the caller may not know of it
├── PhoneCapReached       the phone number was given for as many registrations today as it may
├── CaptureReused         the capture id was used before, with other content
├── PaymentReused         the payment id was used before, with other content
├── TransitionNotAllowed  the registration's state does not allow this
├── Superseded            the worker has a newer registration; this one has ended for good
└── RulesBroken           (from refusals) the capture breaks rules of the field, each named
"""

from chalicelib.refusals import Refusal


class RegistrationUnknown(Refusal):
    """No registration has this reference, or none that this caller may know of."""

    code = "registration_unknown"


class CaptureReused(Refusal):
    """A capture with this id, but other content, was sent before; this one is not stored."""

    code = "capture_reused"


class PhoneCapReached(Refusal):
    """This phone number was given for as many registrations today as it may; this one was not stored."""

    code = "phone_cap_reached"


class PaymentReused(Refusal):
    """A payment with this id, but another amount, date or number of months, was reported before."""

    code = "payment_reused"


class TransitionNotAllowed(Refusal):
    """The registration's state does not allow this."""

    code = "transition_not_allowed"


class Superseded(Refusal):
    """The worker has registered anew since this application ended; what happens now belongs to the newer
    one.
    """

    code = "registration_superseded"
