"""An independent count of the example's outcomes, by the rules of the API contract."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations

from tests.examples.capture_lines import CHANNELS, DEVICES, THURSDAY, WEDNESDAY, CaptureLine


@dataclass
class DayCounts:
    """The counts of one day."""

    counts: Counter[str]
    by_channel: Counter[str]
    by_client: Counter[str]
    by_occupation: Counter[str]
    captures_by_client: Counter[str]
    refused_by_client: Counter[str]
    reasons: Counter[str]


def count_outcomes(lines: Sequence[CaptureLine]) -> dict[str, DayCounts]:
    """Count the outcomes of lines in the given order, by day."""
    days = {day: DayCounts(*(Counter() for _ in range(7))) for day in (WEDNESDAY, THURSDAY)}
    accepted: dict[str, CaptureLine] = {}
    workers: set[str] = set()
    for line in lines:
        day = days[line.day]
        if line.capture_id in accepted:
            day.counts["replays" if line.is_repeat_of(accepted[line.capture_id]) else "conflicts"] += 1
        elif line.mistake:
            day.counts["refused"] += 1
            day.refused_by_client[line.device] += 1
            day.reasons[line.mistake] += 1
        else:
            accepted[line.capture_id] = line
            day.counts["captures"] += 1
            day.captures_by_client[line.device] += 1
            if line.nik in workers:
                day.counts["already_registered"] += 1
            else:
                workers.add(line.nik)
                day.counts["created"] += 1
                day.by_client[line.device] += 1
                day.by_channel[CHANNELS[line.device]] += 1
                day.by_occupation.update(line.body["work"]["occupations"])
    return days


def _interleave(files: dict[str, list[CaptureLine]], seed: int) -> list[CaptureLine]:
    """Return the lines of all devices interleaved, each device in its own order."""
    draw = random.Random(seed)  # noqa: S311 - a reproducible shuffle
    turns = [device for device, lines in files.items() for _ in lines]
    draw.shuffle(turns)
    rest = {device: iter(lines) for device, lines in files.items()}
    return [next(rest[device]) for device in turns]


def iter_orders(files: dict[str, list[CaptureLine]]) -> Iterator[list[CaptureLine]]:
    for devices in permutations(DEVICES):
        yield [line for device in devices for line in files[device]]
    for seed in range(20):
        yield _interleave(files, seed)
