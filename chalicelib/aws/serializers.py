"""The serializer of requests to DynamoDB."""

from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from botocore.serialize import JSONSerializer


class ItemSerializer(JSONSerializer):
    """The SDK's serializer, except for items.

    The SDK follows DynamoDB's model into each value of an item, four calls deep: a tenth of a registration's
    CPU. Items have DynamoDB's form already (`chalicelib/aws/items.py`), but for bytes.
    """

    def _serialize_type_map(
        self, serialized: dict[str, Any], value: Mapping[str, Any], shape: Any, key: str
    ) -> None:
        if shape.value.name == "AttributeValue":
            serialized[key] = _encode_item(value)
        else:
            super()._serialize_type_map(serialized, value, shape, key)  # type: ignore[misc]


def _encode_item(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _encode_attribute(attribute) for name, attribute in item.items()}


def _encode_attribute(attribute: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an attribute value with base64 in place of bytes."""
    ((kind, value),) = attribute.items()
    match kind:
        case "M":
            return {kind: _encode_item(value)}
        case "L":
            return {kind: [_encode_attribute(each) for each in value]}
        case "B":
            return {kind: _encode_bytes(value)}
        case "BS":
            return {kind: [_encode_bytes(each) for each in value]}
    return attribute


def _encode_bytes(value: bytes) -> str:
    return b64encode(value).decode("ascii")
