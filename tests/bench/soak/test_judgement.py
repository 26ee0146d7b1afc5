"""The verdict of a soak: good for a flat one, and bad for each thing that grows or is left."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bench.load.sender import Timing
from bench.soak.judgement import describe_soak, judge_soak
from bench.soak.processes import EMULATOR, ProcessSample
from bench.soak.run import SoakPlan, SoakResult
from bench.soak.samples import SoakSample
from tests.support.settlements import SETTLED

_LOOKS = 40
_PLAN = SoakPlan(registrations=100, seconds=600, batch_size=10, sample_seconds=15, hour_seconds=60)


def make_sample(number: int, age: float = 5.0, **changes: Any) -> SoakSample:
    sender = ProcessSample(pid=1, megabytes=70.0, threads=3, descriptors=20, sockets=12)
    emulator = ProcessSample(pid=2, megabytes=200.0 + 50 * number, threads=40, descriptors=100, sockets=50)
    return SoakSample(
        second=15.0 * number,
        registrations=number,
        processes={"OnNotifications": [replace(sender, **changes)], EMULATOR: [emulator]},
        ages={"registration without an SMS": age},
    )


def make_result(make: Callable[[int], SoakSample] = make_sample) -> SoakResult:
    return SoakResult(
        plan=_PLAN,
        samples=[make(number) for number in range(_LOOKS)],
        timings=[Timing(1.0, 1.0, 2.0)],
        accepted=100,
        seconds=600.0,
        settlement=SETTLED,
    )


def list_failed(result: SoakResult) -> list[str]:
    return [gate.name for gate in judge_soak(result) if not gate.has_passed]


def test_a_flat_soak_passes_though_the_emulator_keeps_all_it_was_given() -> None:
    assert list_failed(make_result()) == []
    assert "OnNotifications, first and last look" in describe_soak(make_result())


@pytest.mark.parametrize(
    ("make", "gate"),
    [
        (lambda number: make_sample(number, megabytes=70.0 + number), "memory, OnNotifications"),
        (lambda number: make_sample(number, threads=10 + number), "threads, OnNotifications"),
        (lambda number: make_sample(number, descriptors=20 + number), "descriptors, OnNotifications"),
        (lambda number: make_sample(number, sockets=12 + number), "connections, OnNotifications"),
        (lambda number: make_sample(number, age=5.0 + 2 * number), "age, registration without an SMS"),
    ],
)
def test_each_figure_that_grows_fails_its_own_gate(make: Callable[[int], SoakSample], gate: str) -> None:
    assert list_failed(make_result(make)) == [gate]


@pytest.mark.parametrize(
    ("changes", "gate"),
    [
        ({"accepted": 99}, "registrations that were not accepted"),
        ({"errors": Counter({"503": 1})}, "errors"),
        ({"settlement": None}, "the stack has come to rest"),
        ({"settlement": replace(SETTLED, unsettled_sms=1)}, "SMS that are not settled"),
    ],
)
def test_what_is_missing_or_left_fails(changes: dict[str, Any], gate: str) -> None:
    assert list_failed(replace(make_result(), **changes)) == [gate]


def test_a_function_of_which_there_are_few_looks_is_shown_but_not_judged() -> None:
    def make(number: int) -> SoakSample:
        sample = make_sample(number)
        if number < _LOOKS - 3:
            return sample
        seldom = ProcessSample(pid=9, megabytes=40.0 * number, threads=1, descriptors=5, sockets=1)
        return replace(sample, processes={**sample.processes, "ExportDays": [seldom]})

    assert list_failed(make_result(make)) == []
    assert "ExportDays, first and last look" in describe_soak(make_result(make))
