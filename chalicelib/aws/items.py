"""DynamoDB's attribute values as plain Python values, and back."""

from collections.abc import Mapping
from typing import Any

from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer

Item = dict[str, Any]
"""An item in DynamoDB's own form: a type beside each value."""
Values = dict[str, Any]
"""The same item as plain values, by attribute name."""

_serializer = TypeSerializer()
_deserializer = TypeDeserializer()


def to_item(values: Mapping[str, Any]) -> Item:
    """Return plain values as DynamoDB attribute values. A value that is None is left out."""
    return {name: _serializer.serialize(value) for name, value in values.items() if value is not None}


def from_item(item: Mapping[str, Any]) -> Values:
    """Return DynamoDB attribute values as plain values; binary values come back as bytes."""
    return {name: _to_plain(_deserializer.deserialize(value)) for name, value in item.items()}


def _to_plain(value: Any) -> Any:
    if isinstance(value, Binary):
        return bytes(value.value)  # type: ignore[attr-defined]
    if isinstance(value, dict):
        return {name: _to_plain(inner) for name, inner in value.items()}
    return value
