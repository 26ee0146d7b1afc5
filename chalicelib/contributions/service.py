"""Pricing: what each contribution month costs, and by which rules."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from chalicelib.clock import Clock
from chalicelib.contributions.messages import AskForQuote
from chalicelib.contributions.model import (
    Case,
    ContributionTable,
    DiscountPolicy,
    Programme,
    Quote,
    QuoteLine,
    QuoteMonth,
    month_of,
    months_from,
)
from chalicelib.contributions.rules import Rules
from chalicelib.occupations.model import is_known, sector_of
from chalicelib.refusals import BrokenRule, RulesBroken

# Which zone a contribution month is counted in is not said anywhere; the agency sits in Jakarta.
CONTRIBUTION_ZONE = ZoneInfo("Asia/Jakarta")

_OFFERED = ({"JKK", "JKM"}, {"JKK", "JKM", "JHT"})


class Quoting:
    """Works out quotes."""

    def __init__(self, *, rules: Rules, clock: Clock) -> None:
        self._rules = rules
        self._clock = clock

    def quote(self, asked: AskForQuote) -> Quote:
        """The price of what is asked for. Raises RulesBroken, naming every field that cannot be had."""
        start = asked.start_month or contribution_month(self._clock())
        broken = [*broken_choices(asked), *self._months_without_rule(asked, start)]
        if broken:
            raise RulesBroken(*broken)
        case = Case(
            monthly_income=asked.monthly_income, sector=sector_of(asked.occupations), payer=asked.payer
        )
        months = tuple(
            self._month(case, month, position, asked.programmes)
            for position, month in enumerate(months_from(start, asked.months))
        )
        return Quote(total=sum(month.amount for month in months), months=months)

    def _months_without_rule(self, asked: AskForQuote, start: str) -> Iterator[BrokenRule]:
        if any(self._table(month) is None for month in months_from(start, asked.months)):
            yield BrokenRule("start_month", "month_without_rule")

    def _month(self, case: Case, month: str, position: int, programmes: tuple[Programme, ...]) -> QuoteMonth:
        table = self._table(month)
        if table is None:
            raise ValueError(f"no table holds in {month}")
        lines = tuple(
            _line(case, table, self._policy(case, month, position, programme), programme)
            for programme in programmes
        )
        return QuoteMonth(month=month, amount=sum(line.amount for line in lines), lines=lines)

    def _table(self, month: str) -> ContributionTable | None:
        return next((table for table in self._rules.tables if table.holds_in(month)), None)

    def _policy(self, case: Case, month: str, position: int, programme: Programme) -> DiscountPolicy | None:
        holding = (policy for policy in self._rules.policies if policy.holds_in(month))
        return next((policy for policy in holding if policy.applies(case, programme, position)), None)


def contribution_month(at: datetime) -> str:
    """The contribution month of an instant."""
    return month_of(at.astimezone(CONTRIBUTION_ZONE).date())


def broken_choices(asked: AskForQuote) -> Iterator[BrokenRule]:
    """What is asked for but cannot be had, whatever it costs."""
    programmes = set(asked.programmes)
    if programmes not in _OFFERED or len(programmes) != len(asked.programmes):
        yield BrokenRule("programmes", "programmes_not_offered")
    elif asked.employs_others and "JHT" not in programmes:
        # Permenaker 5/2021, art. 31-32: who employs others must take all three.
        yield BrokenRule("programmes", "jht_required")
    for position, occupation in enumerate(asked.occupations):
        if not is_known(occupation):
            yield BrokenRule(f"occupations.{position}", "occupation_unknown")


def _line(
    case: Case, table: ContributionTable, policy: DiscountPolicy | None, programme: Programme
) -> QuoteLine:
    full = table.amount(programme, case.monthly_income)
    return QuoteLine(
        programme=programme,
        amount=full if policy is None else policy.relieved(full),
        table=table.id,
        policy=None if policy is None else policy.id,
    )
