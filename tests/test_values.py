"""Immutable values: equal by their fields and their class, and dataclasses to the standard library."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from threading import Barrier

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


def test_a_class_is_a_dataclass_before_its_first_value() -> None:
    class Unmade(Value):
        x: int

    assert [each.name for each in fields(Unmade)] == ["x"]
    assert Unmade(1).x == 1
    assert is_dataclass(Unmade)


def test_threads_may_make_the_first_value_of_a_class_at_once() -> None:
    threads = 8
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(20):

            class Unmade(Value):
                x: int
                y: int = 0

            class UnmadeToo(Unmade):
                z: int = 0

            barrier = Barrier(threads)

            def make(
                number: int, barrier: Barrier = barrier, kinds: tuple[type[Unmade], ...] = (Unmade, UnmadeToo)
            ) -> list[Unmade]:
                barrier.wait()
                return [kind(number, y=number) for kind in kinds]

            for number, made in enumerate(pool.map(make, range(threads))):
                assert [(each.x, each.y) for each in made] == [(number, number)] * 2
