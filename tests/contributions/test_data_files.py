"""The dated rules in the data files: these tests name the mistake in a new row."""

import json
from collections.abc import Mapping
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from chalicelib.contributions import rules
from chalicelib.contributions.model import (
    ContributionTable,
    DiscountPolicy,
    Payer,
    Programme,
    list_months,
)
from chalicelib.contributions.rules import load_rules
from chalicelib.occupations.model import Sector
from chalicelib.strict_json import parse_data_file

TABLES = load_rules().tables
POLICIES = load_rules().policies
RULES = (*TABLES, *POLICIES)
LATEST = "9999-12"

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
each_table = pytest.mark.parametrize("table", TABLES, ids=lambda table: table.id)
each_policy = pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.id)


def have_common_month(
    one: ContributionTable | DiscountPolicy, other: ContributionTable | DiscountPolicy
) -> bool:
    return one.first_month <= (other.last_month or LATEST) and other.first_month <= (one.last_month or LATEST)


@each_rule
def test_a_rule_names_its_regulation(rule: ContributionTable | DiscountPolicy) -> None:
    assert rule.source.strip() == rule.source
    assert any(character.isdigit() for character in rule.source), "a regulation has a number"


@each_rule
def test_a_rule_begins_before_it_ends(rule: ContributionTable | DiscountPolicy) -> None:
    assert rule.last_month is None or rule.first_month <= rule.last_month


def test_no_two_rules_share_an_id() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))


def test_exactly_one_table_applies_to_every_month_from_july_2015_on() -> None:
    for month in list_months("2015-07", 12 * 50):
        assert sum(table.is_in_force(month) for table in TABLES) == 1, month


def test_no_table_applies_before_the_first_one() -> None:
    assert not any(table.is_in_force("2015-06") for table in TABLES)


def test_only_the_last_table_is_open_ended() -> None:
    ends = [table.last_month for table in sorted(TABLES, key=lambda table: table.first_month)]
    assert ends[-1] is None
    assert None not in ends[:-1]


def test_no_two_policies_discount_one_programme_of_one_sector_in_one_month() -> None:
    for one, other in combinations(POLICIES, 2):
        shared = set(one.sectors) & set(other.sectors) and set(one.programmes) & set(other.programmes)
        assert not (shared and have_common_month(one, other)), (one.id, other.id)


@each_policy
def test_a_policy_lists_its_sectors_and_programmes_once_each(policy: DiscountPolicy) -> None:
    for listed in (policy.sectors, policy.programmes):
        assert listed
        assert len(listed) == len(set(listed))
    assert set(policy.except_payers) < set(get_args(Payer))


@each_policy
def test_no_policy_discounts_old_age_savings(policy: DiscountPolicy) -> None:
    assert "JHT" not in policy.programmes


@each_table
def test_bands_rise_from_zero(table: ContributionTable) -> None:
    starts, bases = zip(*((band.income_from, band.base) for band in table.bands), strict=True)
    assert starts[0] == 0
    for column in (starts, bases):
        assert all(lower < higher for lower, higher in pairwise(column))


@each_table
def test_the_base_of_a_band_lies_in_the_band(table: ContributionTable) -> None:
    for band, following in pairwise(table.bands):
        assert band.income_from <= band.base < following.income_from
    assert table.bands[-1].base >= table.bands[-1].income_from


@each_table
@pytest.mark.parametrize("programme", get_args(Programme))
def test_every_amount_is_a_whole_rupiah(table: ContributionTable, programme: Programme) -> None:
    for band in table.bands:
        thousandths = {
            "JKK": band.base * table.jkk_per_mille,
            "JKM": table.jkm_amount * 1000,
            "JHT": band.base * table.jht_per_mille,
        }[programme]
        assert thousandths % 1000 == 0
        assert table.compute_amount(programme, band.income_from) == thousandths // 1000 > 0


@each_policy
def test_every_discounted_amount_is_a_whole_rupiah(policy: DiscountPolicy) -> None:
    for table in (table for table in TABLES if have_common_month(table, policy)):
        for band in table.bands:
            for programme in policy.programmes:
                hundredths = table.compute_amount(programme, band.income_from) * (100 - policy.percent_off)
                assert hundredths % 100 == 0
                assert (
                    policy.apply_discount(table.compute_amount(programme, band.income_from))
                    == hundredths // 100
                )


def test_the_table_of_2015_has_33_bands() -> None:
    assert [len(table.bands) for table in TABLES if table.id == "pp-44-2015"] == [33]


@pytest.mark.parametrize(
    ("band", "income_from", "base", "jkk", "jht", "for_two", "for_three"),
    [
        (1, 0, 1_000_000, 10_000, 20_000, 16_800, 36_800),
        (2, 1_100_000, 1_200_000, 12_000, 24_000, 18_800, 42_800),
        (9, 2_500_000, 2_600_000, 26_000, 52_000, 32_800, 84_800),
        (10, 2_700_000, 2_950_000, 29_500, 59_000, 36_300, 95_300),
        (18, 6_700_000, 6_950_000, 69_500, 139_000, 76_300, 215_300),
        (20, 7_700_000, 7_950_000, 79_500, 159_000, 86_300, 245_300),
        (21, 8_200_000, 8_700_000, 87_000, 174_000, 93_800, 267_800),
        (32, 19_200_000, 19_700_000, 197_000, 394_000, 203_800, 597_800),
        (33, 20_200_000, 20_700_000, 207_000, 414_000, 213_800, 627_800),
    ],
)
def test_the_table_of_2015_has_the_amounts_of_the_annex(
    band: int, income_from: int, base: int, jkk: int, jht: int, for_two: int, for_three: int
) -> None:
    (table,) = (table for table in TABLES if table.id == "pp-44-2015")
    row = table.bands[band - 1]
    assert (row.income_from, row.base) == (income_from, base)
    amounts = [table.compute_amount(programme, income_from) for programme in ("JKK", "JKM", "JHT")]
    assert amounts == [jkk, 6_800, jht]
    assert (sum(amounts[:2]), sum(amounts)) == (for_two, for_three)


@pytest.mark.parametrize(
    ("sector", "first", "last"),
    [("transport", "2026-01", "2027-03"), ("other", "2026-04", "2026-12")],
)
def test_the_discount_of_2026_applies_to_exactly_its_months(sector: Sector, first: str, last: str) -> None:
    discounted = [
        month
        for month in list_months("2025-01", 48)
        if any(policy.is_in_force(month) and sector in policy.sectors for policy in POLICIES)
    ]
    assert (discounted[0], discounted[-1]) == (first, last)


FILES = {ContributionTable: "tables.json", DiscountPolicy: "policies.json"}


def read_file(kind: type[Any]) -> str:
    return (Path(rules.__file__).with_name("data") / FILES[kind]).read_text(encoding="utf-8")


def read_row(kind: type[Any], row: Mapping[str, Any]) -> Any:
    """Return the rule of a row, checked against the types and limits of the fields."""
    (rule,) = parse_data_file(list[kind], json.dumps([row]))  # type: ignore[valid-type]
    return rule


A_POLICY: dict[str, Any] = json.loads(read_file(DiscountPolicy))[-1]
A_TABLE: dict[str, Any] = json.loads(read_file(ContributionTable))[-1]


def test_the_data_files_have_rules_of_the_types_and_limits_of_their_fields() -> None:
    assert parse_data_file(list[ContributionTable], read_file(ContributionTable)) == list(TABLES)
    assert parse_data_file(list[DiscountPolicy], read_file(DiscountPolicy)) == list(POLICIES)


@pytest.mark.parametrize(
    "mistake",
    [
        {"first_month": "2026-13"},
        {"first_month": "2026-1"},
        {"last_month": "December 2026"},
        {"id": "PP 50/2025"},
        {"sectors": ["trade"]},
        {"programmes": ["JP"]},
        {"except_payers": ["apbn"]},
        {"percent_off": 0},
        {"percent_off": 101},
        {"percent_off": 12.5},
        {"full_price_months": -1},
        {"until": "2026-12"},
        {"percent_off": "50"},
        {"percent_off": True},
        {"sectors": ["transport", "transport"]},
    ],
    ids=str,
)
def test_a_mistake_in_a_policy_is_rejected(mistake: dict[str, Any]) -> None:
    assert read_row(DiscountPolicy, A_POLICY) == POLICIES[-1]
    with pytest.raises(ValidationError):
        read_row(DiscountPolicy, A_POLICY | mistake)


@pytest.mark.parametrize(
    "mistake",
    [
        {"bands": []},
        {"bands": [{"income_from": -1, "base": 1_000_000}]},
        {"bands": [{"income_from": 0, "base": 0}]},
        {"bands": [{"income_from": 0, "income_to": 1_099_000, "base": 1_000_000}]},
        {"jkm_amount": 6800.5},
        {"jkm_amount": 6800.0},
        {"jkm_amount": True},
        {"jkk_per_mille": "10"},
        {"first_month": None},
        {"first_month": 202001},
    ],
    ids=str,
)
def test_a_mistake_in_a_table_is_rejected(mistake: dict[str, Any]) -> None:
    assert read_row(ContributionTable, A_TABLE) == TABLES[-1]
    with pytest.raises(ValidationError):
        read_row(ContributionTable, A_TABLE | mistake)


@pytest.mark.parametrize("missing", ["id", "source", "first_month", "last_month"])
def test_a_rule_without_id_source_or_months_is_rejected(missing: str) -> None:
    for model, row in ((DiscountPolicy, A_POLICY), (ContributionTable, A_TABLE)):
        with pytest.raises(ValidationError):
            read_row(model, {name: value for name, value in row.items() if name != missing})
