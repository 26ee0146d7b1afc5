"""The counts of what each operation asks of AWS, as `tests/edge/test_operation_costs.py` has counted it."""

import json
from collections.abc import Mapping
from pathlib import Path

COUNTS_FILE = Path(__file__).with_name("counts.json")


def load_counts() -> dict[str, Mapping[str, float]]:
    """Return the numbers of each operation by the item of the bill, such as `dynamodb.write_units`."""
    counts: dict[str, Mapping[str, float]] = json.loads(COUNTS_FILE.read_text(encoding="utf-8"))
    return counts
