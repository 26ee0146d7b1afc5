"""Quotes: the price of each contribution month, and the rules it follows."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from chalicelib.clock import Clock
from chalicelib.contributions.model import (
    ContributionTable,
    DiscountPolicy,
    Programme,
    Quote,
    QuoteInputs,
    QuoteLine,
    QuoteMonth,
    find_later_month,
    format_month,
    list_months,
)
from chalicelib.contributions.rules import Rules
from chalicelib.occupations.model import find_sector, is_known_occupation
from chalicelib.refusals import BrokenRule, RulesBroken

if TYPE_CHECKING:
    # Its callers have loaded it; the cold start of the API does without it.
    from chalicelib.contributions.model import QuoteRequest
    from chalicelib.contributions.schemas import AskForQuote

FUND_ZONE = ZoneInfo("Asia/Jakarta")
"""The fund's own clock, in Jakarta (WIB). It decides what belongs to no campaign: the present month of a
quote without a capture, the days on which memberships lapse, and whether a payment code is over.
"""

OFFERED_PROGRAMMES: tuple[tuple[Programme, ...], ...] = (("JKK", "JKM"), ("JKK", "JKM", "JHT"))

# Permenaker 5/2021, art. 31-32: a worker who employs others must take all three programmes.
REQUIRED_OF_EMPLOYERS: tuple[Programme, ...] = ("JHT",)

# Nobody pays so far ahead, and no table is known to hold: the year was mistyped.
_MAX_MONTHS_AHEAD = 60


class QuoteService:
    """Computes quotes."""

    def __init__(self, *, rules: Rules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock

    def quote(self, quote_request: "AskForQuote | QuoteRequest") -> Quote:
        """Return the price of a request. Raise RulesBroken with every field that has no price."""
        start = quote_request.start_month or find_contribution_month(self._clock(), FUND_ZONE)
        broken = [*check_choices(quote_request), *self._check_months(quote_request, start)]
        if broken:
            raise RulesBroken(*broken)
        inputs = QuoteInputs(
            monthly_income=quote_request.monthly_income,
            sector=find_sector(quote_request.occupations),
            payer=quote_request.payer,
        )
        months = tuple(
            self._price_month(inputs, month, position, quote_request.programmes)
            for position, month in enumerate(list_months(start, quote_request.months))
        )
        return Quote(total=sum(month.amount for month in months), months=months)

    def _check_months(
        self, quote_request: "AskForQuote | QuoteRequest", first_month: str
    ) -> Iterator[BrokenRule]:
        if any(self._find_table(month) is None for month in list_months(first_month, quote_request.months)):
            yield BrokenRule("start_month", "month_without_rule")
        present_month = find_contribution_month(self._clock(), FUND_ZONE)
        if first_month > find_later_month(present_month, _MAX_MONTHS_AHEAD):
            yield BrokenRule("start_month", "month_too_late")

    def _price_month(
        self, inputs: QuoteInputs, month: str, month_index: int, programmes: tuple[Programme, ...]
    ) -> QuoteMonth:
        table = self._find_table(month)
        if table is None:
            raise ValueError(f"no table holds in {month}")
        lines = tuple(
            _price_line(inputs, table, self._find_policy(inputs, month, month_index, programme), programme)
            for programme in programmes
        )
        return QuoteMonth(month=month, amount=sum(line.amount for line in lines), lines=lines)

    def _find_table(self, month: str) -> ContributionTable | None:
        return next((table for table in self._rules.tables if table.is_in_force(month)), None)

    def _find_policy(
        self, inputs: QuoteInputs, month: str, month_index: int, programme: Programme
    ) -> DiscountPolicy | None:
        in_force = (policy for policy in self._rules.policies if policy.is_in_force(month))
        return next(
            (policy for policy in in_force if policy.is_applicable(inputs, programme, month_index)), None
        )


def find_contribution_month(instant: datetime, zone: ZoneInfo) -> str:
    """Return the month of the local day of `instant` in a zone."""
    return format_month(instant.astimezone(zone).date())


def check_choices(quote_request: "AskForQuote | QuoteRequest") -> Iterator[BrokenRule]:
    """Yield the rules that the choices of a request break, whatever their price."""
    programmes = set(quote_request.programmes)
    is_offered = any(programmes == set(offered) for offered in OFFERED_PROGRAMMES)
    if not is_offered or len(programmes) != len(quote_request.programmes):
        yield BrokenRule("programmes", "programmes_not_offered")
    elif quote_request.employs_others and not programmes.issuperset(REQUIRED_OF_EMPLOYERS):
        yield BrokenRule("programmes", "jht_required")
    for position, occupation in enumerate(quote_request.occupations):
        if occupation in quote_request.occupations[:position]:
            yield BrokenRule(f"occupations.{position}", "value_repeated")
        if not is_known_occupation(occupation):
            yield BrokenRule(f"occupations.{position}", "occupation_unknown")


def _price_line(
    inputs: QuoteInputs, table: ContributionTable, policy: DiscountPolicy | None, programme: Programme
) -> QuoteLine:
    full_amount = table.compute_amount(programme, inputs.monthly_income)
    return QuoteLine(
        programme=programme,
        amount=full_amount if policy is None else policy.apply_discount(full_amount),
        table=table.id,
        policy=None if policy is None else policy.id,
    )
