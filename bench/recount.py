"""Measure recounts of big campaign days: CPU time, peak memory and read units.

The rows are written straight into a table of their own. Each count runs in a process of its own, apart from
the database. Read units come from DynamoDB Local only: DAFTAR_TEST_DYNAMODB_URL names it, as for the contract
tests.
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3

from chalicelib.aws.items import Item, to_item
from chalicelib.callers import Channel
from chalicelib.clock import to_timestamp
from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from chalicelib.registrations import store_keys
from chalicelib.registrations.captures import CaptureFacts, Outcome
from chalicelib.registrations.model import RegistrationFacts, Status
from chalicelib.registrations.store_items import build_capture_facts, build_registration_facts
from chalicelib.registrations.store_reading import DynamoReadingStore
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.service import RollUpService
from ops.local.emulator import Emulator
from tests.support.fakes.campaigns import InMemoryCampaigns
from tests.support.fakes.sms import InMemorySmsCounts
from tests.support.fakes.summaries import InMemoryCountingState, InMemorySummaries
from tests.support.moto_tables import read_table_definitions
from tests.support.payloads import make_capture_id
from tests.support.ports import find_free_stack_port
from tests.support.registration_builders import FIRST_DAY, make_campaign, make_reference

# The emulator looks at all rows of a partition for each page of it, so that a larger day takes minutes.
SMALL_DAY, BIG_DAY = 2_000, 20_000

_TABLE_ID = "RegistrationsTable"
_DYNAMODB_URL_VARIABLE = "DAFTAR_TEST_DYNAMODB_URL"
# Two rows each; DynamoDB accepts 25 at once.
_WORKERS_PER_BATCH = 12
_WRITERS = 4
_DAY_LENGTH = timedelta(hours=12)
_REGION = "ap-southeast-3"


@dataclass(frozen=True)
class RecountResult:
    """Figures of one count: CPU and wall seconds, memory, requests, read units, and what it counted."""

    registrations: int
    cpu_seconds: float
    seconds: float
    requests: int
    peak_megabytes: float
    units: float | None
    created: int


def measure_recounts(work: Path, sizes: Sequence[int] = (SMALL_DAY, BIG_DAY)) -> Iterator[RecountResult]:
    """Measure a small day and one with ten times the registrations, or days of other sizes."""
    with _run_engine(work) as url:
        client = _make_client(url)
        for number in sizes:
            table = f"recount-{os.getpid()}-{number}"
            client.create_table(TableName=table, **read_table_definitions()[_TABLE_ID])
            _load_rows(client, table, number)
            yield _recount_in_subprocess(url, table, number)
            client.delete_table(TableName=table)


@contextmanager
def _run_engine(work: Path) -> Iterator[str]:
    url = os.environ.get(_DYNAMODB_URL_VARIABLE)
    if url:
        yield url
        return
    emulator = Emulator(port=find_free_stack_port(), home=work, sms_url="http://127.0.0.1:9")
    try:
        emulator.start()
        yield emulator.url
    finally:
        emulator.program.stop()


def _load_rows(client: Any, table: str, worker_count: int) -> None:
    """Write captures with their registrations, spread over a market day."""

    def put(first: int) -> None:
        workers = range(first, min(first + _WORKERS_PER_BATCH, worker_count))
        rows = [row for each in workers for row in make_rows(each, worker_count)]
        request = {table: [{"PutRequest": {"Item": row}} for row in rows]}
        while request:
            request = client.batch_write_item(RequestItems=request).get("UnprocessedItems", {})

    with ThreadPoolExecutor(_WRITERS) as writers:
        for _ in writers.map(put, range(0, worker_count, _WORKERS_PER_BATCH)):
            pass


def make_rows(worker_number: int, worker_count: int) -> Iterator[Item]:
    """Yield the items of one worker with only the attributes that the day index projects."""
    opens_at = datetime(2024, 10, 8, 23, tzinfo=UTC)
    captured_at = to_timestamp(opens_at + _DAY_LENGTH * worker_number / worker_count)
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
    key = store_keys.make_registration_key(reference)
    shard = store_keys.find_shard(capture_id)
    yield to_item(
        {
            **store_keys.make_capture_key(capture_id),
            "day_shard": store_keys.list_capture_shards(FIRST_DAY)[shard],
            "day_order": f"{captured_at}#{capture_id}",
            "facts": build_capture_facts(facts),
        }
    )
    yield to_item(
        {
            **key,
            "day_shard": store_keys.list_registration_shards(FIRST_DAY)[shard],
            "day_order": f"{captured_at}#{reference}",
            "facts": build_registration_facts(registration, key["pk"], make_cipher()),
        }
    )


def _recount_in_subprocess(url: str, table: str, worker_count: int) -> RecountResult:
    command = [sys.executable, "-m", "bench.recount", url, table]
    completed = subprocess.run(command, check=True, capture_output=True, text=True)
    figures = json.loads(completed.stdout)
    if not os.environ.get(_DYNAMODB_URL_VARIABLE):
        figures["units"] = None  # The emulator returns the same value for any read.
    return RecountResult(registrations=worker_count, **figures)


def _recount(url: str, table: str) -> dict[str, float]:
    """Count the day as the hourly schedule does; runs in the subprocess."""
    units: list[float] = []
    client = _make_client(url)

    requests = 0

    def request_units(params: dict[str, Any], **_: object) -> None:
        params["ReturnConsumedCapacity"] = "TOTAL"

    def add_units(parsed: dict[str, Any], **_: object) -> None:
        nonlocal requests
        requests += 1
        units.append(parsed["ConsumedCapacity"]["CapacityUnits"])

    client.meta.events.register("provide-client-params.dynamodb.Query", request_units)
    client.meta.events.register("after-call.dynamodb.Query", add_units)
    rollup = RollUpService(
        facts=DynamoReadingStore(client, table, make_cipher()),
        campaigns=InMemoryCampaigns(make_campaign()),
        summaries=InMemorySummaries(),
        counting_state=InMemoryCountingState(),
        sms_counter=InMemorySmsCounts(),
        thresholds=AnomalyThresholds(),
        clock=lambda: datetime.now(UTC),
    )
    before, started_at = _read_cpu_seconds(), time.monotonic()
    recount = rollup.recount(FIRST_DAY, deadline=datetime.now(UTC) + timedelta(hours=1))
    return {
        "cpu_seconds": _read_cpu_seconds() - before,
        "seconds": time.monotonic() - started_at,
        "requests": requests,
        "peak_megabytes": _read_peak_megabytes(),
        "units": sum(units),
        "created": recount.summary.counts.created,
    }


def _read_cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _read_peak_megabytes() -> float:
    # Not `ru_maxrss`, which a new process inherits from its parent.
    (line,) = (each for each in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in each)
    return int(line.split()[1]) / 1024


def _make_client(url: str) -> Any:
    session = boto3.Session("test", "test", region_name=_REGION)
    return session.client("dynamodb", endpoint_url=url)


def make_cipher() -> FieldCipher:
    """Return a cipher with a key of zeros."""
    return FieldCipher(lambda: FieldKeys(current_key_id="bench", by_id={"bench": bytes(32)}))


if __name__ == "__main__":
    print(json.dumps(_recount(*sys.argv[1:])))  # noqa: T201 - the parent process reads it
