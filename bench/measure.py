"""The measurements: functions compared in one run, turn by turn, so that a busy machine burdens all alike."""

import contextlib
import json
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.support import http_events
from tests.support.builders import (
    make_campaign_payload,
    make_capture_id,
    make_capture_payload,
    make_nik,
    make_phone,
)
from tests.support.lambda_runtime import InvocationResult, LocalFunction, run_function

COLD_ROUNDS = 11
WARM_ROUNDS = 15
WARM_REQUESTS = 30
_WARM_UP_REQUESTS = 60

_HANDLER = "app.app"
_CREATED = 201
_MAX_SERIAL = 9_999


class UnexpectedAnswer(Exception):
    """A function did not do the work that is being measured."""


@dataclass(frozen=True)
class Contender:
    """A zip to be measured: where it is unpacked, and the status of its good answer."""

    name: str
    task: Path
    success_status: int


class RoundTimings:
    """What each contender took in each round. All took their turn in every round."""

    def __init__(self) -> None:
        self._seconds: dict[str, list[float]] = defaultdict(list)

    def add(self, contender: Contender, seconds: float) -> None:
        """Note what a contender took in this round."""
        self._seconds[contender.name].append(seconds)

    def median(self, contender: Contender) -> float:
        """What it usually took."""
        return median(self._seconds[contender.name])

    def ratio(self, contender: Contender, other: Contender) -> float:
        """How many times the other's it took: the median over the rounds, so that no busy moment decides."""
        pairs = zip(self._seconds[contender.name], self._seconds[other.name], strict=True)
        return median(mine / theirs for mine, theirs in pairs)


class Benchmark:
    """Measures contenders against one stage."""

    def __init__(self, *, runtime: Path, environment: Mapping[str, str], log: Path) -> None:
        self._runtime = runtime
        self._environment = environment
        self._log = log
        self._captures = _iter_distinct_captures()

    def create_campaign(self, ours: Contender) -> None:
        """Let our own zip open the campaign that captures are registered for."""
        with self._start_function(ours) as function:
            _check_status(function.invoke(http_events.make_campaign_event(make_campaign_payload())), _CREATED)

    def measure_cold_start(self, *contenders: Contender) -> RoundTimings:
        """Seconds from the start of the process to its first answer."""
        rounds = RoundTimings()
        for _ in range(COLD_ROUNDS):
            for each in contenders:
                event = http_events.make_registration_event(next(self._captures))
                began = time.perf_counter()
                with self._start_function(each) as function:
                    answer = function.invoke(event)
                _check_status(answer, each.success_status)
                rounds.add(each, answer.answered_at - began)
        return rounds

    def measure_warm_cpu(self, *contenders: Contender) -> RoundTimings:
        """Processor seconds of the function's process for one request, once it is warm."""
        rounds = RoundTimings()
        with contextlib.ExitStack() as stack:
            turns = [(each, stack.enter_context(self._start_function(each))) for each in contenders]
            for each, function in turns:
                self._measure_cpu(function, each, _WARM_UP_REQUESTS)
            for _ in range(WARM_ROUNDS):
                for each, function in turns:
                    rounds.add(each, self._measure_cpu(function, each, WARM_REQUESTS) / WARM_REQUESTS)
        return rounds

    def _measure_cpu(self, function: LocalFunction, contender: Contender, count: int) -> float:
        requests = [http_events.make_registration_event(next(self._captures)) for _ in range(count)]
        before = function.cpu_seconds
        answers = [function.invoke(post) for post in requests]
        used = function.cpu_seconds - before
        for answer in answers:
            _check_status(answer, contender.success_status)
        return used

    def _start_function(self, contender: Contender) -> contextlib.AbstractContextManager[LocalFunction]:
        return run_function(
            contender.task, _HANDLER, runtime=self._runtime, environment=self._environment, log=self._log
        )


def _check_status(result: InvocationResult, status: int) -> None:
    if result.error is not None or result.value["statusCode"] != status:
        raise UnexpectedAnswer(json.dumps(result.value))


def _iter_distinct_captures() -> Iterator[dict[str, Any]]:
    """Captures of workers whom nobody has registered yet."""
    for number in range(1, _MAX_SERIAL + 1):
        worker = {"nik": make_nik(number), "phone": make_phone(number)}
        yield make_capture_payload(capture_id=make_capture_id(number), worker=worker)
