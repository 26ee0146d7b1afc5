"""The prices of messages in chats, by channel, category and day. Pure.

`prices.json` has a row for each change. A gateway's report of the real price replaces it.
"""

from datetime import date
from functools import cache
from pathlib import Path

from pydantic import Field

from chalicelib.models import StrictModel
from chalicelib.strict_json import parse_data_file

_FILE = Path(__file__).with_name("prices.json")


class _Price(StrictModel):
    channel: str
    category: str
    from_day: date
    rupiah: int = Field(ge=0)


class _Prices(StrictModel):
    source: str
    prices: tuple[_Price, ...]


def find_price(channel: str, category: str, day: date) -> int:
    """Return the rupiah of one message on a day, 0 before the first row."""
    rows = [
        row
        for row in _load_prices()
        if (row.channel, row.category) == (channel, category) and row.from_day <= day
    ]
    return max(rows, key=lambda row: row.from_day).rupiah if rows else 0


@cache
def _load_prices() -> tuple[_Price, ...]:
    return parse_data_file(_Prices, _FILE.read_text(encoding="utf-8")).prices
