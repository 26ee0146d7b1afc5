"""Quotes by band, month, sector and payer, and their reproduction from the rules that they name."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chalicelib.contributions.model import Quote, QuoteMonth, find_later_month, list_months
from chalicelib.contributions.rules import load_rules
from chalicelib.contributions.schemas import AskForQuote
from chalicelib.contributions.service import QuoteService
from chalicelib.occupations.model import load_occupations
from chalicelib.refusals import RulesBroken

NOVEMBER = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
TWO, THREE = ["JKK", "JKM"], ["JKK", "JKM", "JHT"]


def make_request(**changes: Any) -> AskForQuote:
    """A request for a porter with an income of 2.5 million rupiah a month."""
    usual = {
        "monthly_income": 2_500_000,
        "occupations": ["porter"],
        "employs_others": False,
        "programmes": TWO,
        "months": 1,
        "payer": "self",
        "start_month": "2027-06",  # A month without discounts.
    }
    return AskForQuote.model_validate({**usual, **changes})


def quote(*, now: datetime = NOVEMBER, **changes: Any) -> Quote:
    return QuoteService(rules=load_rules(), clock=lambda: now).quote(make_request(**changes))


def list_amounts(**changes: Any) -> list[int]:
    return [month.amount for month in quote(**changes).months]


def find_policies(**changes: Any) -> set[str | None]:
    return {line.policy for month in quote(**changes).months for line in month.lines}


def find_broken_rules(**changes: Any) -> list[tuple[str, str]]:
    with pytest.raises(RulesBroken) as error_info:
        quote(**changes)
    return [(rule.field, rule.code) for rule in error_info.value.broken_rules]


def test_the_documented_example_is_exact() -> None:
    found = quote(start_month="2026-12", months=2)

    assert found.total == 49_200
    december, january = found.months
    assert (december.month, december.amount) == ("2026-12", 16_400)
    assert [(line.programme, line.amount, line.policy) for line in december.lines] == [
        ("JKK", 13_000, "pp-50-2025-others"),
        ("JKM", 3_400, "pp-50-2025-others"),
    ]
    assert (january.month, january.amount) == ("2027-01", 32_800)
    assert {line.policy for line in january.lines} == {None}
    assert {line.table for month in found.months for line in month.lines} == {"pp-44-2015"}


@pytest.mark.parametrize(
    ("monthly_income", "jkk"),
    [
        (0, 10_000),
        (1, 10_000),
        (1_000_000, 10_000),
        (1_099_000, 10_000),
        (1_099_001, 10_000),
        (1_099_999, 10_000),
        (1_100_000, 12_000),
        (1_299_999, 12_000),
        (1_300_000, 14_000),
        (2_699_999, 26_000),
        (2_700_000, 29_500),
        (8_199_999, 79_500),
        (8_200_000, 87_000),
        (20_199_999, 197_000),
        (20_200_000, 207_000),
        (1_000_000_000, 207_000),
    ],
)
def test_the_lower_bound_of_a_band_decides(monthly_income: int, jkk: int) -> None:
    (month,) = quote(monthly_income=monthly_income, programmes=THREE).months
    assert [line.amount for line in month.lines] == [jkk, 6_800, 2 * jkk]


@pytest.mark.parametrize(
    ("occupation", "start_month", "expected"),
    [
        ("porter", "2025-12", [32_800, 32_800, 32_800]),
        ("ojek_driver", "2025-12", [32_800, 16_400, 16_400]),
        ("porter", "2026-01", [32_800, 32_800, 32_800]),
        ("ojek_driver", "2026-01", [16_400, 16_400, 16_400]),
        ("porter", "2026-03", [32_800, 16_400, 16_400]),
        ("porter", "2026-11", [16_400, 16_400, 32_800]),
        ("ojek_driver", "2026-11", [16_400, 16_400, 16_400]),
        ("ojek_driver", "2027-02", [16_400, 16_400, 32_800]),
        ("ojek_driver", "2027-03", [16_400, 32_800, 32_800]),
        ("ojek_driver", "2027-04", [32_800, 32_800, 32_800]),
    ],
)
def test_a_quote_that_crosses_a_boundary_shows_both_prices(
    occupation: str, start_month: str, expected: list[int]
) -> None:
    assert list_amounts(occupations=[occupation], start_month=start_month, months=3) == expected


def test_the_first_occupation_decides_the_sector() -> None:
    driver_policies = find_policies(occupations=["ojek_driver", "porter"], start_month="2026-01")
    porter_policies = find_policies(occupations=["porter", "ojek_driver"], start_month="2026-01")
    assert (driver_policies, porter_policies) == ({"pp-50-2025-transport"}, {None})


@pytest.mark.parametrize("occupation", ["porter", "ojek_driver"])
def test_the_state_budget_gets_no_discount(occupation: str) -> None:
    for start_month in ("2026-01", "2027-01"):
        choices: dict[str, Any] = {"occupations": [occupation], "start_month": start_month, "months": 12}
        assert find_policies(**choices, payer="state_budget") == {None}
        assert set(list_amounts(**choices, payer="state_budget")) == {32_800}


@pytest.mark.parametrize("payer", ["sponsor", "csr"])
def test_sponsors_pay_the_same_as_the_worker(payer: str) -> None:
    choices: dict[str, Any] = {"start_month": "2026-12", "months": 2}
    assert quote(**choices, payer=payer) == quote(**choices, payer="self")


@pytest.mark.parametrize("start_month", ["2020-10", "2026-02", "2026-05", "2027-02"])
def test_old_age_savings_are_never_discounted(start_month: str) -> None:
    for occupation in ("porter", "ojek_driver"):
        found = quote(occupations=[occupation], programmes=THREE, start_month=start_month, months=12)
        jht = [line for month in found.months for line in month.lines if line.programme == "JHT"]
        assert {(line.amount, line.policy) for line in jht} == {(52_000, None)}


@pytest.mark.parametrize(
    ("start_month", "expected"),
    [
        ("2020-06", [32_800, 32_800, 328, 328, 328, 328]),
        ("2020-08", [32_800, 32_800, 328, 328, 328, 328]),
        ("2020-10", [32_800, 32_800, 328, 328, 32_800, 32_800]),
        ("2020-12", [32_800] * 6),
        ("2021-02", [32_800] * 6),
    ],
)
def test_new_members_of_the_pandemic_paid_two_months_in_full(start_month: str, expected: list[int]) -> None:
    assert list_amounts(start_month=start_month, months=6) == expected


def test_one_per_cent_of_the_death_benefit_was_68_rupiah() -> None:
    jkk, jkm = quote(start_month="2020-08", months=3).months[2].lines
    assert (jkk.amount, jkm.amount) == (260, 68)
    assert jkk.policy == jkm.policy == "pp-49-2020"


@pytest.mark.parametrize(
    "programmes",
    [["JKK"], ["JKM"], ["JHT"], ["JKK", "JHT"], ["JKM", "JHT"], ["JKK", "JKK"], ["JKK", "JKM", "JKM"]],
    ids="+".join,
)
@pytest.mark.parametrize("employs_others", [False, True])
def test_other_combinations_of_programmes_are_not_offered(
    programmes: list[str], employs_others: bool
) -> None:
    assert find_broken_rules(programmes=programmes, employs_others=employs_others) == [
        ("programmes", "programmes_not_offered")
    ]


def test_a_worker_who_employs_others_must_take_jht() -> None:
    assert find_broken_rules(employs_others=True, programmes=TWO) == [("programmes", "jht_required")]
    assert list_amounts(employs_others=True, programmes=THREE) == [84_800]


def test_programmes_may_be_named_in_any_order() -> None:
    assert quote(programmes=["JHT", "JKM", "JKK"]).total == quote(programmes=THREE).total


def test_an_unknown_occupation_is_named_by_its_position() -> None:
    assert find_broken_rules(occupations=["porter", "astronaut"]) == [("occupations.1", "occupation_unknown")]
    assert find_broken_rules(occupations=["astronaut", "Porter"]) == [
        ("occupations.0", "occupation_unknown"),
        ("occupations.1", "occupation_unknown"),
    ]


@pytest.mark.parametrize(("start_month", "months"), [("2015-06", 1), ("2015-06", 2), ("2014-08", 12)])
def test_a_month_before_the_first_table_has_no_price(start_month: str, months: int) -> None:
    assert find_broken_rules(start_month=start_month, months=months) == [
        ("start_month", "month_without_rule")
    ]


@pytest.mark.parametrize("start_month", ["2031-12", "2999-01", "9999-12"])
def test_a_quote_begins_within_five_years(start_month: str) -> None:
    now = datetime(2026, 11, 30, 16, 59, 59, tzinfo=UTC)
    assert find_broken_rules(now=now, start_month=start_month) == [("start_month", "month_too_late")]
    assert quote(now=now, start_month="2031-11")


def test_all_broken_rules_are_named_at_once() -> None:
    assert find_broken_rules(programmes=["JKK"], occupations=["astronaut"], start_month="2015-06") == [
        ("programmes", "programmes_not_offered"),
        ("occupations.0", "occupation_unknown"),
        ("start_month", "month_without_rule"),
    ]


@pytest.mark.parametrize(
    ("now", "month"),
    [
        (datetime(2026, 11, 30, 16, 59, 59, 999_999, tzinfo=UTC), "2026-11"),
        (datetime(2026, 11, 30, 17, 0, tzinfo=UTC), "2026-12"),
        (datetime(2026, 12, 31, 16, 59, 59, tzinfo=UTC), "2026-12"),
        (datetime(2026, 12, 31, 17, 0, tzinfo=UTC), "2027-01"),
    ],
)
def test_a_quote_begins_in_the_present_month_of_jakarta_by_default(now: datetime, month: str) -> None:
    assert quote(now=now, start_month=None).months[0].month == month


@pytest.mark.parametrize(
    "mistake",
    [
        {"monthly_income": -1},
        {"monthly_income": 1_000_000_001},
        {"monthly_income": 2_500_000.5},
        {"months": 0},
        {"months": 4},
        {"months": 24},
        {"occupations": []},
        {"occupations": ["porter", "tailor", "barber"]},
        {"payer": "employer"},
        {"programmes": []},
        {"programmes": ["JP", "JKM"]},
        {"start_month": "2026-13"},
        {"start_month": "2026-00"},
        {"start_month": "12-2026"},
        {"start_month": "2026-12-01"},
        {"income": 1},
    ],
    ids=str,
)
def test_an_invalid_request_is_rejected(mistake: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        make_request(**mistake)


INCOMES = st.integers(0, 25_000_000) | st.integers(0, 1_000_000_000)
CHOICES = st.fixed_dictionaries(
    {
        "occupations": st.lists(
            st.sampled_from(sorted(load_occupations())), min_size=1, max_size=2, unique=True
        ),
        "programmes": st.sampled_from([TWO, THREE]),
        "months": st.sampled_from([1, 2, 3, 6, 12]),
        "payer": st.sampled_from(["self", "sponsor", "csr", "state_budget"]),
        "start_month": st.sampled_from(list_months("2015-07", 12 * 15)),
    }
)


@given(income=INCOMES, choices=CHOICES)
def test_a_quote_adds_up(income: int, choices: dict[str, Any]) -> None:
    found = quote(monthly_income=income, **choices)

    assert [month.month for month in found.months] == list_months(choices["start_month"], choices["months"])
    for month in found.months:
        assert [line.programme for line in month.lines] == choices["programmes"]
        assert all(type(line.amount) is int and line.amount > 0 for line in month.lines)
        assert month.amount == sum(line.amount for line in month.lines)
    assert found.total == sum(month.amount for month in found.months)


@given(income=INCOMES, choices=CHOICES)
def test_any_quote_can_be_reproduced_from_the_rules_it_names(income: int, choices: dict[str, Any]) -> None:
    tables = {table.id: table for table in load_rules().tables}
    by_id = {policy.id: policy for policy in load_rules().policies}
    for month in quote(monthly_income=income, **choices).months:
        for line in month.lines:
            assert tables[line.table].is_in_force(month.month)
            full = tables[line.table].compute_amount(line.programme, income)
            if line.policy is None:
                assert line.amount == full
            else:
                assert by_id[line.policy].is_in_force(month.month)
                assert line.amount == by_id[line.policy].apply_discount(full) < full


@given(lower=INCOMES, higher=INCOMES, choices=CHOICES)
def test_a_higher_income_never_pays_less(lower: int, higher: int, choices: dict[str, Any]) -> None:
    lower, higher = sorted((lower, higher))
    assert quote(monthly_income=lower, **choices).total <= quote(monthly_income=higher, **choices).total


@given(income=INCOMES, choices=CHOICES)
def test_a_stored_quote_is_read_back_unchanged(income: int, choices: dict[str, Any]) -> None:
    found = quote(monthly_income=income, **choices)
    assert Quote.model_validate_json(found.model_dump_json()) == found


@given(first=st.integers(0, 11), count=st.sampled_from([1, 2, 3, 6, 12]), distance=st.integers(1, 24))
def test_a_quote_estimates_its_own_months_and_the_nearest_ones(first: int, count: int, distance: int) -> None:
    months = list_months(find_later_month("2026-01", first), count)
    quote = Quote(
        total=sum(1_000 + number for number in range(count)),
        months=tuple(QuoteMonth(month=month, amount=1_000 + n, lines=()) for n, month in enumerate(months)),
    )

    assert quote.estimate(months) == quote.total
    assert quote.estimate(list_months(months[-1], distance + 1)[1:]) == distance * (1_000 + count - 1)
    assert quote.estimate(["2025-12"]) == 1_000
