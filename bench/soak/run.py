"""Register workers at a steady rate for a long time, and look at the stack meanwhile."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Event

import httpx

from bench.load.books import Settlement
from bench.load.campaign import LoadedCampaign
from bench.load.sender import Timing, send_on_schedule
from bench.soak.flatness import divide_by_size, find_oldest_age
from bench.soak.processes import EMULATOR, sample_processes
from bench.soak.samples import SoakSample
from bench.stack import CaptureRefused
from ops.aws_errors import AWS_ERRORS

_SETTLE_SECONDS = 1800
CONNECTIONS = 8


@dataclass(frozen=True)
class SoakPlan:
    """The size of a soak: registrations, the seconds in which they come, and the size of a batch.

    `sample_seconds` lie between two looks. An hour of the hourly count passes in `hour_seconds`, because it
    only waits for its hour.
    """

    registrations: int
    seconds: float
    batch_size: int
    sample_seconds: float
    hour_seconds: float

    @property
    def rate(self) -> float:
        """Return the registrations a second."""
        return self.registrations / self.seconds


@dataclass(frozen=True)
class SoakResult:
    """The result of a soak: a timing for each turn of a van, and how often each error came."""

    plan: SoakPlan
    samples: Sequence[SoakSample] = ()
    timings: Sequence[Timing] = ()
    errors: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    seconds: float = 0.0
    settlement: Settlement | None = None


def find_carried_rate(campaign: LoadedCampaign, batch_size: int) -> float:
    """Begin a campaign, and return how many registrations a second a batch and its SMS come to.

    Raise CaptureRefused or NotAtRest.
    """
    error = campaign.begin(timeout_seconds=_SETTLE_SECONDS)
    began_at = time.monotonic()
    error = error or campaign.register_batch(batch_size)
    if error is not None:
        raise CaptureRefused(error)
    campaign.await_all_sms(timeout_seconds=_SETTLE_SECONDS)
    return batch_size / (time.monotonic() - began_at)


class Soak:
    """One soak of a campaign."""

    def __init__(self, campaign: LoadedCampaign, plan: SoakPlan) -> None:
        self._campaign = campaign
        self._plan = plan
        # Some are registered already, to find what is carried.
        self._rest = plan.registrations - len(campaign.books.accepted)
        self._began_at = time.monotonic()
        self._finished = Event()
        self._count_age = 0.0
        self._samples: list[SoakSample] = []
        self._errors: Counter[str] = Counter()

    def run(self, on_sample: Callable[[SoakSample], None] = lambda sample: None) -> SoakResult:
        """Send everything on its schedule, settle, and return what was seen.

        The campaign has begun.
        """
        batches = -(-self._rest // self._plan.batch_size)
        planned = [number * self._plan.seconds / batches for number in range(batches)]
        with ThreadPoolExecutor(2) as watchers:
            watching = [
                watchers.submit(self._repeat, self._plan.sample_seconds, lambda: on_sample(self._look())),
                watchers.submit(self._repeat, self._plan.hour_seconds, self._count),
            ]
            try:
                timings = send_on_schedule(planned, self._send, connections=CONNECTIONS)
            finally:
                self._finished.set()
        for each in watching:
            each.result()
        seconds = time.monotonic() - self._began_at
        return SoakResult(
            plan=self._plan,
            samples=self._samples,
            timings=timings,
            errors=self._errors + Counter(each.error for each in timings if each.error is not None),
            accepted=len(self._campaign.books.accepted),
            seconds=seconds,
            settlement=self._campaign.settle(timeout_seconds=_SETTLE_SECONDS),
        )

    def _send(self, number: int) -> str | None:
        """Send one batch, and beside it a single capture, a question of a worker and a look of a manager."""
        size = min(self._plan.batch_size, self._rest - number * self._plan.batch_size)
        error = self._campaign.register_batch(max(size - 1, 1))
        if size > 1:
            error = self._campaign.register() or error
        return self._campaign.ask_status(number) or self._campaign.read_as_manager(number) or error

    def _repeat(self, seconds: float, act: Callable[[], None]) -> None:
        """Act every so many seconds. An hour's soak goes on if a look fails, and says so at its end."""
        while not self._finished.wait(seconds):
            try:
                act()
            except (*AWS_ERRORS, httpx.HTTPError, RuntimeError) as error:
                self._errors[f"look: {type(error).__name__}"] += 1

    def _count(self) -> None:
        """Run the hourly count, and record how long a registration that it left out has waited by then.

        A count reads the whole day, so it takes twice as long for twice the day.
        """
        summary = self._campaign.count_day()
        times = sorted(each.accepted_at for each in list(self._campaign.books.accepted.values()))
        counted = summary["counts"]["created"]
        self._count_age = divide_by_size(find_oldest_age(times, counted, time.monotonic()), counted)

    def _look(self) -> SoakSample:
        times = sorted(each.accepted_at for each in list(self._campaign.books.accepted.values()))
        now = time.monotonic()
        processes = {
            _shorten(name): found for name, found in sample_processes(self._campaign.stack.port).items()
        }
        sample = SoakSample(
            second=now - self._began_at,
            registrations=len(times),
            processes=processes,
            ages={
                "registration without an SMS": find_oldest_age(times, self._campaign.count_sms(), now),
                "registration without a count, by size of the day": self._count_age,
            },
        )
        self._samples.append(sample)
        return sample


def _shorten(function: str) -> str:
    """Return a function's name in the template, without those of the stack and the end that AWS gives it."""
    return function if function == EMULATOR else function.split("-")[2]
