"""The verdict of a load run: good for a good run, and bad for each thing that can be wrong."""

from collections.abc import Callable
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from bench.gates import Gate, print_report
from bench.load.books import SmsFaults
from bench.load.judgement import LoadResult, ScenarioResult, Spike, describe_load, judge_load
from bench.load.sender import Timing
from tests.support.settlements import SETTLED


def make_timings(
    count: int, *, latency: float = 0.1, slow: int = 0, error: str | None = None
) -> list[Timing]:
    """Return a request a second, of which the last `slow` ones take a hundred times as long."""
    return [
        Timing(float(number), float(number), number + latency * (100 if number >= count - slow else 1), error)
        for number in range(count)
    ]


GOOD = LoadResult(
    capacities={"registrations with their SMS": 12.0},
    scenarios=[
        ScenarioResult("market day", make_timings(200), rate=6.0),
        ScenarioResult("broadcast", make_timings(240), rate=3.0, spike=Spike(60, 120)),
    ],
    settlement=SETTLED,
)


def list_failed(result: LoadResult) -> list[str]:
    return [gate.name for gate in judge_load(result) if not gate.has_passed]


def print_to_string(result: LoadResult) -> tuple[int, str]:
    output = StringIO()
    console = Console(file=output, width=200)
    return print_report(
        "Under load", describe_load(result), judge_load(result), console=console
    ), output.getvalue()


def replace_settlement(**changes: Any) -> LoadResult:
    return replace(GOOD, settlement=replace(SETTLED, **changes))


def replace_scenario(position: int, timings: list[Timing]) -> LoadResult:
    scenarios = list(GOOD.scenarios)
    scenarios[position] = replace(scenarios[position], timings=timings)
    return replace(GOOD, scenarios=scenarios)


@pytest.mark.parametrize(("rate", "text"), [(0.033, "0.03"), (6.7, "6.70"), (1_234.0, "1,234.00")])
def test_a_rate_is_written_without_an_exponent(rate: float, text: str) -> None:
    result = replace(GOOD, scenarios=[replace(GOOD.scenarios[0], rate=rate)])
    assert f"market day, {text} a second" in describe_load(result)


def test_a_good_run_passes_and_ends_with_0() -> None:
    status, printed = print_to_string(GOOD)
    assert (status, list_failed(GOOD)) == (0, [])
    assert "Verdict: good" in printed
    assert "p99" in printed


BAD: dict[str, tuple[Callable[[], LoadResult], str]] = {
    "a tail": (lambda: replace_scenario(0, make_timings(200, slow=3)), "market day: p99 beside p50"),
    "no request": (lambda: replace_scenario(0, []), "market day: p99 beside p50"),
    "an error": (
        lambda: replace_scenario(0, [*make_timings(200), *make_timings(1, error="503")]),
        "market day: errors",
    ),
    "an error in the spike": (
        lambda: replace_scenario(1, [*make_timings(240), *make_timings(1, error="ReadTimeout")]),
        "broadcast: errors",
    ),
    "no recovery": (
        lambda: replace_scenario(1, make_timings(240, slow=100)),
        "broadcast: back to normal after",
    ),
    "an SMS lost": (lambda: replace_settlement(sms=SmsFaults(1, 0, 0)), "workers without an SMS"),
    "an SMS twice": (lambda: replace_settlement(sms=SmsFaults(0, 1, 0)), "workers with a second SMS"),
    "an SMS to a stranger": (
        lambda: replace_settlement(sms=SmsFaults(0, 0, 1)),
        "SMS to nobody who registered",
    ),
    "an SMS open": (lambda: replace_settlement(unsettled_sms=1), "SMS that are not settled"),
    "a dead letter": (lambda: replace_settlement(dead_letters=1), "dead letters"),
    "a drift": (
        lambda: replace_settlement(summary_differences=["counts.created: 1 and not 2"]),
        "summary beside what was sent: differences",
    ),
    "a wrong recount": (
        lambda: replace_settlement(recount_differences=["counts.created: 1 and not 2"]),
        "recount beside what was sent: differences",
    ),
    "no rest": (lambda: replace(GOOD, settlement=None), "the stack has come to rest"),
}


@pytest.mark.parametrize("fault", BAD)
def test_each_fault_fails_its_own_gate_and_ends_with_1(fault: str) -> None:
    make_result, gate = BAD[fault]
    result = make_result()
    status, printed = print_to_string(result)
    assert list_failed(result) == [gate]
    assert status == 1
    assert f"Verdict: BAD ({gate})" in printed.replace("\n", "")


def test_a_kind_of_request_that_always_takes_long_is_no_tail_and_one_that_is_late_is() -> None:
    def make_looks(*late: int) -> list[Timing]:
        usual = [0.05, 0.06, 0.07, 0.05, 1.5]
        return [
            Timing(number, number, number + usual[number % 5] * (20 if number in late else 1))
            for number in range(200)
        ]

    looks = ScenarioResult("looks", make_looks(), rate=1.0, kinds=5)
    assert list_failed(replace(GOOD, scenarios=[looks])) == []
    late = replace(looks, timings=make_looks(10, 14, 51))
    assert list_failed(replace(GOOD, scenarios=[late])) == ["looks: p99 beside p50"]
    assert list_failed(replace(GOOD, scenarios=[replace(looks, kinds=1)])) == ["looks: p99 beside p50"]


def test_a_report_without_gates_shows_nothing_and_is_no_success() -> None:
    assert print_report("Nothing", {}, [], console=Console(file=StringIO())) == 1


def test_a_figure_that_is_no_number_passes_no_gate() -> None:
    assert not Gate("growth", float("nan"), 1.1).has_passed
    assert not Gate("recovery", float("inf"), 60).has_passed
    assert Gate("errors", 0, 0).has_passed
