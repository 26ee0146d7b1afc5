"""What a full batch costs beside single captures, over HTTP on the deployed stack."""

import json
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from bench.stage import free_pair
from ops.api import API
from ops.stack import LocalStack
from tests.builders import a_capture, a_capture_id, a_nik, a_phone

BATCH_ITEMS = 200
SINGLES = 20
ROUNDS = 5
_OK = 200
_CREATED = 201


class NotCreated(Exception):
    """A capture that should have made a registration did not."""


def batch_beside_singles(home: Path) -> tuple[float, float, float]:
    """Median seconds of a full batch and of 20 single captures, in turns, and the median of the ratios."""
    stack = LocalStack(port=free_pair(), local=home)
    description = stack.up()
    try:
        token = description.token_of("kiosk")
        if token is None:
            raise NotCreated("the stack has no kiosk")
        with closing(API(description.api_url, token)) as api:
            captures = _captures()
            _batch(api, captures)
            _singles(api, captures)
            rounds = [(_batch(api, captures), _singles(api, captures)) for _ in range(ROUNDS)]
    finally:
        stack.down()
    batches, singles = zip(*rounds, strict=True)
    return median(batches), median(singles), median(batch / single for batch, single in rounds)


def _batch(api: API, captures: Iterator[dict[str, Any]]) -> float:
    body = json.dumps({"items": list(islice(captures, BATCH_ITEMS))}).encode()
    began = time.perf_counter()
    answer = api.send("POST", "/v1/registrations/batch", body)
    took = time.perf_counter() - began
    if answer.status_code != _OK or any(each["outcome"] != "created" for each in answer.json()["results"]):
        raise NotCreated(f"batch: {answer.status_code}")
    return took


def _singles(api: API, captures: Iterator[dict[str, Any]]) -> float:
    bodies = [json.dumps(capture).encode() for capture in islice(captures, SINGLES)]
    began = time.perf_counter()
    answers = [api.send("POST", "/v1/registrations", body) for body in bodies]
    took = time.perf_counter() - began
    if any(answer.status_code != _CREATED for answer in answers):
        raise NotCreated("single")
    return took


def _captures() -> Iterator[dict[str, Any]]:
    for number in range(1, 9_999):
        worker = {"nik": a_nik(number), "phone": a_phone(number)}
        yield a_capture(capture_id=a_capture_id(number), worker=worker)
