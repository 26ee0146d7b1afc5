"""The stores that sending reads and writes."""

from typing import Protocol

from chalicelib.campaigns.model import Campaign
from chalicelib.messaging.model import SmsId
from chalicelib.notifications.model import SendLimits, Sms
from chalicelib.registrations.model import Registration


class SmsLedger(Protocol):
    """Stores SMS. Every write is conditional on the revision that was read."""

    def get(self, sms_id: SmsId) -> Sms | None:
        """Return one SMS, or None."""

    def get_or_create(self, sms: Sms) -> Sms:
        """Store a new SMS. Return the stored one, which may be another process's."""

    def claim(self, sms: Sms, *, previous: Sms, limits: SendLimits) -> None:
        """Store a claimed SMS, reserve its budget, and count it for the phone's day, or change nothing.

        Raise StaleRevision, PhoneOptedOut, DailyLimitReached, BudgetExhausted or WriteConflict.
        """

    def update(self, sms: Sms, *, previous: Sms) -> bool:
        """Store the next revision of an SMS, and the difference that it makes to the budget.

        Return False if the row has changed. Raise WriteConflict.
        """


class Registrations(Protocol):
    def get(self, reference: str) -> Registration:
        """Return a registration. Raise RegistrationUnknown."""

    def is_latest(self, registration: Registration) -> bool:
        """Return True if the worker has not registered again since. During an erasure return False."""


class Campaigns(Protocol):
    def get(self, campaign_id: str) -> Campaign:
        """Return a campaign. Raise CampaignUnknown."""
