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

from bench import posts
from bench.alone import Answer, Function, running
from tests.builders import a_campaign, a_capture, a_capture_id, a_nik, a_phone

COLD_ROUNDS = 11
WARM_ROUNDS = 15
WARM_REQUESTS = 30
_WARM_UP_REQUESTS = 60

_HANDLER = "app.app"
_CREATED = 201
_SERIALS_OF_A_DAY = 9_999


class WrongAnswer(Exception):
    """A function did not do the work that is being measured."""


@dataclass(frozen=True)
class Contender:
    """A zip to be measured: where it is unpacked, and the status of its good answer."""

    name: str
    task: Path
    answers_with: int


class Rounds:
    """What each contender took in each round. All took their turn in every round."""

    def __init__(self) -> None:
        self._taken: dict[str, list[float]] = defaultdict(list)

    def add(self, contender: Contender, taken: float) -> None:
        """Note what a contender took in this round."""
        self._taken[contender.name].append(taken)

    def median(self, contender: Contender) -> float:
        """What it usually took."""
        return median(self._taken[contender.name])

    def ratio(self, contender: Contender, other: Contender) -> float:
        """How many times the other's it took: the median over the rounds, so that no busy moment decides."""
        pairs = zip(self._taken[contender.name], self._taken[other.name], strict=True)
        return median(mine / theirs for mine, theirs in pairs)


class Measurement:
    """Measures contenders against one stage."""

    def __init__(self, *, runtime: Path, environment: Mapping[str, str], log: Path) -> None:
        self._runtime = runtime
        self._environment = environment
        self._log = log
        self._captures = _distinct_captures()

    def open_campaign(self, ours: Contender) -> None:
        """Let our own zip open the campaign that captures are registered for."""
        with self._started(ours) as function:
            _require(function.invoke(posts.campaign_post(a_campaign())), _CREATED)

    def cold_start(self, *contenders: Contender) -> Rounds:
        """Seconds from the start of the process to its first answer."""
        rounds = Rounds()
        for _ in range(COLD_ROUNDS):
            for each in contenders:
                event = posts.registration_post(next(self._captures))
                began = time.perf_counter()
                with self._started(each) as function:
                    answer = function.invoke(event)
                _require(answer, each.answers_with)
                rounds.add(each, answer.answered - began)
        return rounds

    def warm_cpu(self, *contenders: Contender) -> Rounds:
        """Processor seconds of the function's process for one request, once it is warm."""
        rounds = Rounds()
        with contextlib.ExitStack() as stack:
            turns = [(each, stack.enter_context(self._started(each))) for each in contenders]
            for each, function in turns:
                self._burden(function, each, _WARM_UP_REQUESTS)
            for _ in range(WARM_ROUNDS):
                for each, function in turns:
                    rounds.add(each, self._burden(function, each, WARM_REQUESTS) / WARM_REQUESTS)
        return rounds

    def _burden(self, function: Function, contender: Contender, count: int) -> float:
        requests = [posts.registration_post(next(self._captures)) for _ in range(count)]
        before = function.cpu_seconds
        answers = [function.invoke(post) for post in requests]
        used = function.cpu_seconds - before
        for answer in answers:
            _require(answer, contender.answers_with)
        return used

    def _started(self, contender: Contender) -> contextlib.AbstractContextManager[Function]:
        return running(
            contender.task, _HANDLER, runtime=self._runtime, environment=self._environment, log=self._log
        )


def _require(answer: Answer, status: int) -> None:
    if answer.error is not None or answer.value["statusCode"] != status:
        raise WrongAnswer(json.dumps(answer.value))


def _distinct_captures() -> Iterator[dict[str, Any]]:
    """Captures of workers whom nobody has registered yet."""
    for number in range(1, _SERIALS_OF_A_DAY + 1):
        worker = {"nik": a_nik(number), "phone": a_phone(number)}
        yield a_capture(capture_id=a_capture_id(number), worker=worker)
