"""Refusals of the enrolments package.

Refusal
├── EnrolmentCodeUnknown   there is no such code, or not any more
└── ClientWithoutDevice    codes are for clients whose token lives in a device
"""

from chalicelib.refusals import Refusal


class EnrolmentCodeUnknown(Refusal):
    """The code is wrong, was used, has expired, or was guessed at too often: the same answer for all."""

    code = "enrolment_code_unknown"


class ClientWithoutDevice(Refusal):
    """Codes are for kiosks and the web: the token of a person or of another system is no code away."""

    code = "client_without_device"
