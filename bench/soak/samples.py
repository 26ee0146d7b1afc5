"""The figures that are read during a soak, and the gates on their growth."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bench.gates import Gate
from bench.soak.flatness import measure_growth
from bench.soak.processes import EMULATOR, ProcessSample

# Growth of the last quarter over the second one.
_MEMORY_LIMIT = 1.10
_COUNT_LIMIT = 1.10
_AGE_LIMIT = 1.50
# A figure below these is noise: megabytes, threads and descriptors, seconds.
_MEMORY_FLOOR, _COUNT_FLOOR = 40.0, 8.0
WITHOUT_SMS, WITHOUT_COUNT = (
    "registration without an SMS",
    "registration without a count, by size of the days",
)
# That of a count has its noise taken out before it is divided.
_AGE_FLOORS = {WITHOUT_SMS: 10.0, WITHOUT_COUNT: 0.01}


@dataclass(frozen=True)
class SoakSample:
    """One look: the second, registrations so far, processes, and how long the oldest of each kind waits."""

    second: float
    registrations: int
    processes: Mapping[str, Sequence[ProcessSample]]
    ages: Mapping[str, float]


@dataclass
class Series:
    """The values of each figure over a soak, by the function for those of processes."""

    memory: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    threads: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    descriptors: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    sockets: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    ages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    length: int = 0

    @classmethod
    def from_samples(cls, samples: Sequence[SoakSample]) -> "Series":
        """Return the series of samples. Of several processes of a function, the largest one counts."""
        series = cls(length=len(samples))
        for sample in samples:
            for name, processes in sample.processes.items():
                series.memory[name].append(max(each.megabytes for each in processes))
                series.threads[name].append(max(each.threads for each in processes))
                series.descriptors[name].append(max(each.descriptors for each in processes))
                series.sockets[name].append(max(each.sockets for each in processes))
            for name, age in sample.ages.items():
                series.ages[name].append(age)
        return series

    def make_gates(self) -> Iterator[Gate]:
        """Yield a gate for each figure that has to stay flat.

        The emulator has none, because it keeps every log and item. A function that ran for less than half of
        the soak, such as one that exports final days, has none either.
        """
        for kind, values, floor, limit in (
            ("memory", self.memory, _MEMORY_FLOOR, _MEMORY_LIMIT),
            ("threads", self.threads, _COUNT_FLOOR, _COUNT_LIMIT),
            ("descriptors", self.descriptors, _COUNT_FLOOR, _COUNT_LIMIT),
            ("connections", self.sockets, _COUNT_FLOOR, _COUNT_LIMIT),
        ):
            for name in sorted(values.keys() - {EMULATOR}):
                if 2 * len(values[name]) < self.length:
                    continue
                yield Gate(f"{kind}, {name}", measure_growth(values[name], floor=floor), limit, "x")
        for name in sorted(self.ages):
            yield Gate(
                f"age, {name}", measure_growth(self.ages[name], floor=_AGE_FLOORS[name]), _AGE_LIMIT, "x"
            )
