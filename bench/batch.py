"""What a full batch costs beside single captures, over HTTP on the deployed stack."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from bench.harness import find_free_port_pair
from ops.api_client import ApiClient
from ops.local.stack import LocalStack
from tests.support.builders import make_capture_id, make_capture_payload, make_nik, make_phone

BATCH_ITEMS = 200
SINGLES = 20
_ROUNDS = 5
_OK = 200
_CREATED = 201


class CaptureRefused(Exception):
    """A capture that should have made a registration did not."""


def compare_batch_with_singles(data_dir: Path) -> tuple[float, float, float]:
    """Median seconds of a full batch and of 20 single captures, in turns, and the median of the ratios."""
    stack = LocalStack(port=find_free_port_pair(), directory=data_dir)
    description = stack.up()
    try:
        token = description.find_token("kiosk")
        if token is None:
            raise CaptureRefused("the stack has no kiosk")
        with closing(ApiClient(description.api_url, token)) as api:
            captures = _iter_captures()
            _time_batch(api, captures)
            _time_singles(api, captures)
            rounds = [(_time_batch(api, captures), _time_singles(api, captures)) for _ in range(_ROUNDS)]
    finally:
        stack.down()
    batches, singles = zip(*rounds, strict=True)
    return median(batches), median(singles), median(batch / single for batch, single in rounds)


def _time_batch(api: ApiClient, captures: Iterator[dict[str, Any]]) -> float:
    body = json.dumps({"items": list(islice(captures, BATCH_ITEMS))}).encode()
    began = time.perf_counter()
    answer = api.send("POST", "/v1/registrations/batch", body)
    took = time.perf_counter() - began
    if answer.status_code != _OK or any(each["outcome"] != "created" for each in answer.json()["results"]):
        raise CaptureRefused(f"batch: {answer.status_code}")
    return took


def _time_singles(api: ApiClient, captures: Iterator[dict[str, Any]]) -> float:
    bodies = [json.dumps(capture).encode() for capture in islice(captures, SINGLES)]
    began = time.perf_counter()
    answers = [api.send("POST", "/v1/registrations", body) for body in bodies]
    took = time.perf_counter() - began
    if any(answer.status_code != _CREATED for answer in answers):
        raise CaptureRefused("single")
    return took


def _iter_captures() -> Iterator[dict[str, Any]]:
    for number in range(1, 9_999):
        worker = {"nik": make_nik(number), "phone": make_phone(number)}
        yield make_capture_payload(capture_id=make_capture_id(number), worker=worker)
