"""Find when latency is normal again after a spike."""

from collections import defaultdict
from collections.abc import Iterable
from math import inf
from statistics import median

from bench.load.sender import Timing

# Two neighbouring medians of a quiet stack may differ by this factor.
_NORMAL_FACTOR = 2.0
# The median of a few requests shows nothing.
_MIN_REQUESTS = 10
_MIN_WINDOW_SECONDS = 5.0


def find_recovery_seconds(timings: Iterable[Timing], *, spike_begin: float, spike_end: float) -> float:
    """Return the seconds from the end of the spike until the median latency is normal, and stays so.

    Normal is at most twice the median before the spike. Each request counts where it was planned, in windows
    of five seconds, or as long as ten requests take on average. Return infinity if the last window is not
    normal, or if fewer than ten requests were sent before the spike or after it.
    """
    before: list[float] = []
    later: list[Timing] = []
    for timing in timings:
        if timing.planned_at < spike_begin:
            before.append(timing.latency)
        elif timing.planned_at >= spike_end:
            later.append(timing)
    if min(len(before), len(later)) < _MIN_REQUESTS:
        return inf
    seconds = later[-1].planned_at - spike_end
    window_seconds = max(_MIN_WINDOW_SECONDS, _MIN_REQUESTS * seconds / len(later))
    # What is left for no whole window belongs to the last one.
    last_window = max(0, int(seconds // window_seconds) - 1)
    windows: dict[int, list[float]] = defaultdict(list)
    for timing in later:
        window = int((timing.planned_at - spike_end) // window_seconds)
        windows[min(window, last_window)].append(timing.latency)
    normal = _NORMAL_FACTOR * median(before)
    slow = [window for window, latencies in windows.items() if median(latencies) > normal]
    if max(windows) in slow:
        return inf
    return (max(slow) + 1) * window_seconds if slow else 0.0
