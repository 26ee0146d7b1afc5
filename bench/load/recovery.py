"""Find when latency is normal again after a spike."""

from collections import defaultdict
from collections.abc import Iterable
from math import inf
from statistics import median

from bench.load.sender import Timing

# Two neighbouring medians of a quiet stack may differ by this factor.
_NORMAL_FACTOR = 2.0


def find_recovery_seconds(
    timings: Iterable[Timing], *, spike_begin: float, spike_end: float, window_seconds: float = 5.0
) -> float:
    """Return the seconds from the end of the spike until the median latency is normal, and stays so.

    Normal is at most twice the median before the spike. Each request counts where it was planned. Return
    infinity if the last window is not normal, or if nothing was sent before the spike or after it.
    """
    before: list[float] = []
    windows: dict[int, list[float]] = defaultdict(list)
    for timing in timings:
        if timing.planned_at < spike_begin:
            before.append(timing.latency)
        elif timing.planned_at >= spike_end:
            windows[int((timing.planned_at - spike_end) // window_seconds)].append(timing.latency)
    if not before or not windows:
        return inf
    normal = _NORMAL_FACTOR * median(before)
    slow = [window for window, latencies in windows.items() if median(latencies) > normal]
    if max(windows) in slow:
        return inf
    return (max(slow) + 1) * window_seconds if slow else 0.0
