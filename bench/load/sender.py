"""Send requests at their planned times, or as many as are answered.

A planned request is sent whether or not earlier ones are answered, and its latency begins at the planned
time. A sender that waits for a slow answer before it sends the next one leaves out just those requests that
would have been slow too ("coordinated omission").
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

# Sends the request with this number. Return None, or what went wrong.
Call = Callable[[int], str | None]


@dataclass(frozen=True)
class Timing:
    """One request, in seconds since the run began. Until `sent_at` it waited for a free connection."""

    planned_at: float
    sent_at: float
    answered_at: float
    error: str | None = None

    @property
    def latency(self) -> float:
        """Return the seconds from the planned time to the answer."""
        return self.answered_at - self.planned_at


def send_on_schedule(planned: Sequence[float], call: Call, *, connections: int) -> list[Timing]:
    """Send a request at each planned second, and return the timings in order.

    At most `connections` are open; a request that finds none free waits, and that counts as latency.
    """
    began_at = time.perf_counter()

    def send(number: int) -> Timing:
        sent_at = time.perf_counter() - began_at
        error = call(number)
        return Timing(planned[number], sent_at, time.perf_counter() - began_at, error)

    with ThreadPoolExecutor(connections) as senders:
        pending = []
        try:
            for number, second in enumerate(planned):
                time.sleep(max(0.0, began_at + second - time.perf_counter()))
                pending.append(senders.submit(send, number))
            return [each.result() for each in pending]
        finally:
            # Whoever interrupts an overloaded run does not wait for what has found no connection.
            senders.shutdown(wait=False, cancel_futures=True)


def send_at_full_rate(call: Call, *, seconds: float, callers: int) -> list[Timing]:
    """Let each caller send one request after the other for some seconds, and return the timings.

    This finds what can be carried. It says nothing about latency.
    """
    began_at = time.perf_counter()

    def send(first: int) -> list[Timing]:
        timings: list[Timing] = []
        while (sent_at := time.perf_counter() - began_at) < seconds:
            error = call(first + callers * len(timings))
            timings.append(Timing(sent_at, sent_at, time.perf_counter() - began_at, error))
        return timings

    with ThreadPoolExecutor(callers) as senders:
        return [timing for timings in senders.map(send, range(callers)) for timing in timings]
