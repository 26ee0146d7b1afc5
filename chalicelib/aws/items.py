"""DynamoDB's attribute values as plain Python values, and back."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Item = dict[str, Any]
"""An item in DynamoDB's own form: a type beside each value."""
Values = dict[str, Any]
"""The same item as plain values, by attribute name."""

_SET_TYPES = ((str, "SS"), (int | Decimal, "NS"), (bytes, "BS"))


def to_item(values: Mapping[str, Any]) -> Item:
    """Return plain values as DynamoDB attribute values. A value that is None is left out.

    Raise TypeError for a value of a type that DynamoDB does not have, such as float.
    """
    return {name: _to_attribute(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> Values:
    """Return DynamoDB attribute values as plain values: numbers as Decimal, binary values as bytes."""
    return {name: _to_plain(value) for name, value in item.items()}


def _to_attribute(value: Any) -> dict[str, Any]:
    match value:
        case str():
            return {"S": value}
        case dict():
            return {"M": {name: _to_attribute(each) for name, each in value.items()}}
        case list() | tuple():
            return {"L": [_to_attribute(each) for each in value]}
        case set() | frozenset():
            return _to_set(value)
    return _to_scalar(value)


def _to_scalar(value: Any) -> dict[str, Any]:
    match value:
        case bool():
            return {"BOOL": value}
        case int() | Decimal():
            return {"N": _to_number(value)}
        case bytes():
            return {"B": value}
        case None:
            return {"NULL": True}
    raise TypeError(f"DynamoDB has no type for {type(value).__name__}")


def _to_set(values: set[Any] | frozenset[Any]) -> dict[str, Any]:
    for kind, name in _SET_TYPES:
        if values and all(isinstance(each, kind) for each in values):
            return {name: [_to_number(each) if name == "NS" else each for each in values]}
    raise TypeError("a set that is empty, or of values of several types")


def _to_number(value: int | Decimal) -> str:
    if isinstance(value, Decimal) and not value.is_finite():
        raise TypeError("DynamoDB has no infinite numbers")
    return str(value)


def _to_plain(attribute: Mapping[str, Any]) -> Any:
    ((kind, value),) = attribute.items()
    return _READERS[kind](value)


def _leave(value: Any) -> Any:
    return value


_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("S", "BOOL", "B"), _leave),
    "N": Decimal,
    "NULL": lambda _: None,
    "M": from_item,
    "L": lambda value: [_to_plain(each) for each in value],
    **dict.fromkeys(("SS", "BS"), set),
    "NS": lambda value: set(map(Decimal, value)),
}
