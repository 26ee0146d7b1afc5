"""The dated rules: contribution tables and discount policies, in data files.

A new rule is a new row with the months it applies to. Old rows stay, so that past quotes can be reproduced.
The files are read as they are: tests hold each row against the types and limits of its fields.
"""

import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from chalicelib.contributions.model import Band, ContributionTable, DiscountPolicy
from chalicelib.values import Value

_DATA = Path(__file__).with_name("data")


class Rules(Value):
    """Every rule, past ones too."""

    tables: Sequence[ContributionTable]
    policies: Sequence[DiscountPolicy]


@cache
def load_rules() -> Rules:
    return Rules(
        tables=[_build_table(row) for row in _read("tables.json")],
        policies=[_build_policy(row) for row in _read("policies.json")],
    )


def _read(name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((_DATA / name).read_text(encoding="utf-8"))
    return rows


def _build_table(row: dict[str, Any]) -> ContributionTable:
    return ContributionTable(**row | {"bands": tuple(Band(**band) for band in row["bands"])})


def _build_policy(row: dict[str, Any]) -> DiscountPolicy:
    sets = ("sectors", "programmes", "except_payers")
    return DiscountPolicy(**row | {name: tuple(row[name]) for name in sets})
