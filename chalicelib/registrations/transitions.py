"""The statuses and events of a registration, and the one table of transitions. Pure."""

from collections.abc import Mapping
from enum import StrEnum


class Status(StrEnum):
    """The status of a registration.

    Registered is not yet protected: only `active` is.
    """

    RECEIVED = "received"
    AWAITING_PAYMENT = "awaiting_payment"
    MISMATCH = "mismatch"
    ACTIVE = "active"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DECEASED = "deceased"


class EventType(StrEnum):
    """The type of an event of a registration."""

    REGISTERED = "registered"
    PAYMENT_CODE_ISSUED = "payment_code_issued"
    PAID = "paid"
    MATCHED = "matched"
    MISMATCHED = "mismatched"
    CANCELLED = "cancelled"
    TAKEN_OVER = "taken_over"
    LAPSING_SOON = "lapsing_soon"
    LAPSED = "lapsed"
    EXPIRED = "expired"
    SMS_REQUESTED = "sms_requested"
    REPEAT_DIFFERS = "repeat_differs"
    IDENTITY_DELETED = "identity_deleted"
    CORRECTED = "corrected"
    RECHECK_REQUESTED = "recheck_requested"
    CORRECTION_REQUESTED = "correction_requested"
    CORRECTION_DECLINED = "correction_declined"
    DECEASED = "deceased"


class Verification(StrEnum):
    """The last answer of the civil registry. It is independent of the status."""

    NOT_CHECKED = "not_checked"
    MATCHED = "matched"
    MISMATCH = "mismatch"


# An application that has ended makes room for a new one of the same worker.
ENDED_STATUSES = frozenset({Status.LAPSED, Status.CANCELLED, Status.EXPIRED, Status.DECEASED})
ENDED_UNPAID_STATUSES = frozenset({Status.CANCELLED, Status.EXPIRED})
# A lapsed membership may be paid again; nothing happens after these but deletion.
FINAL_STATUSES = ENDED_UNPAID_STATUSES | {Status.DECEASED}
OPEN_UNPAID_STATUSES = frozenset({Status.RECEIVED, Status.AWAITING_PAYMENT, Status.MISMATCH})

# The status after each event, by the status before it. An event that is not listed is refused.
TRANSITIONS: Mapping[EventType, Mapping[Status, Status]] = {
    EventType.PAYMENT_CODE_ISSUED: {
        Status.RECEIVED: Status.AWAITING_PAYMENT,
        Status.AWAITING_PAYMENT: Status.AWAITING_PAYMENT,
        Status.ACTIVE: Status.ACTIVE,
        Status.LAPSED: Status.LAPSED,
    },
    EventType.PAID: {
        # Workers may pay by NIK before a code was issued, and late.
        Status.RECEIVED: Status.ACTIVE,
        Status.AWAITING_PAYMENT: Status.ACTIVE,
        Status.ACTIVE: Status.ACTIVE,
        Status.LAPSED: Status.ACTIVE,
    },
    EventType.MATCHED: {
        Status.RECEIVED: Status.RECEIVED,
        Status.MISMATCH: Status.RECEIVED,
        Status.AWAITING_PAYMENT: Status.AWAITING_PAYMENT,
        Status.ACTIVE: Status.ACTIVE,
    },
    EventType.MISMATCHED: {
        Status.RECEIVED: Status.MISMATCH,
        Status.MISMATCH: Status.MISMATCH,
        Status.AWAITING_PAYMENT: Status.MISMATCH,
        # A clerical doubt does not end paid protection; `verification` keeps the result.
        Status.ACTIVE: Status.ACTIVE,
    },
    EventType.CANCELLED: dict.fromkeys(OPEN_UNPAID_STATUSES, Status.CANCELLED),
    # An officer of another campaign registered the worker anew (see `takeovers`). No SMS belongs to it.
    EventType.TAKEN_OVER: dict.fromkeys(OPEN_UNPAID_STATUSES, Status.CANCELLED),
    # Changes no status: the event records the reminder, so that there is one for each payment.
    EventType.LAPSING_SOON: {Status.ACTIVE: Status.ACTIVE},
    EventType.LAPSED: {Status.ACTIVE: Status.LAPSED},
    EventType.EXPIRED: dict.fromkeys(OPEN_UNPAID_STATUSES, Status.EXPIRED),
    # Changes no status: the event records who asked for an SMS to be sent once more.
    EventType.SMS_REQUESTED: {each: each for each in Status if each not in FINAL_STATUSES},
    # Changes no status: the event records that the worker was captured again with other data.
    EventType.REPEAT_DIFFERS: {status: status for status in Status if status not in ENDED_STATUSES},
    # Changes no status: the event records that NIK, birth date, addresses and income were deleted.
    EventType.IDENTITY_DELETED: {Status.ACTIVE: Status.ACTIVE},
    # Changes no status: the event names the fields that were corrected, and never their values.
    EventType.CORRECTED: {each: each for each in Status if each not in FINAL_STATUSES},
    # After a correction of what the core system checks or charges for: it gets an unpaid application again.
    EventType.RECHECK_REQUESTED: {
        **dict.fromkeys(OPEN_UNPAID_STATUSES, Status.RECEIVED),
        Status.ACTIVE: Status.ACTIVE,
        Status.LAPSED: Status.LAPSED,
    },
    # Corrections of paid registrations are requested by a manager and decided by the core system.
    EventType.CORRECTION_REQUESTED: {Status.ACTIVE: Status.ACTIVE, Status.LAPSED: Status.LAPSED},
    EventType.CORRECTION_DECLINED: {Status.ACTIVE: Status.ACTIVE, Status.LAPSED: Status.LAPSED},
    # No SMS belongs to it, and no other one is true after it.
    EventType.DECEASED: {each: Status.DECEASED for each in Status if each not in FINAL_STATUSES},
}

REPORTED_EVENTS = frozenset(
    {EventType.PAYMENT_CODE_ISSUED, EventType.PAID, EventType.MATCHED, EventType.MISMATCHED}
)

# Twenty-five years of a code and a payment each month. Beside them an item of 400 KB has room for the events
# that follow from them, and for a cancellation.
MAX_REPORTED_EVENTS = 600
