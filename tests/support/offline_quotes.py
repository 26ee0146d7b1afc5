"""A second, independent computation of quotes, from the JSON of a bundle alone, as a device would do it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

Json = Mapping[str, Any]


def find_first_month(bundle: Json, captured_at: str) -> str:
    """Return the month that a capture is quoted from."""
    return f"{datetime.fromisoformat(captured_at).astimezone(ZoneInfo(bundle['quote_zone'])):%Y-%m}"


def compute_quote(bundle: Json, work: Json, coverage: Json, first_month: str) -> Json:
    """Return the quote for the work and the coverage of a capture."""
    months = [
        _price_month(bundle, work, coverage, month, position)
        for position, month in enumerate(_list_months(first_month, coverage["months"]))
    ]
    return {"total": sum(month["amount"] for month in months), "months": months}


def _list_months(first_month: str, count: int) -> Iterator[str]:
    year, month = int(first_month[:4]), int(first_month[5:])
    for _ in range(count):
        yield f"{year:04}-{month:02}"
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)


def _price_month(bundle: Json, work: Json, coverage: Json, month: str, position: int) -> Json:
    (table,) = _find_in_force(bundle["contribution_tables"], month)
    base = 0
    for band in table["bands"]:
        if work["monthly_income"] >= band["income_from"]:
            base = band["base"]
    full_amounts = {
        "JKK": base * table["jkk_per_mille"] // 1000,
        "JKM": table["jkm_amount"],
        "JHT": base * table["jht_per_mille"] // 1000,
    }
    (sector,) = {each["sector"] for each in bundle["occupations"] if each["id"] == work["occupations"][0]}
    lines = []
    for programme in coverage["programmes"]:
        amount, applied = full_amounts[programme], None
        for policy in _find_in_force(bundle["discount_policies"], month):
            if (
                sector in policy["sectors"]
                and programme in policy["programmes"]
                and coverage["payer"] not in policy["except_payers"]
                and position >= policy["full_price_months"]
            ):
                applied = policy["id"]
                amount = amount * (100 - policy["percent_off"]) // 100
                break
        lines.append({"programme": programme, "amount": amount, "table": table["id"], "policy": applied})
    return {"month": month, "amount": sum(line["amount"] for line in lines), "lines": lines}


def _find_in_force(rules: Sequence[Json], month: str) -> list[Json]:
    return [each for each in rules if each["first_month"] <= month <= (each["last_month"] or "9999-12")]
