"""The estimates that the form shows: what usual coverage costs from a contribution month on. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from typing import get_args

from chalicelib.contributions.model import Months, Programme
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.schemas import AskForQuote
from chalicelib.contributions.service import OFFERED_PROGRAMMES, QuoteService
from chalicelib.occupations.model import Sector, load_occupations
from chalicelib.refusals import RulesBroken

_ABOVE_EVERY_INCOME = 1_000_000_001
_MONTHS: tuple[int, ...] = get_args(get_args(Months)[0])
_SECTORS: tuple[Sector, ...] = get_args(Sector)


@dataclass(frozen=True)
class IncomeBand:
    """The incomes of one price: from `income_from` to below `income_below`. Its name is the former."""

    name: str
    income_from: int
    income_below: int


@dataclass(frozen=True)
class Price:
    """The price of a choice of a worker who pays, by a name that the form puts together."""

    name: str
    total: int


def list_income_bands(first_month: str) -> list[IncomeBand]:
    """Return the bands of the table of a month; none where there is no table."""
    table = next((each for each in load_rules().tables if each.is_in_force(first_month)), None)
    if table is None:
        return []
    bounds = [*(band.income_from for band in table.bands), _ABOVE_EVERY_INCOME]
    return [IncomeBand(str(start), start, end) for start, end in pairwise(bounds)]


def iter_prices(first_month: str, quote_service: QuoteService) -> Iterator[Price]:
    """Yield the price of each choice of a worker who pays, by income band; nothing without a rule."""
    bands = list_income_bands(first_month)
    for sector, programmes, months in product(_SECTORS, OFFERED_PROGRAMMES, _MONTHS):
        for band in bands:
            total = _quote(quote_service, first_month, sector, programmes, months, band.income_from)
            if total is not None:
                yield Price(f"{sector}-{'_'.join(programmes)}-{months}-{band.name}", total)


def _quote(
    quote_service: QuoteService,
    first_month: str,
    sector: Sector,
    programmes: tuple[Programme, ...],
    months: int,
    income: int,
) -> int | None:
    occupation = next(each.id for each in load_occupations().values() if each.sector == sector)
    request = AskForQuote(
        monthly_income=income,
        occupations=(occupation,),
        employs_others=False,
        programmes=programmes,
        months=months,  # type: ignore[arg-type]
        payer="self",
        start_month=first_month,
    )
    try:
        return quote_service.quote(request).total
    except RulesBroken:
        return None
