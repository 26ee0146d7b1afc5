"""The contribution months that payments pay for. Pure."""

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from chalicelib.contributions.model import list_months
from chalicelib.contributions.service import find_contribution_month

if TYPE_CHECKING:
    from chalicelib.registrations.model import Payment


def compute_paid_through(payments: Iterable["Payment"]) -> str | None:
    """Return the last month paid for. The order in which payments were reported does not matter."""
    paid_through: str | None = None
    for payment in sorted(payments, key=lambda each: (each.paid_at, each.payment_id)):
        first = find_contribution_month(payment.paid_at)
        if paid_through is not None and paid_through >= first:
            first = list_months(paid_through, 2)[-1]
        paid_through = list_months(first, payment.months)[-1]
    return paid_through


def find_first_day_after(month: str, *, month_count: int) -> date:
    """Return the first day of the month that is `month_count` months after `month`."""
    year, number = map(int, list_months(month, month_count + 1)[-1].split("-"))
    return date(year, number, 1)
