"""Writes of each operation by key design, and the rows that it reads by queries, as counted.

`tests/edge/test_operation_costs.py` counts it and writes `profile.json`, beside `bench/cost/counts.json`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROFILE_FILE = Path(__file__).with_name("profile.json")


@dataclass(frozen=True)
class OperationProfile:
    """Write units by key design; rows and bytes by the table or index that was queried."""

    written: Mapping[str, float]
    rows: Mapping[str, int]
    bytes: Mapping[str, int]


def load_profiles() -> dict[str, OperationProfile]:
    """Return the profile of each operation of `counts.json`."""
    data = json.loads(PROFILE_FILE.read_text(encoding="utf-8"))
    return {name: OperationProfile(**values) for name, values in data.items()}
