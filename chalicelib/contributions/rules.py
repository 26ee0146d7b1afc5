"""The dated rules: contribution tables and discount policies, in data files.

A new rule is a new row with the months it applies to. Old rows stay, so that past quotes can be reproduced.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from chalicelib.contributions.model import ContributionTable, DiscountPolicy, ProgrammeName

_DATA = Path(__file__).with_name("data")


@dataclass(frozen=True)
class Rules:
    """Every rule, past ones too."""

    tables: Sequence[ContributionTable]
    policies: Sequence[DiscountPolicy]


@cache
def load_rules() -> Rules:
    return Rules(
        tables=TypeAdapter(list[ContributionTable]).validate_python(_load_rows("tables.json")),
        policies=TypeAdapter(list[DiscountPolicy]).validate_python(_load_rows("policies.json")),
    )


@cache
def load_programme_names() -> tuple[ProgrammeName, ...]:
    return TypeAdapter(tuple[ProgrammeName, ...]).validate_python(_load_rows("programmes.json"))


def _load_rows(file_name: str) -> object:
    return json.loads((_DATA / file_name).read_text(encoding="utf-8"))
