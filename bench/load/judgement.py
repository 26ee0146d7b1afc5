"""The verdict of a load run."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import nan

from bench.gates import Gate
from bench.load.books import Settlement
from bench.load.percentiles import find_percentile
from bench.load.recovery import find_recovery_seconds
from bench.load.sender import Timing

# At half load a request may meet one that is slow, but no queue that grows.
TAIL_LIMIT = 10.0
RECOVERY_LIMIT_SECONDS = 60.0


@dataclass(frozen=True)
class Spike:
    """The begin and the end of a spike, in seconds since its scenario began."""

    begin: float
    end: float


@dataclass(frozen=True)
class ScenarioResult:
    """The timings of one scenario at a share of what the stack carries. Only a broadcast has a spike.

    Its requests are of several kinds in turns: a spreadsheet takes longer than a figure at any load.
    """

    name: str
    timings: Sequence[Timing]
    rate: float
    spike: Spike | None = None
    kinds: int = 1

    @property
    def errors(self) -> Counter[str]:
        """Return how often each error came."""
        return Counter(each.error for each in self.timings if each.error is not None)


@dataclass(frozen=True)
class LoadResult:
    """The result of a run: what is carried a second, the scenarios, and what was left at the end."""

    capacities: Mapping[str, float]
    scenarios: Sequence[ScenarioResult]
    settlement: Settlement | None
    facts: Mapping[str, str] = field(default_factory=dict)


def judge_load(result: LoadResult) -> list[Gate]:
    """Return the gates of a run: latency as ratios, errors, and what was left at its end."""
    gates = [gate for scenario in result.scenarios for gate in _judge_scenario(scenario)]
    return [*gates, *judge_settlement(result.settlement)]


def _judge_scenario(scenario: ScenarioResult) -> list[Gate]:
    errors = Gate(f"{scenario.name}: errors", scenario.errors.total(), 0)
    if scenario.spike is None:
        return [
            errors,
            Gate(f"{scenario.name}: p99 beside p50", _measure_tail(scenario), TAIL_LIMIT, "x"),
        ]
    recovery = find_recovery_seconds(
        scenario.timings, spike_begin=scenario.spike.begin, spike_end=scenario.spike.end
    )
    return [errors, Gate(f"{scenario.name}: back to normal after", recovery, RECOVERY_LIMIT_SECONDS, "s")]


def _measure_tail(scenario: ScenarioResult) -> float:
    """Return the 99th percentile of the latencies, each as a multiple of the median of its kind."""
    multiples: list[float] = []
    for kind in range(scenario.kinds):
        latencies = [each.latency for each in scenario.timings[kind :: scenario.kinds]]
        if latencies:
            usual = find_percentile(latencies, 50)
            multiples += [latency / usual for latency in latencies]
    return find_percentile(multiples, 99) if multiples else nan


def judge_settlement(settlement: Settlement | None) -> list[Gate]:
    """Return the gates on what was left once nothing moved. Without a settlement they do not pass."""
    if settlement is None:
        return [Gate("the stack has come to rest", nan, 0)]
    return [
        Gate("workers without an SMS", settlement.sms.without, 0),
        Gate("workers with a second SMS", settlement.sms.repeated, 0),
        Gate("SMS to nobody who registered", settlement.sms.unexpected, 0),
        Gate("SMS that are not settled", settlement.unsettled_sms, 0),
        Gate("dead letters", settlement.dead_letters, 0),
        Gate("summary beside what was sent: differences", len(settlement.summary_differences), 0),
        Gate("recount beside what was sent: differences", len(settlement.recount_differences), 0),
    ]


def describe_load(result: LoadResult) -> dict[str, str]:
    """Return the figures of a run that have no gate."""
    facts = dict(result.facts)
    for name, rate in result.capacities.items():
        facts[f"carried: {name}"] = f"{rate:.1f} a second"
    for scenario in result.scenarios:
        latencies = [each.latency for each in scenario.timings]
        if latencies:
            p50, p95, p99 = (find_percentile(latencies, percent) * 1000 for percent in (50, 95, 99))
            facts[f"{scenario.name}, {scenario.rate:,.2f} a second"] = (
                f"{len(latencies):,} requests, p50 {p50:.0f} ms, p95 {p95:.0f} ms, p99 {p99:.0f} ms,"
                f" longest {max(latencies) * 1000:.0f} ms"
            )
        facts |= {f"{scenario.name}, error: {error}": str(times) for error, times in scenario.errors.items()}
    return facts
