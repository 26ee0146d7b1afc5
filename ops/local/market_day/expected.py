"""The counts that must result from sending the files, derived from the intended outcomes.

They never come from the code that the files test.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from ops.local.market_day.lines import CaptureLine, LineOutcome, select_counted
from ops.local.market_day.setting import DEVICES, THURSDAY, WEDNESDAY, Body

FirstCaptures = tuple[CaptureLine, ...]
"""One worker's captures that could arrive first: the first of each device, which sends its lines in order."""


def compute_expected(files: Mapping[str, Sequence[CaptureLine]], seed: int) -> Body:
    """Return the expected counts: for any interleaving of the files, and for one file after another."""
    lines = [line for own in files.values() for line in own]
    workers = _group_first_captures(lines)
    return {
        "seed": seed,
        "sends": {"total": len(lines), "by_file": {name: len(own) for name, own in files.items()}},
        "workers": len(workers),
        "texts": len(workers),
        "captures": _count_lines(lines, LineOutcome.COUNTED),
        "already_registered": _count_lines(lines, LineOutcome.COUNTED) - len(workers),
        "replays": _count_lines(lines, LineOutcome.REPLAYED),
        "conflicts": _count_lines(lines, LineOutcome.REUSED),
        "refused": _count_refusals(lines),
        "by_occupation": _tally(
            occupation for captures in workers for occupation in captures[0].worker.occupations
        ),
        "days": {day.isoformat(): _expect_any_order(lines, workers, day) for day in (WEDNESDAY, THURSDAY)},
        "in_device_order": {
            "order": list(files),
            "days": {day.isoformat(): _expect_file_order(lines, day) for day in (WEDNESDAY, THURSDAY)},
        },
        "across_days": _find_multi_day_captures(lines),
    }


def _group_first_captures(lines: Iterable[CaptureLine]) -> list[FirstCaptures]:
    firsts: dict[str, dict[str, CaptureLine]] = {}
    for line in select_counted(lines):
        firsts.setdefault(line.worker.nik, {}).setdefault(line.device.client_id, line)
    return [tuple(by_device.values()) for by_device in firsts.values()]


def _expect_any_order(
    lines: Sequence[CaptureLine], first_captures: Sequence[FirstCaptures], day: date
) -> Body:
    day_lines = [line for line in lines if line.day == day]
    capture_count = _count_lines(day_lines, LineOutcome.COUNTED)

    def created(fits: Callable[[CaptureLine], bool]) -> dict[str, int]:
        return {
            "least": sum(
                all(line.day == day and fits(line) for line in captures) for captures in first_captures
            ),
            "most": sum(
                any(line.day == day and fits(line) for line in captures) for captures in first_captures
            ),
        }

    all_created = created(lambda _: True)
    return {
        "captures": capture_count,
        "created": all_created,
        "already_registered": {
            "least": capture_count - all_created["most"],
            "most": capture_count - all_created["least"],
        },
        "refused": _count_refusals(day_lines),
        "replays": _count_lines(day_lines, LineOutcome.REPLAYED),
        "conflicts": _count_lines(day_lines, LineOutcome.REUSED),
        "by_client": {
            device.client_id: {
                "captures": _count_lines(
                    (line for line in day_lines if line.device is device), LineOutcome.COUNTED
                ),
                "created": created(lambda line, device=device: line.device is device),  # type: ignore[misc]
                "refused": _count_lines(
                    (line for line in day_lines if line.device is device), LineOutcome.REFUSED
                ),
            }
            for device in DEVICES
        },
    }


def _expect_file_order(lines: Sequence[CaptureLine], day: date) -> Body:
    """Return the day's counts with the names of a summary."""
    first_lines: dict[str, CaptureLine] = {}
    for line in select_counted(lines):
        first_lines.setdefault(line.worker.nik, line)
    created = [line for line in first_lines.values() if line.day == day]
    day_lines = [line for line in lines if line.day == day]
    captures = _count_lines(day_lines, LineOutcome.COUNTED)
    return {
        "counts": {
            "captures": captures,
            "created": len(created),
            "already_registered": captures - len(created),
            "refused": _count_lines(day_lines, LineOutcome.REFUSED),
        },
        "by_channel": _tally(line.device.channel for line in created),
        "by_client": _tally(line.device.client_id for line in created),
        "by_occupation": _tally(occupation for line in created for occupation in line.worker.occupations),
    }


def _find_multi_day_captures(lines: Sequence[CaptureLine]) -> list[list[Body]]:
    """Return the captures of workers who came on both days: which one is `created` depends on the order."""
    visits: dict[str, list[CaptureLine]] = {}
    for line in select_counted(lines):
        visits.setdefault(line.worker.nik, []).append(line)
    return [
        [
            {"client": line.device.client_id, "day": line.day.isoformat(), "capture_id": line.capture_id}
            for line in captures
        ]
        for captures in visits.values()
        if len({line.day for line in captures}) > 1
    ]


def _count_lines(lines: Iterable[CaptureLine], outcome: LineOutcome) -> int:
    return sum(line.outcome is outcome for line in lines)


def _count_refusals(lines: Sequence[CaptureLine]) -> Body:
    return {
        "total": _count_lines(lines, LineOutcome.REFUSED),
        "by_reason": _tally(line.reason.value for line in lines if line.reason is not None),
    }


def _tally(values: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))
