"""The bounds of the times that others report: payments, payment codes and consents.

A bound refuses what cannot be true, and never a true report that comes late. What is recorded already may be
reported again at any time. Pure.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.campaigns.model import CLOCK_SKEW
from chalicelib.contributions.service import FUND_ZONE
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations.model import LifecycleState, Registration
from chalicelib.registrations.worker import Consent

if TYPE_CHECKING:
    from chalicelib.registrations.reported_events import Payment, PaymentCode

# Workers pay by their NIK, so a payment may come before the capture that it is matched with; contributions
# are monthly. It is also more than the clock of a device can be wrong within most campaigns.
_PAID_BEFORE_CAPTURE = timedelta(days=31)

# Longer than any payment code is good for; beyond it, the year was mistyped.
_MAX_CODE_LIFETIME = timedelta(days=5 * 366)

# Personal data may be taken on consent since the law of 17 October 2022 (UU 27/2022).
FIRST_CONSENT_DAY = date(2022, 10, 17)


def check_payment_time(payment: "Payment", registration: Registration, *, now: datetime) -> None:
    """Raise RulesBroken for a payment after `now`, or long before its worker was captured."""
    if payment in registration.lifecycle.payments:
        return
    if payment.paid_at > now + CLOCK_SKEW:
        raise RulesBroken(BrokenRule("paid_at", "paid_in_future"))
    if payment.paid_at < registration.capture_metadata.captured_at - _PAID_BEFORE_CAPTURE:
        raise RulesBroken(BrokenRule("paid_at", "paid_before_capture"))


def check_payment_code(payment_code: "PaymentCode", lifecycle: LifecycleState, *, today: date) -> None:
    """Raise RulesBroken for a payment code that nobody can pay with, or that is good for too long.

    A code that is over may be recorded late if a payment was made while it was good.
    """
    if lifecycle.has_payment_code(payment_code):
        return
    is_paid = any(
        payment.paid_at.astimezone(FUND_ZONE).date() <= payment_code.expires_on
        for payment in lifecycle.payments
    )
    if payment_code.expires_on < today and not is_paid:
        raise RulesBroken(BrokenRule("expires_on", "payment_code_expired"))
    if payment_code.expires_on > today + _MAX_CODE_LIFETIME:
        raise RulesBroken(BrokenRule("expires_on", "payment_code_too_long"))


def check_consent_time(consent: Consent, *, now: datetime) -> Iterator[BrokenRule]:
    """Yield the bound that the time of a consent breaks: `now`, and the first day of the law."""
    if consent.given_at > now + CLOCK_SKEW:
        yield BrokenRule("consent.given_at", "consent_in_future")
    elif consent.given_at.date() < FIRST_CONSENT_DAY:
        yield BrokenRule("consent.given_at", "consent_too_old")
