"""Comparison of payments with quotes. Pure."""

from chalicelib.contributions.model import Quote
from chalicelib.registrations.model import LifecycleState
from chalicelib.registrations.paid_months import iter_paid_months
from chalicelib.registrations.reported_events import Payment


def differs_from_quote(
    payment: Payment, lifecycle: LifecycleState, quote: Quote, *, max_percent: int
) -> bool:
    """Return True if a payment of `lifecycle` is more than `max_percent` off the quote of its months."""
    months = next(
        months for each, months in iter_paid_months(lifecycle.payments, lifecycle.zone) if each == payment
    )
    expected = quote.estimate(months)
    return 100 * abs(payment.amount - expected) > max_percent * expected
