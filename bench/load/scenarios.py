"""The scenarios of a load run: what is carried is found first, and each is planned as a share of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from time import perf_counter

from bench.load.arrivals import Step, draw_arrivals, make_broadcast, make_market_day
from bench.load.books import Settlement
from bench.load.campaign import MANAGER_PATHS, LoadedCampaign, NotAtRest
from bench.load.judgement import LoadResult, ScenarioResult, Spike
from bench.load.sender import Call, send_at_full_rate, send_on_schedule
from bench.stack import CaptureRefused
from ops.api_client import ApiUnavailable
from tests.support.sms_ledger import count_unsettled

_HALF = 0.5
# Five times a quarter is a quarter more than is carried, for the length of the spike. From half, the queue
# that five times as much leaves would take longer to drain than the gate allows, at any speed.
_BEFORE_SPIKE = 0.25
_SEED = 20241009


@dataclass(frozen=True)
class LoadPlan:
    """The size of a run. `connections` bounds the requests in work, as Lambda's concurrency does on AWS."""

    capacity_seconds: float
    market_seconds: float
    vans: int
    batch_size: int
    seconds_before_spike: float
    spike_seconds: float
    seconds_after_spike: float
    status_seconds: float
    reading_seconds: float
    connections: int
    settle_seconds: float


class LoadRun:
    """One run on a loaded campaign."""

    def __init__(
        self,
        campaign: LoadedCampaign,
        plan: LoadPlan,
        *,
        on_progress: Callable[[str], None] = lambda step: None,
    ) -> None:
        self._campaign = campaign
        self._plan = plan
        self._on_progress = on_progress
        self._chance = Random(_SEED)  # noqa: S311 - arrivals, no secret
        self._capacities: dict[str, float] = {}

    def run(self) -> LoadResult:
        """Find what is carried, run every scenario, settle, and return what was measured.

        Raise NotAtRest if SMS do not come between two scenarios, CaptureRefused if nothing is accepted.
        """
        self._find_capacities()
        scenarios = [
            self._run_market_day(),
            self._run_evening_sync(),
            self._run_broadcast(),
            self._run_status_checks(),
            self._run_reading(),
        ]
        self._on_progress("settling")
        return LoadResult(self._capacities, scenarios, self._settle())

    def _settle(self) -> Settlement | None:
        """Return what is left once nothing moves, None if that never comes: the latencies are told anyway."""
        timeout_seconds = self._plan.settle_seconds
        try:
            self._campaign.await_rest(timeout_seconds=timeout_seconds)
            return self._campaign.settle(
                count_unsettled(self._campaign.stack), timeout_seconds=timeout_seconds
            )
        except (NotAtRest, ApiUnavailable) as error:
            self._on_progress(f"not settled: {error}")
            return None

    def _find_capacities(self) -> None:
        plan, campaign = self._plan, self._campaign
        if (error := campaign.begin(timeout_seconds=plan.settle_seconds)) is not None:
            raise CaptureRefused(error)
        # A function that starts takes as much as ten registrations; what is carried is carried once they run.
        self._saturate(campaign.register)
        self._capacities["registrations with their SMS"] = self._saturate(campaign.register)
        batches = self._saturate(lambda _: campaign.register_batch(plan.batch_size))
        self._capacities["registrations by batches with their SMS"] = batches * plan.batch_size
        self._capacities["registrations by a bot with their SMS"] = self._saturate(campaign.register_by_bot)
        self._capacities["status checks"] = self._saturate(campaign.ask_status)

    def _saturate(self, call: Call) -> float:
        """Return how many calls a second are answered and have led to their SMS."""
        self._on_progress("finding what is carried")
        began_at = perf_counter()
        callers = min(self._plan.connections, 8)
        timings = send_at_full_rate(call, seconds=self._plan.capacity_seconds, callers=callers)
        self._campaign.await_all_sms(timeout_seconds=self._plan.settle_seconds)
        return sum(each.error is None for each in timings) / (perf_counter() - began_at)

    def _run_market_day(self) -> ScenarioResult:
        rate = self._capacities["registrations with their SMS"] * _HALF
        steps = make_market_day(peak_rate=rate, seconds=self._plan.market_seconds)
        return self._run("market day", steps, rate, self._campaign.register)

    def _run_evening_sync(self) -> ScenarioResult:
        """Let every van send its batch, over as long as half of what is carried takes for all of them."""
        plan = self._plan
        rate = self._capacities["registrations by batches with their SMS"] * _HALF / plan.batch_size
        seconds = plan.vans / rate
        planned = sorted(self._chance.uniform(0, seconds) for _ in range(plan.vans))
        self._on_progress(f"evening sync: {plan.vans} vans in {seconds:.0f} s")
        call = self._campaign.register_batch
        timings = send_on_schedule(planned, lambda _: call(plan.batch_size), connections=plan.connections)
        return ScenarioResult(f"evening sync of {plan.vans} vans", timings, rate)

    def _run_broadcast(self) -> ScenarioResult:
        plan = self._plan
        self._campaign.await_all_sms(timeout_seconds=plan.settle_seconds)
        rate = self._capacities["registrations by a bot with their SMS"] * _BEFORE_SPIKE
        steps = make_broadcast(
            rate=rate,
            seconds_before=plan.seconds_before_spike,
            spike_seconds=plan.spike_seconds,
            seconds_after=plan.seconds_after_spike,
        )
        spike = Spike(plan.seconds_before_spike, plan.seconds_before_spike + plan.spike_seconds)
        return self._run("broadcast", steps, rate, self._campaign.register_by_bot, spike)

    def _run_status_checks(self) -> ScenarioResult:
        rate = self._capacities["status checks"] * _HALF
        steps = [Step(self._plan.status_seconds, rate)]
        return self._run("status checks", steps, rate, self._campaign.ask_status)

    def _run_reading(self) -> ScenarioResult:
        # The emulator sorts all rows of a day for each page of it, so what is carried shrinks with the day.
        carried = self._saturate(self._campaign.read_as_manager)
        self._capacities["looks of managers"] = carried
        rate = carried * _HALF
        steps = [Step(self._plan.reading_seconds, rate)]
        result = self._run("looks of managers", steps, rate, self._campaign.read_as_manager)
        return replace(result, kinds=len(MANAGER_PATHS))

    def _run(
        self, name: str, steps: Sequence[Step], rate: float, call: Call, spike: Spike | None = None
    ) -> ScenarioResult:
        self._campaign.await_all_sms(timeout_seconds=self._plan.settle_seconds)
        planned = draw_arrivals(steps, self._chance)
        seconds = sum(step.seconds for step in steps)
        self._on_progress(f"{name}: {len(planned):,} requests in {seconds:.0f} s")
        return ScenarioResult(
            name, send_on_schedule(planned, call, connections=self._plan.connections), rate, spike
        )
