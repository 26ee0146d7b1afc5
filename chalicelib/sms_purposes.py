"""The purposes of SMS, which registrations ask for and notifications send. Pure."""

from enum import StrEnum


class Purpose(StrEnum):
    """The purposes of SMS, each with a template in `templates.json`."""

    RECEIVED = "received"
    PAYMENT_CODE = "payment_code"
    ACTIVE = "active"
    PAYMENT_LATE = "payment_late"
    MISMATCH = "mismatch"
    LAPSING_SOON = "lapsing_soon"
    CANCELLED = "cancelled"
    ALREADY_REGISTERED = "already_registered"
