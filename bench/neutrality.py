"""Compare the response times of a bot's captures of known and of new workers, on the deployed stack.

Only the request is timed. The stream and queue functions that a new worker starts run on other machines on
AWS; here they would share the cores with the API, so they are disabled meanwhile.
"""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import count
from math import erfc, sqrt
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

import httpx

from bench.stack import CaptureRefused, run_stack
from ops.api_client import ApiClient
from ops.local.description import StackDescription
from tests.support.campaigns import make_capture
from tests.support.functions import pause_event_sources

REQUESTS_PER_GROUP = 200
_WARM_UP_REQUESTS = 20
_ACCEPTED = 202
_SEED = 20241009


@dataclass(frozen=True)
class ResponseTimes:
    """Response times in seconds, for new and for known workers, in shuffled order."""

    new: list[float]
    known: list[float]

    @property
    def quartiles(self) -> tuple[list[float], list[float]]:
        return quantiles(self.new, n=4), quantiles(self.known, n=4)

    @property
    def rank_test(self) -> tuple[float, float]:
        """Return the share of pairs in which the known worker took longer, and its p value (Mann-Whitney)."""
        pairs = len(self.new) * len(self.known)
        longer = sum((known > new) + (known == new) / 2 for known in self.known for new in self.new)
        spread = sqrt(pairs * (len(self.new) + len(self.known) + 1) / 12)
        return longer / pairs, erfc(abs(longer - pairs / 2) / spread / sqrt(2))


def measure_bot_times(data_dir: Path) -> ResponseTimes:
    """Time 200 captures of new workers and 200 of known ones, shuffled, as a bot."""
    with run_stack(data_dir) as stack, pause_event_sources(stack.emulator.make_client("lambda")):
        return _measure(stack.describe())


def _measure(description: StackDescription) -> ResponseTimes:
    worker_numbers = count(1)
    with closing(ApiClient(description.api_url, description.tokens["kiosk"])) as api:
        known = [make_capture(next(worker_numbers)) for _ in range(REQUESTS_PER_GROUP)]
        for start in range(0, REQUESTS_PER_GROUP, 100):
            batch = json.dumps({"items": known[start : start + 100]})
            api.send("POST", "/v1/registrations/batch", batch).raise_for_status()
    token = description.tokens["bot"]
    with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False) as bot:
        url = f"{description.api_url}/v1/registrations"
        for _ in range(_WARM_UP_REQUESTS):
            _time_request(bot, url, make_capture(next(worker_numbers)))
        return _time_shuffled(bot, url, known, worker_numbers)


def _time_shuffled(
    bot: httpx.Client, url: str, known: list[dict[str, Any]], worker_numbers: Iterator[int]
) -> ResponseTimes:
    order = [True] * REQUESTS_PER_GROUP + [False] * REQUESTS_PER_GROUP
    Random(_SEED).shuffle(order)  # noqa: S311 - an order, no secret
    times, repeats = ResponseTimes(new=[], known=[]), iter(known)
    for is_known in order:
        capture = make_capture(next(worker_numbers))
        if is_known:
            nik = next(repeats)["worker"]["nik"]
            times.known.append(
                _time_request(bot, url, {**capture, "worker": {**capture["worker"], "nik": nik}})
            )
        else:
            times.new.append(_time_request(bot, url, capture))
    return times


def _time_request(bot: httpx.Client, url: str, capture: dict[str, Any]) -> float:
    body = json.dumps(capture).encode()
    started_at = time.perf_counter()
    response = bot.post(url, content=body, headers={"Content-Type": "application/json"})
    seconds = time.perf_counter() - started_at
    if response.status_code != _ACCEPTED:
        raise CaptureRefused(response.text)
    return seconds
