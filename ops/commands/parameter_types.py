"""Types of command-line parameters that take one written form only."""

import re
from datetime import date

import click

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"0|[1-9][0-9]{0,9}")


class _DayType(click.ParamType[date]):
    name = "YYYY-MM-DD"

    def convert(self, value: date | str, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """Return a date written YYYY-MM-DD, with its zeros. Raise click's BadParameter."""
        if isinstance(value, date):
            return value
        try:
            # `fromisoformat` also reads 20241009 and 2024-W41-3.
            return date.fromisoformat(value if _DATE.fullmatch(value) else "")
        except ValueError:
            self.fail(f"{value!r} is not a date: write it as 2024-10-09", param, ctx)


class _WholeNumberType(click.ParamType[int]):
    name = "number"

    def convert(self, value: int | str, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return a whole number written in digits alone. Raise click's BadParameter."""
        if isinstance(value, int):
            return value
        if not _DIGITS.fullmatch(value):
            self.fail(f"{value!r} is not a whole number: write it in digits", param, ctx)
        return int(value)


DAY = _DayType()
WHOLE_NUMBER = _WholeNumberType()
