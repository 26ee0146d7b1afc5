"""The size of an item as DynamoDB counts it."""

from collections.abc import Mapping
from typing import Any

MAX_ITEM_BYTES = 400 * 1024


def measure_item(item: Mapping[str, Any]) -> int:
    """Return the bytes of an item in DynamoDB's own form: names and values, and 3 beside each list or map."""
    return sum(len(name.encode()) + _measure_value(value) for name, value in item.items())


def _measure_value(attribute_value: Mapping[str, Any]) -> int:
    ((kind, value),) = attribute_value.items()
    match kind:
        case "S":
            return len(value.encode())
        case "B":
            return len(value)
        case "N":
            return len(value) // 2 + 2
        case "L":
            return 3 + sum(1 + _measure_value(each) for each in value)
        case "M":
            return 3 + len(value) + measure_item(value)
    return 1
