"""Attribute values of items: the same as boto3's own, which a cold start does not import."""

import json
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from hypothesis import given

from chalicelib.aws.items import from_item, to_item
from tests.support.item_values import ITEM_VALUES


def unwrap(value: Any) -> Any:
    """Return what boto3 reads, with its wrapper around binary values taken off."""
    match value:
        case Binary():
            return bytes(value.value)  # type: ignore[attr-defined]
        case dict():
            return {name: unwrap(each) for name, each in value.items()}
        case list():
            return [unwrap(each) for each in value]
        case set():
            return {unwrap(each) for each in value}
    return value


@given(ITEM_VALUES)
def test_items_are_written_and_read_as_boto3_does(plain: dict[str, Any]) -> None:
    item = to_item(plain)

    expected = {name: TypeSerializer().serialize(each) for name, each in plain.items() if each is not None}
    assert item == expected
    assert from_item(item) == {
        name: unwrap(TypeDeserializer().deserialize(each)) for name, each in expected.items()
    }


def test_an_enum_is_written_as_its_text() -> None:
    class Colour(StrEnum):
        RED = "red"

    assert json.dumps(to_item({"colour": Colour.RED})) == '{"colour": {"S": "red"}}'


def test_a_tuple_is_written_as_a_list() -> None:
    assert to_item({"days": (1, 2)}) == {"days": {"L": [{"N": "1"}, {"N": "2"}]}}


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), Decimal("Infinity"), set(), {1, "a"}, object()])
def test_a_value_without_a_type_in_dynamodb_is_refused(value: object) -> None:
    with pytest.raises(TypeError):
        to_item({"value": value})


def test_an_unknown_type_in_an_item_is_refused() -> None:
    with pytest.raises(KeyError):
        from_item({"value": {"X": "1"}})
