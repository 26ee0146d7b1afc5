"""The contribution months that payments pay for. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from chalicelib.campaigns.model import Zone
from chalicelib.contributions.model import find_later_month, list_months
from chalicelib.contributions.service import find_contribution_month

if TYPE_CHECKING:
    from chalicelib.registrations.reported_events import Payment


def iter_paid_months(payments: Iterable["Payment"], zone: Zone) -> Iterator[tuple["Payment", list[str]]]:
    """Yield each payment with the months that it pays for, in an order that is not that of the reports.

    The month in which a payment was made is that of its local day in `zone`.
    """
    paid_through: str | None = None
    for payment in sorted(payments, key=lambda each: (each.paid_at, each.payment_id)):
        first = find_contribution_month(payment.paid_at, ZoneInfo(zone))
        if paid_through is not None and paid_through >= first:
            first = find_later_month(paid_through, 1)
        months = list_months(first, payment.months)
        yield payment, months
        paid_through = months[-1]


def find_first_day_after(month: str, *, month_count: int) -> date:
    """Return the first day of the month that is `month_count` months after `month`."""
    year, number = map(int, find_later_month(month, month_count).split("-"))
    return date(year, number, 1)
