"""Proxies between the functions of a drill and AWS."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.faults.drill import Drill
from tests.support.dynamodb_faults import DYNAMODB_URL, FaultyProxy, run_faulty_proxy

_URLS = {
    "DYNAMODB": DYNAMODB_URL,
    "SQS": "https://sqs.eu-north-1.amazonaws.com/",
    "KMS": "https://kms.eu-north-1.amazonaws.com/",
}


@contextmanager
def run_proxy(drill: Drill, service: str) -> Iterator[FaultyProxy]:
    """Put a proxy between new containers and a service inside the block."""
    with run_faulty_proxy(_URLS[service]) as proxy, pytest.MonkeyPatch.context() as patching:
        patching.setenv(f"AWS_ENDPOINT_URL_{service}", proxy.url)
        drill.restart()
        yield proxy
    drill.restart()


def count_hits(proxy: FaultyProxy, armed: int) -> int:
    """Return how many of the armed faults have hit."""
    return armed - sum(fault.times for fault in proxy.faults)
