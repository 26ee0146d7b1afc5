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
from bench.soak.campaigns import SETTLE_SECONDS, SoakedCampaigns
from bench.soak.flatness import divide_by_size
from bench.soak.processes import EMULATOR, sample_processes
from bench.soak.samples import WITHOUT_COUNT, WITHOUT_SMS, SoakSample
from bench.stack import CaptureRefused
from ops.aws_errors import AWS_ERRORS

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
    """Return how many registrations a second a batch and its SMS come to.

    Raise CaptureRefused or NotAtRest.
    """
    began_at = time.monotonic()
    if (error := campaign.register_batch(batch_size)) is not None:
        raise CaptureRefused(error)
    campaign.await_all_sms(timeout_seconds=SETTLE_SECONDS)
    return batch_size / (time.monotonic() - began_at)


def begin_campaigns(campaigns: Sequence[LoadedCampaign]) -> SoakedCampaigns:
    """Register one worker in each campaign. Raise CaptureRefused or NotAtRest."""
    for campaign in campaigns:
        if (error := campaign.begin(timeout_seconds=SETTLE_SECONDS)) is not None:
            raise CaptureRefused(error)
    return SoakedCampaigns(campaigns)


class Soak:
    """One soak of some campaigns, which have begun."""

    def __init__(self, campaigns: SoakedCampaigns, plan: SoakPlan) -> None:
        self._campaigns = campaigns
        self._plan = plan
        # Some are registered already, to find what is carried.
        self._turns = campaigns.plan_turns(plan.registrations, plan.batch_size)
        self._began_at = time.monotonic()
        self._finished = Event()
        self._count_age = divide_by_size(0.0, 0)
        self._samples: list[SoakSample] = []
        self._errors: Counter[str] = Counter()

    def run(self, on_sample: Callable[[SoakSample], None] = lambda sample: None) -> SoakResult:
        """Send everything on its schedule, settle, and return what was seen."""
        planned = [number * self._plan.seconds / len(self._turns) for number in range(len(self._turns))]
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
            accepted=self._campaigns.count_accepted(),
            seconds=seconds,
            settlement=self._campaigns.settle(),
        )

    def _send(self, number: int) -> str | None:
        return self._campaigns.send_turn(*self._turns[number], number)

    def _repeat(self, seconds: float, act: Callable[[], None]) -> None:
        """Act every so many seconds. An hour's soak goes on if a look fails, and says so at its end."""
        while not self._finished.wait(seconds):
            try:
                act()
            except (*AWS_ERRORS, httpx.HTTPError, RuntimeError) as error:
                self._errors[f"look: {type(error).__name__}"] += 1

    def _count(self) -> None:
        self._count_age = self._campaigns.count_days()

    def _look(self) -> SoakSample:
        sample = SoakSample(
            second=time.monotonic() - self._began_at,
            registrations=self._campaigns.count_accepted(),
            processes={
                _shorten(name): found for name, found in sample_processes(self._campaigns.port).items()
            },
            ages={
                WITHOUT_SMS: self._campaigns.find_sms_age(),
                WITHOUT_COUNT: self._count_age,
            },
        )
        self._samples.append(sample)
        return sample


def _shorten(function: str) -> str:
    """Return a function's name in the template, without those of the stack and the end that AWS gives it."""
    return function if function == EMULATOR else function.split("-")[2]
