"""Measure several functions in turns within one run, so that a busy machine affects all alike."""

import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from tests.support import http_events
from tests.support.campaigns import make_capture
from tests.support.lambda_runtime import InvocationResult, LocalFunction, run_function
from tests.support.payloads import make_campaign_payload

COLD_ROUNDS = 11
WARM_ROUNDS = 15
WARM_REQUESTS = 30
_WARM_UP_REQUESTS = 60

_HANDLER = "app.app"
_CREATED = 201


class UnexpectedAnswer(Exception):
    """A function did not do the measured work."""


@dataclass(frozen=True)
class Contender:
    """A zip to measure: its directory, and the status of its successful answer."""

    name: str
    task: Path
    success_status: int


class RoundTimings:
    """The seconds of each contender in each round."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def add(self, contender: Contender, seconds: float) -> None:
        self._seconds[contender.name].append(seconds)

    def median(self, contender: Contender) -> float:
        return median(self._seconds[contender.name])

    def ratio(self, contender: Contender, other: Contender) -> float:
        """Return the median over the rounds of the ratio of two contenders."""
        pairs = zip(self._seconds[contender.name], self._seconds[other.name], strict=True)
        return median(mine / theirs for mine, theirs in pairs)


class Benchmark:
    """Measures contenders against one emulator."""

    def __init__(self, *, runtime: Path, environment: Mapping[str, str], log: Path) -> None:
        self._runtime = runtime
        self._environment = environment
        self._log = log
        self._captures = map(make_capture, count(1))

    def create_campaign(self, ours: Contender) -> None:
        """Create the campaign, and enrol the device that sends the captures."""
        device = {"client_id": http_events.KIOSK["client_id"], "roles": ["kiosk"], "campaigns": ["*"]}
        with self._start_function(ours) as function:
            for event in (
                http_events.make_campaign_event(make_campaign_payload()),
                http_events.make_request_event(
                    "POST", "/v1/clients", json.dumps(device), caller=http_events.ADMIN
                ),
            ):
                check_status(function.invoke(event), _CREATED)

    def measure_cold_start(self, *contenders: Contender) -> RoundTimings:
        """Measure the seconds from the start of the process to its first answer."""
        rounds = RoundTimings()
        for _ in range(COLD_ROUNDS):
            for each in contenders:
                event = http_events.make_registration_event(next(self._captures))
                started_at = time.perf_counter()
                with self._start_function(each) as function:
                    answer = function.invoke(event)
                check_status(answer, each.success_status)
                rounds.add(each, answer.answered_at - started_at)
        return rounds

    def measure_warm_cpu(self, *contenders: Contender) -> RoundTimings:
        """Measure the CPU seconds of one request to a warm function."""
        rounds = RoundTimings()
        with contextlib.ExitStack() as stack:
            turns = [(each, stack.enter_context(self._start_function(each))) for each in contenders]
            for each, function in turns:
                self._measure_cpu(function, each, _WARM_UP_REQUESTS)
            for _ in range(WARM_ROUNDS):
                for each, function in turns:
                    rounds.add(each, self._measure_cpu(function, each, WARM_REQUESTS) / WARM_REQUESTS)
        return rounds

    def _measure_cpu(self, function: LocalFunction, contender: Contender, request_count: int) -> float:
        requests = [http_events.make_registration_event(next(self._captures)) for _ in range(request_count)]
        before = function.cpu_seconds
        answers = [function.invoke(request) for request in requests]
        cpu_seconds = function.cpu_seconds - before
        for answer in answers:
            check_status(answer, contender.success_status)
        return cpu_seconds

    def _start_function(self, contender: Contender) -> contextlib.AbstractContextManager[LocalFunction]:
        return run_function(
            contender.task, _HANDLER, runtime=self._runtime, environment=self._environment, log=self._log
        )


def check_status(result: InvocationResult, status: int) -> None:
    if result.error is not None or result.value["statusCode"] != status:
        raise UnexpectedAnswer(json.dumps(result.value))
