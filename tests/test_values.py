"""Immutable values: equal by their fields and their class, and dataclasses to the standard library."""

from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace

import pytest

from chalicelib.values import Value


class Point(Value):
    """A value."""

    x: int
    y: int = 0
    names: tuple[str, ...] = field(default=(), kw_only=True)


class Labelled(Point, kw_only=True):
    """A value with fields of its own."""

    label: str


class Size(Value):
    """Another class with the same fields as a Point."""

    x: int
    y: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class FrozenPoint:
    """What a Point would be by the standard library alone."""

    x: int
    y: int = 0
    names: tuple[str, ...] = ()


def test_values_are_equal_if_all_their_fields_are() -> None:
    assert Point(1, 2) == Point(1, 2)
    assert Point(1, 2) != Point(1, 3)
    assert Point(1, 2, names=("a",)) != Point(1, 2)


def test_values_of_two_classes_are_not_equal() -> None:
    assert Point(1, 2) != Size(1, 2)
    assert Point(1, 2) != Labelled(1, 2, label="a")
    assert Point(1, 2) != (1, 2, ())


def test_equal_values_have_one_hash() -> None:
    assert len({Point(1, 2), Point(1, 2), Point(1, 3), Labelled(1, 2, label="a")}) == 3


def test_a_value_shows_its_fields_as_a_dataclass_does() -> None:
    assert repr(Point(1, names=("a",))) == repr(FrozenPoint(1, names=("a",))).replace("FrozenPoint", "Point")
    assert repr(Labelled(1, label="a")) == "Labelled(x=1, y=0, names=(), label='a')"


def test_the_functions_of_dataclasses_take_values() -> None:
    value = Labelled(1, 2, label="a")
    assert replace(value, y=3) == Labelled(1, 3, label="a")
    assert asdict(value) == {"x": 1, "y": 2, "names": (), "label": "a"}
    assert [each.name for each in fields(Labelled)] == ["x", "y", "names", "label"]


def test_a_field_without_a_default_must_be_given() -> None:
    with pytest.raises(TypeError):
        Point()  # type: ignore[call-arg]


def test_a_value_does_not_hold_what_the_type_checker_does() -> None:
    # Writing and compiling what would raise this takes as long as all the rest of the class, and more.
    frozen, value = FrozenPoint(1), Point(1)
    with pytest.raises(FrozenInstanceError):
        frozen.x = 2  # type: ignore[misc]
    value.x = 2  # type: ignore[misc]
