"""What a bot can tell from how long an answer takes: known workers beside new ones, on the deployed stack.

Only the request itself is timed. What a new worker sets to work afterwards (the relay, the sender) runs on
machines of its own on AWS, and here on the two cores that answer: it is switched off meanwhile.
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

from bench.harness import find_free_port_pair
from ops.api_client import ApiClient
from ops.local.stack import LocalStack
from tests.support.builders import make_capture_id, make_capture_payload, make_nik, make_phone

REQUESTS_PER_GROUP = 200
_WARM_UP_REQUESTS = 20
_ACCEPTED = 202
_SEED = 20241009


class CaptureRefused(Exception):
    """A bot's capture was not accepted."""


@dataclass(frozen=True)
class ResponseTimes:
    """Seconds that answers took, for new and for known workers, tried in turns in no order."""

    new: list[float]
    known: list[float]

    @property
    def quartiles(self) -> tuple[list[float], list[float]]:
        """The three quartiles of each."""
        return quantiles(self.new, n=4), quantiles(self.known, n=4)

    @property
    def rank_test(self) -> tuple[float, float]:
        """Mann and Whitney's: how often a known worker's answer took longer than a new one's, of all pairs;
        and how often chance alone would be as far from a half as that.
        """
        pairs = len(self.new) * len(self.known)
        longer = sum((known > new) + (known == new) / 2 for known in self.known for new in self.new)
        spread = sqrt(pairs * (len(self.new) + len(self.known) + 1) / 12)
        return longer / pairs, erfc(abs(longer - pairs / 2) / spread / sqrt(2))


def measure_bot_times(data_dir: Path) -> ResponseTimes:
    """What a bot takes note of: 200 captures of new workers and 200 of known ones, shuffled."""
    stack = LocalStack(port=find_free_port_pair(), directory=data_dir)
    description = stack.up()
    try:
        _disable_event_sources(stack.emulator.make_client("lambda"))
        numbers = count(1)
        with closing(ApiClient(description.api_url, description.tokens["kiosk"])) as api:
            known = [_make_capture(next(numbers)) for _ in range(REQUESTS_PER_GROUP)]
            for start in range(0, REQUESTS_PER_GROUP, 100):
                batch = json.dumps({"items": known[start : start + 100]})
                api.send("POST", "/v1/registrations/batch", batch).raise_for_status()
        token = description.tokens["bot"]
        with httpx.Client(headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False) as bot:
            url = f"{description.api_url}/v1/registrations"
            for _ in range(_WARM_UP_REQUESTS):
                _time_request(bot, url, _make_capture(next(numbers)))
            return _time_shuffled(bot, url, known, numbers)
    finally:
        stack.down()


def _disable_event_sources(lambda_client: Any) -> None:
    """Let nothing read the table's stream or a queue from now on."""
    for page in lambda_client.get_paginator("list_event_source_mappings").paginate():
        for mapping in page["EventSourceMappings"]:
            lambda_client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)


def _time_shuffled(
    bot: httpx.Client, url: str, known: list[dict[str, Any]], worker_numbers: Iterator[int]
) -> ResponseTimes:
    asked = [True] * REQUESTS_PER_GROUP + [False] * REQUESTS_PER_GROUP
    Random(_SEED).shuffle(asked)  # noqa: S311 - an order, no secret
    times, repeats = ResponseTimes(new=[], known=[]), iter(known)
    for is_known in asked:
        capture = _make_capture(next(worker_numbers))
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
    began = time.perf_counter()
    answer = bot.post(url, content=body, headers={"Content-Type": "application/json"})
    took = time.perf_counter() - began
    if answer.status_code != _ACCEPTED:
        raise CaptureRefused(answer.text)
    return took


def _make_capture(worker_number: int) -> dict[str, Any]:
    worker = {"nik": make_nik(worker_number), "phone": make_phone(worker_number)}
    return make_capture_payload(capture_id=make_capture_id(worker_number), worker=worker)
