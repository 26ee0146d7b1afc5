"""Compare a full batch with single captures, over HTTP on the deployed stack."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count, islice
from pathlib import Path
from statistics import median
from typing import Any

from bench.stack import CaptureRefused, run_stack
from ops.api_client import ApiClient
from tests.support.campaigns import make_capture

BATCH_ITEMS = 200
SINGLES = 20
_ROUNDS = 5
_OK = 200
_CREATED = 201


def compare_batch_with_singles(data_dir: Path) -> tuple[float, float, float]:
    """Return the median seconds of a full batch and of 20 single captures, and the median of their ratios."""
    captures = map(make_capture, count(1))
    with run_stack(data_dir) as stack:
        description = stack.describe()
        with closing(ApiClient(description.api_url, description.tokens["kiosk"])) as api:
            _time_batch(api, captures)
            _time_singles(api, captures)
            rounds = [(_time_batch(api, captures), _time_singles(api, captures)) for _ in range(_ROUNDS)]
    batches, singles = zip(*rounds, strict=True)
    return median(batches), median(singles), median(batch / single for batch, single in rounds)


def _time_batch(api: ApiClient, captures: Iterator[dict[str, Any]]) -> float:
    body = json.dumps({"items": list(islice(captures, BATCH_ITEMS))}).encode()
    started_at = time.perf_counter()
    response = api.send("POST", "/v1/registrations/batch", body)
    seconds = time.perf_counter() - started_at
    if response.status_code != _OK or any(
        each["outcome"] != "created" for each in response.json()["results"]
    ):
        raise CaptureRefused(f"batch: {response.status_code}")
    return seconds


def _time_singles(api: ApiClient, captures: Iterator[dict[str, Any]]) -> float:
    bodies = [json.dumps(capture).encode() for capture in islice(captures, SINGLES)]
    started_at = time.perf_counter()
    responses = [api.send("POST", "/v1/registrations", body) for body in bodies]
    seconds = time.perf_counter() - started_at
    if any(response.status_code != _CREATED for response in responses):
        raise CaptureRefused("single")
    return seconds
