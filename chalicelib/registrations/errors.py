"""What the registrations package refuses.

Refusal
├── RegistrationUnknown   no registration has this reference, or the caller may not know of it
├── CaptureReused         the capture id was used before, with other content
└── RulesBroken           (from refusals) the capture breaks rules of the field, each named
"""

from chalicelib.refusals import Refusal


class RegistrationUnknown(Refusal):
    """No registration has this reference, or none that this caller may know of."""

    code = "registration_unknown"


class CaptureReused(Refusal):
    """A capture with this id, but other content, was sent before; this one is not stored."""

    code = "capture_reused"
