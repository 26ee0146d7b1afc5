"""The price that the web app shows offline: equal to the server's for every input."""

import json
import random
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns.model import Zone
from chalicelib.contributions.model import list_months
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.schemas import AskForQuote
from chalicelib.contributions.service import QuoteService
from chalicelib.occupations.model import load_occupations
from chalicelib.refusals import RulesBroken
from chalicelib.rupiah import format_rupiah
from tests.support.javascript import JavaScriptRules
from tests.web.conftest import Bundle

SERVICE = QuoteService(rules=load_rules(), clock=lambda: datetime(2030, 1, 1, tzinfo=UTC))
# From before the first table to after the last policy.
START_MONTHS = list_months("2014-06", 12 * 15)
BANDS = [band.income_from for table in load_rules().tables for band in table.bands]
INCOMES = sorted({max(0, edge + step) for edge in BANDS for step in (-1, 0, 1)} | {10**9})
BOUNDARIES = sorted(
    {
        month
        for rule in (*load_rules().tables, *load_rules().policies)
        for month in (rule.first_month, rule.last_month)
        if month
    }
)


def quote_by_server(request: dict[str, Any], first_month: str) -> dict[str, Any] | None:
    asked = {**request, "employs_others": False, "start_month": first_month}
    try:
        quoted = SERVICE.quote(AskForQuote.model_validate_json(json.dumps(asked)))
    except RulesBroken as refusal:
        if {rule.code for rule in refusal.broken_rules} != {"month_without_rule"}:
            raise
        return None
    answer: dict[str, Any] = json.loads(quoted.model_dump_json())
    return answer


def make_request(choose: random.Random) -> dict[str, Any]:
    occupations = choose.sample(list(load_occupations()), choose.choice([1, 2]))
    return {
        "monthly_income": choose.choice([choose.choice(INCOMES), choose.randrange(25_000_000)]),
        "occupations": occupations,
        "programmes": choose.choice(
            [["JKK", "JKM"], ["JKM", "JKK"], ["JKK", "JKM", "JHT"], ["JHT", "JKK", "JKM"]]
        ),
        "months": choose.choice([1, 2, 3, 6, 12]),
        "payer": choose.choice(["self", "sponsor", "csr", "state_budget"]),
    }


def test_thousands_of_quotes_are_those_of_the_server(
    javascript_rules: JavaScriptRules, bundle: Bundle
) -> None:
    rules = {name: bundle[name] for name in ("contribution_tables", "discount_policies", "quote_zone")}
    rules["occupations"] = [{"id": each["id"], "sector": each["sector"]} for each in bundle["occupations"]]
    choose = random.Random(14)  # noqa: S311 - the same inputs in every run
    for position in range(3_000):
        near = list_months(choose.choice(BOUNDARIES), 3)
        first_month = choose.choice([*near, choose.choice(START_MONTHS)])
        request = make_request(choose)
        expected = quote_by_server(request, first_month)
        found = javascript_rules.call("quotes.js", "computeQuote", rules, request, first_month)
        assert found == expected, (position, request, first_month)


@pytest.mark.parametrize("sector", ["transport", "other"])
@pytest.mark.parametrize("payer", ["self", "sponsor", "csr", "state_budget"])
def test_every_band_has_the_price_of_the_server(
    javascript_rules: JavaScriptRules, bundle: Bundle, sector: str, payer: str
) -> None:
    occupation = next(each["id"] for each in bundle["occupations"] if each["sector"] == sector)
    for income in INCOMES:
        request = {
            "monthly_income": income,
            "occupations": [occupation],
            "programmes": ["JKK", "JKM", "JHT"],
            "months": 12,
            "payer": payer,
        }
        found = javascript_rules.call("quotes.js", "computeQuote", bundle, request, "2026-08")
        assert found == quote_by_server(request, "2026-08")


@given(
    captured_at=st.datetimes(datetime(2026, 10, 30), datetime(2027, 1, 2), timezones=st.just(UTC)),  # noqa: DTZ001
    zone=st.sampled_from(get_args(Zone)),
)
def test_the_first_month_is_that_of_the_local_day_of_capture(
    javascript_rules: JavaScriptRules, captured_at: datetime, zone: Zone
) -> None:
    instant = captured_at.timestamp() * 1000
    found = javascript_rules.call("quotes.js", "findFirstMonth", {"quote_zone": zone}, instant)
    assert found == f"{captured_at.astimezone(ZoneInfo(zone)):%Y-%m}"


@given(amount=st.integers(0, 10**12))
def test_an_amount_is_written_as_by_the_server(javascript_rules: JavaScriptRules, amount: int) -> None:
    assert javascript_rules.call("rupiah.js", "formatRupiah", amount) == format_rupiah(amount)


def test_every_income_of_a_month_is_in_one_band(javascript_rules: JavaScriptRules, bundle: Bundle) -> None:
    bands = javascript_rules.call("quotes.js", "listIncomeBands", bundle, "2026-11")
    assert bands[0]["from"] == 0
    assert bands[-1]["to"] is None
    assert all(band["to"] + 1 == after["from"] for band, after in pairwise(bands))
