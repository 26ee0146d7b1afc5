"""Snapshots of moto's state: set up once, copied for each test; and what its tables hold."""

import math
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from time import monotonic
from typing import Any, Generic, TypeVar

import boto3
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID

SetupResult = TypeVar("SetupResult")

# A region the product never runs in.
REGION = "eu-north-1"


@cache
def get_moto_client(service: str) -> Any:
    """Return the one client of a service by which tests set moto up and look at it: making one takes long."""
    return boto3.Session("testing", "testing", region_name=REGION).client(service)  # type: ignore[call-overload]


class Snapshot(Generic[SetupResult]):
    """The state of some moto services after a set-up.

    Each test gets a copy, in a fraction of the time that the set-up takes. A snapshot older than
    `max_age_seconds` is set up again.
    """

    def __init__(
        self,
        services: tuple[str, ...],
        set_up: Callable[[], SetupResult],
        *,
        max_age_seconds: float = math.inf,
    ) -> None:
        self._services = services
        self._set_up = set_up
        self._max_age_seconds = max_age_seconds
        self._saved: tuple[float, SetupResult, dict[str, Any]] | None = None

    def restore(self) -> SetupResult:
        """Have moto hold it and nothing else; what setting it up has told."""
        if self._saved is None or monotonic() - self._saved[0] > self._max_age_seconds:
            told = self._set_up()
            self._saved = monotonic(), told, {each: deepcopy(self._state(each)) for each in self._services}
            return told
        _, told, held = self._saved
        for service in self._services:
            self._state(service).update(deepcopy(held[service]))
        return told

    def _state(self, service: str) -> dict[str, Any]:
        # moto has no way to save and load, but what a back end holds are plain attributes.
        state: dict[str, Any] = _find_backend(service).__dict__
        return state


def list_stored_items(table: str) -> list[dict[str, Any]]:
    """Return the items of a table, as a scan does. The way through the SDK takes many times as long."""
    return [
        {name: value.to_regular_json() for name, value in item.attrs.items()}
        for item in _find_backend("dynamodb").tables[table].all_items()
    ]


def _find_backend(service: str) -> Any:
    backends: Any = get_backend(service)  # type: ignore[call-overload]
    # Buckets are not of a region, but of a partition.
    return backends[DEFAULT_ACCOUNT_ID]["aws" if service == "s3" else REGION]
