"""Errors of the SMS ledger.

SmsUnknown
NoPhone
StaleRevision
LimitExceeded
├── PhoneOptedOut
├── DailyLimitReached
└── BudgetExhausted
"""


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
