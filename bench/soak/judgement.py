"""The verdict of a soak."""

from bench.gates import Gate
from bench.load.judgement import judge_settlement
from bench.load.percentiles import find_percentile
from bench.soak.run import SoakResult
from bench.soak.samples import Series


def judge_soak(result: SoakResult) -> list[Gate]:
    """Return the gates of a soak: errors, growth, and what was left at its end."""
    missing = result.plan.registrations - result.accepted
    return [
        Gate("errors", sum(result.errors.values()), 0),
        Gate("registrations that were not accepted", missing, 0),
        *Series.from_samples(result.samples).make_gates(),
        *judge_settlement(result.settlement),
    ]


def describe_soak(result: SoakResult) -> dict[str, str]:
    """Return the figures of a soak that have no gate."""
    facts = {
        "registrations": f"{result.accepted:,}",
        "wall clock": f"{result.seconds:,.0f} s",
        "rate": f"{result.accepted / result.seconds:.2f} a second",
        **{f"error: {error}": str(times) for error, times in result.errors.items()},
    }
    latencies = [each.latency for each in result.timings]
    if latencies:
        p50, p99 = (find_percentile(latencies, percent) for percent in (50, 99))
        facts["one van's turn, p50 and p99"] = f"{p50:.2f} s, {p99:.2f} s"
    series = Series.from_samples(result.samples)
    for name in sorted(series.memory):
        memory, threads = series.memory[name], series.threads[name]
        processes = max(len(each.processes.get(name, ())) for each in result.samples)
        facts[f"{name}, first and last look"] = (
            f"{memory[0]:.0f} and {memory[-1]:.0f} MB, {threads[0]:.0f} and {threads[-1]:.0f} threads,"
            f" {series.descriptors[name][-1]:.0f} descriptors with {series.sockets[name][-1]:.0f} sockets,"
            f" at most {processes} at once"
        )
    return facts
