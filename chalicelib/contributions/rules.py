"""The dated rules: contribution tables and discount policies, in data files.

A new rule is a new row with the months it applies to. Old rows stay, so that past quotes can be reproduced.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TypeVar

from chalicelib.contributions.model import ContributionTable, DiscountPolicy
from chalicelib.strict_json import parse_data_file
from chalicelib.values import Value

Rule = TypeVar("Rule", ContributionTable, DiscountPolicy)

_DATA = Path(__file__).with_name("data")


class Rules(Value):
    """Every rule, past ones too."""

    tables: Sequence[ContributionTable]
    policies: Sequence[DiscountPolicy]


@cache
def load_rules() -> Rules:
    return Rules(
        tables=parse_tables((_DATA / "tables.json").read_text(encoding="utf-8")),
        policies=parse_policies((_DATA / "policies.json").read_text(encoding="utf-8")),
    )


def parse_tables(text: str) -> Sequence[ContributionTable]:
    """Return the tables of a data file. Raise ValueError, which pydantic's ValidationError is too."""
    return _require_unique_ids(parse_data_file(list[ContributionTable], text))


def parse_policies(text: str) -> Sequence[DiscountPolicy]:
    """Return the policies of a data file. Raise ValueError, which pydantic's ValidationError is too."""
    return _require_unique_ids(parse_data_file(list[DiscountPolicy], text))


def _require_unique_ids(rows: list[Rule]) -> list[Rule]:
    if len({row.id for row in rows}) < len(rows):
        raise ValueError("two rules have one id")
    return rows
