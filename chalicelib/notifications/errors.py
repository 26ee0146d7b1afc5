"""Errors of the SMS ledger, and refusals of requests for SMS.

SmsUnknown
NoPhone
StaleRevision
LimitExceeded
├── PhoneOptedOut
├── DailyLimitReached
└── BudgetExhausted

Refusal
├── WorkerWithoutPhone
├── WorkerOptedOut
├── SmsNotApplicable        the registration's status does not allow it
├── SmsRequestCapReached    requested too often today
└── SmsRequestsExhausted    requested too often in all
"""

from chalicelib.refusals import Refusal


class SmsUnknown(Exception):
    """The ledger holds no such SMS."""


class NoPhone(Exception):
    """The worker has no phone, and so gets no SMS."""


class StaleRevision(Exception):
    """The row has changed since it was read."""


class LimitExceeded(Exception):
    """An SMS may not be sent, or not now."""


class PhoneOptedOut(LimitExceeded):
    """The worker has opted out of SMS."""


class DailyLimitReached(LimitExceeded):
    """The phone has had its maximum of SMS for the day."""


class BudgetExhausted(LimitExceeded):
    """The campaign's budget for the day is spent or reserved."""


class WorkerWithoutPhone(Refusal):
    """The worker has no phone, and so gets no SMS."""

    code = "worker_without_phone"


class WorkerOptedOut(Refusal):
    """The owner of the worker's phone wants no SMS."""

    code = "worker_opted_out"


class SmsNotApplicable(Refusal):
    """The text of the SMS is not true of the registration now."""

    code = "sms_not_applicable"


class SmsRequestCapReached(Refusal):
    """The worker's SMS were requested as often as they may be in a day."""

    code = "sms_request_cap_reached"


class SmsRequestsExhausted(Refusal):
    """The worker's SMS were requested as often as they may be in all."""

    code = "sms_requests_exhausted"
