"""Recounts of big campaign days: the processor time of the count, its peak memory, and what is read.

The rows are put straight into a table of their own, as the day's index shows them. Each count runs in a
process of its own, so that its peak is its own; what the engine does is done in another one. Only DynamoDB
Local tells what reading costs: DAFTAR_TEST_DYNAMODB_URL names it, as for the contract suite.
"""

import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3

from bench.harness import find_free_port_pair
from chalicelib.aws.items import Item, to_item
from chalicelib.callers import Channel
from chalicelib.clock import to_timestamp
from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from chalicelib.registrations import items
from chalicelib.registrations.model import CaptureFacts, Outcome, RegistrationFacts
from chalicelib.registrations.states import Status
from chalicelib.registrations.store import DynamoRegistrations
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.service import RollUpService
from ops.local.emulator import Emulator
from tests.support.builders import make_capture_id
from tests.support.fakes import (
    InMemoryCampaigns,
    InMemoryCountingState,
    InMemorySmsCounts,
    InMemorySummaries,
)
from tests.support.moto_tables import read_table_definitions
from tests.support.registration_builders import FIRST_DAY, make_campaign, make_reference

SMALL_DAY, BIG_DAY = 10_000, 100_000

_TABLE_ID = "RegistrationsTable"
_DYNAMODB_URL_VARIABLE = "DAFTAR_TEST_DYNAMODB_URL"
# Two rows each, and DynamoDB takes 25 at once.
_WORKERS_PER_BATCH = 12
_WRITERS = 4
_DAY_LENGTH = timedelta(hours=12)
_REGION = "ap-southeast-3"


@dataclass(frozen=True)
class RecountResult:
    """What one count took: seconds of its processor, megabytes at its peak, read units, and what it found."""

    registrations: int
    cpu_seconds: float
    peak_megabytes: float
    units: float | None
    created: int


def measure_recounts(work: Path) -> Iterator[RecountResult]:
    """A small day and a big one, ten times as much."""
    with _run_engine(work) as url:
        client = _make_client(url)
        for number in (SMALL_DAY, BIG_DAY):
            table = f"recount-{os.getpid()}-{number}"
            client.create_table(TableName=table, **read_table_definitions()[_TABLE_ID])
            _load_rows(client, table, number)
            yield _recount_in_subprocess(url, table, number)
            client.delete_table(TableName=table)


@contextmanager
def _run_engine(work: Path) -> Iterator[str]:
    named = os.environ.get(_DYNAMODB_URL_VARIABLE)
    if named:
        yield named
        return
    emulator = Emulator(port=find_free_port_pair(), home=work, sms_url="http://127.0.0.1:9")
    try:
        emulator.start()
        yield emulator.url
    finally:
        emulator.program.stop()


def _load_rows(client: Any, table: str, worker_count: int) -> None:
    """A capture and its registration, so many times, spread over a long market day."""

    def put(first: int) -> None:
        workers = range(first, min(first + _WORKERS_PER_BATCH, worker_count))
        rows = [row for each in workers for row in _make_rows(each, worker_count)]
        request = {table: [{"PutRequest": {"Item": row}} for row in rows]}
        while request:
            request = client.batch_write_item(RequestItems=request).get("UnprocessedItems", {})

    with ThreadPoolExecutor(_WRITERS) as writers:
        for _ in writers.map(put, range(0, worker_count, _WORKERS_PER_BATCH)):
            pass


def _make_rows(worker_number: int, worker_count: int) -> Iterator[Item]:
    """What the index shows of one worker, and no more of it: the rest is not read."""
    opened = datetime(2024, 10, 8, 23, tzinfo=UTC)
    at = to_timestamp(opened + _DAY_LENGTH * worker_number / worker_count)
    capture_id, reference = make_capture_id(worker_number + 1), make_reference(worker_number)
    facts = CaptureFacts(
        outcome=Outcome.CREATED if worker_number % 10 else Outcome.ALREADY_REGISTERED,
        channel=Channel.VAN,
        client_id=f"van-{worker_number % 40}",
        occupations=("porter",),
        officer=f"ofc-{worker_number % 120}",
        programmes=("JKK", "JKM"),
        sex="female",
        age="30-39",
        hour=f"{6 + 12 * worker_number // worker_count:02}",
        received_on=date(2024, 10, 9),
        neighbours=(f"{worker_number % 7919:06x}", f"{worker_number % 7907:06x}"),
    )
    registration = RegistrationFacts(Status.RECEIVED, quoted=49_200, paid=0)
    key = items.registration_key(reference)
    shard = items.find_shard(capture_id)
    yield to_item(
        {
            **items.capture_key(capture_id),
            "day_shard": items.capture_shards(FIRST_DAY)[shard],
            "day_order": f"{at}#{capture_id}",
            "facts": items.build_capture_facts(facts),
        }
    )
    yield to_item(
        {
            **key,
            "day_shard": items.registration_shards(FIRST_DAY)[shard],
            "day_order": f"{at}#{reference}",
            "facts": items.build_registration_facts(registration, key["pk"], _make_cipher()),
        }
    )


def _recount_in_subprocess(url: str, table: str, worker_count: int) -> RecountResult:
    command = [sys.executable, "-m", "bench.recount", url, table]
    told = subprocess.run(command, check=True, capture_output=True, text=True)
    found = json.loads(told.stdout)
    if not os.environ.get(_DYNAMODB_URL_VARIABLE):
        found["units"] = None  # The embedded engine says the same of any read.
    return RecountResult(registrations=worker_count, **found)


def _recount(url: str, table: str) -> dict[str, float]:
    """In the process of its own: count the day, as the hourly tick does."""
    units: list[float] = []
    client = _make_client(url)

    def ask_for_units(params: dict[str, Any], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def add_units(parsed: dict[str, Any], **_: object) -> None:
        units.append(parsed["ConsumedCapacity"]["CapacityUnits"])

    client.meta.events.register("provide-client-params.dynamodb.Query", ask_for_units)
    client.meta.events.register("after-call.dynamodb.Query", add_units)
    rollup = RollUpService(
        facts=DynamoRegistrations(client, table, _make_cipher()),
        campaigns=InMemoryCampaigns(make_campaign()),
        summaries=InMemorySummaries(),
        counting_state=InMemoryCountingState(),
        sms_counter=InMemorySmsCounts(),
        thresholds=AnomalyThresholds(),
        clock=lambda: datetime.now(UTC),
    )
    before = _read_cpu_seconds()
    found = rollup.recount(FIRST_DAY, deadline=datetime.now(UTC) + timedelta(hours=1))
    return {
        "cpu_seconds": _read_cpu_seconds() - before,
        "peak_megabytes": _read_peak_megabytes(),
        "units": sum(units),
        "created": found.summary.counts.created,
    }


def _read_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _read_peak_megabytes() -> float:
    # Not `ru_maxrss`: a new process inherits its parent's.
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in each)
    return int(line.split()[1]) / 1024


def _make_client(url: str) -> Any:
    session = boto3.Session("test", "test", region_name=_REGION)
    return session.client("dynamodb", endpoint_url=url)


def _make_cipher() -> FieldCipher:
    return FieldCipher(lambda: FieldKeys(current_key_id="bench", by_id={"bench": bytes(32)}))


if __name__ == "__main__":
    print(json.dumps(_recount(*sys.argv[1:])))  # noqa: T201 - what the other process reads
