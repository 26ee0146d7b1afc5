"""What membership costs, month by month, and by which rule."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.occupations.model import Sector

Programme = Literal["JKK", "JKM", "JHT"]
Payer = Literal["self", "sponsor", "csr", "state_budget"]
Months = Literal[1, 2, 3, 6, 12]

ContributionMonth = Annotated[str, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]

_PER_MILLE = 1000
_PER_CENT = 100
_MONTHS_A_YEAR = 12


def format_month(day: date) -> str:
    """The contribution month of a day, such as `2026-11`."""
    return f"{day.year:04d}-{day.month:02d}"


def list_months(first_month: str, count: int) -> list[str]:
    """A run of contribution months."""
    year, month = map(int, first_month.split("-"))
    ordinals = range(year * _MONTHS_A_YEAR + month - 1, year * _MONTHS_A_YEAR + month - 1 + count)
    return [f"{each // _MONTHS_A_YEAR:04d}-{each % _MONTHS_A_YEAR + 1:02d}" for each in ordinals]


class _DatedRule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    source: str
    first_month: ContributionMonth
    last_month: ContributionMonth | None

    def is_in_force(self, month: str) -> bool:
        """Whether this is the rule in a contribution month."""
        return self.first_month <= month and (self.last_month is None or month <= self.last_month)


class Band(BaseModel):
    """Incomes from this one up to the next band's share one base. Rupiah a month."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    income_from: int = Field(ge=0)
    base: int = Field(gt=0)


class ContributionTable(_DatedRule):
    """What each programme costs by income. The base of the band decides, never the income itself."""

    jkk_per_mille: int
    jkm_amount: int
    jht_per_mille: int
    bands: tuple[Band, ...] = Field(min_length=1, description="By income, the first from 0.")

    def find_base(self, monthly_income: int) -> int:
        """The base of the band an income falls in; only lower bounds decide, so no income falls between
        two.
        """
        return [band.base for band in self.bands if band.income_from <= monthly_income][-1]

    def compute_amount(self, programme: Programme, monthly_income: int) -> int:
        """One month of one programme, in rupiah."""
        match programme:
            case "JKK":
                return self.find_base(monthly_income) * self.jkk_per_mille // _PER_MILLE
            case "JKM":
                return self.jkm_amount
            case "JHT":
                return self.find_base(monthly_income) * self.jht_per_mille // _PER_MILLE


class DiscountPolicy(_DatedRule):
    """A relief from contributions: for whom, on which programmes, and who may not be the payer."""

    sectors: tuple[Sector, ...]
    programmes: tuple[Programme, ...]
    except_payers: tuple[Payer, ...]
    percent_off: int = Field(gt=0, le=100)
    full_price_months: int = Field(ge=0, description="How many first months a newcomer pays in full.")

    def is_applicable(self, inputs: "QuoteInputs", programme: Programme, month_index: int) -> bool:
        """Whether a newcomer's month, counted from 0, is relieved."""
        return (
            inputs.sector in self.sectors
            and programme in self.programmes
            and inputs.payer not in self.except_payers
            and month_index >= self.full_price_months
        )

    def apply_discount(self, amount: int) -> int:
        """What is left to pay."""
        return amount * (_PER_CENT - self.percent_off) // _PER_CENT


@dataclass(frozen=True)
class QuoteInputs:
    """What a quote depends on."""

    monthly_income: int
    sector: Sector
    payer: Payer


class QuoteLine(BaseModel):
    """One programme in one month, with the rules it was priced by."""

    model_config = ConfigDict(frozen=True)

    programme: Programme
    amount: int
    table: str
    policy: str | None


class QuoteMonth(BaseModel):
    """One contribution month."""

    model_config = ConfigDict(frozen=True)

    month: str
    amount: int
    lines: tuple[QuoteLine, ...]


class Quote(BaseModel):
    """A price in rupiah, per contribution month; a boundary between two rules shows as months that differ."""

    model_config = ConfigDict(frozen=True)

    total: int
    months: tuple[QuoteMonth, ...]
