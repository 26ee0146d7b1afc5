"""Contribution tables, discount policies and quotes."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from chalicelib.fields import UNIQUE_ITEMS, WHOLE_NUMBER
from chalicelib.models import FrozenModel
from chalicelib.occupations.model import Sector
from chalicelib.values import Value

Programme = Literal["JKK", "JKM", "JHT"]
Payer = Literal["self", "sponsor", "csr", "state_budget"]
Months = Annotated[Literal[1, 2, 3, 6, 12], WHOLE_NUMBER]

ContributionMonth = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]

_PER_MILLE = 1000
_PER_CENT = 100
_MONTHS_A_YEAR = 12


def format_month(day: date) -> str:
    """Return the contribution month of a day, such as `2026-11`."""
    return f"{day.year:04d}-{day.month:02d}"


def list_months(first_month: str, count: int) -> list[str]:
    """Return `count` contribution months, beginning with `first_month`."""
    return [find_later_month(first_month, distance) for distance in range(count)]


def find_later_month(month: str, distance: int) -> str:
    """Return the contribution month that is `distance` months after `month`."""
    year, number = map(int, month.split("-"))
    years, index = divmod(number - 1 + distance, _MONTHS_A_YEAR)
    return f"{year + years:04d}-{index + 1:02d}"


class _DatedRule(Value):
    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    id: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")]
    source: str
    first_month: ContributionMonth
    last_month: ContributionMonth | None

    def is_in_force(self, month: str) -> bool:
        """Return True if this rule applies to a contribution month."""
        return self.first_month <= month and (self.last_month is None or month <= self.last_month)


class Band(Value):
    """The base for incomes from `income_from` up to the next band. Rupiah a month."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    income_from: Annotated[int, Field(ge=0)]
    base: Annotated[int, Field(gt=0)]


class ContributionTable(_DatedRule):
    """The price of each programme by income band. The base of the band decides, never the income itself."""

    jkk_per_mille: int
    jkm_amount: int
    jht_per_mille: int
    bands: Annotated[tuple[Band, ...], Field(min_length=1, description="By income, the first from 0.")]

    def find_base(self, monthly_income: int) -> int:
        """Return the base of the band of an income. Only lower bounds count, so that there are no gaps."""
        return [band.base for band in self.bands if band.income_from <= monthly_income][-1]

    def compute_amount(self, programme: Programme, monthly_income: int) -> int:
        """Return the price of one programme for one month, in rupiah."""
        match programme:
            case "JKK":
                return self.find_base(monthly_income) * self.jkk_per_mille // _PER_MILLE
            case "JKM":
                return self.jkm_amount
            case "JHT":
                return self.find_base(monthly_income) * self.jht_per_mille // _PER_MILLE


class DiscountPolicy(_DatedRule):
    """A discount on contributions: its sectors, its programmes and the payers that it excludes."""

    sectors: Annotated[tuple[Sector, ...], UNIQUE_ITEMS]
    programmes: Annotated[tuple[Programme, ...], UNIQUE_ITEMS]
    except_payers: Annotated[tuple[Payer, ...], UNIQUE_ITEMS]
    percent_off: Annotated[int, Field(gt=0, le=100)]
    full_price_months: Annotated[
        int, Field(ge=0, description="How many first months a newcomer pays in full.")
    ]

    def is_applicable(self, inputs: "QuoteInputs", programme: Programme, month_index: int) -> bool:
        """Return True if the discount applies to a new member's month; the first month has index 0."""
        return (
            inputs.sector in self.sectors
            and programme in self.programmes
            and inputs.payer not in self.except_payers
            and month_index >= self.full_price_months
        )

    def apply_discount(self, amount: int) -> int:
        return amount * (_PER_CENT - self.percent_off) // _PER_CENT


class QuoteRequest(Value):
    """The part of a capture that is priced. Over HTTP, `schemas.AskForQuote` asks for the same."""

    monthly_income: int
    occupations: tuple[str, ...]
    employs_others: bool
    programmes: tuple[Programme, ...]
    months: int
    payer: Payer
    start_month: str | None


class QuoteInputs(Value):
    """The inputs of a quote."""

    monthly_income: int
    sector: Sector
    payer: Payer


class QuoteLine(FrozenModel):
    """One programme in one month, with the rules it was priced by."""

    programme: Programme
    amount: int
    table: str
    policy: str | None


class QuoteMonth(FrozenModel):
    """One contribution month."""

    month: str
    amount: int
    lines: tuple[QuoteLine, ...]


class Quote(FrozenModel):
    """A price in rupiah, per contribution month; a boundary between two rules shows as months that differ."""

    total: int
    months: tuple[QuoteMonth, ...]

    def estimate(self, months: Iterable[str]) -> int:
        """Return what `months` cost by this quote; one outside it costs what the nearest quoted one does."""
        amounts = {quoted.month: quoted.amount for quoted in self.months}
        first, last = min(amounts), max(amounts)
        return sum(amounts[min(max(month, first), last)] for month in months)
