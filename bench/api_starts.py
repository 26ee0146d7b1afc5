"""`python -m bench.api_starts`: count the instructions of a cold start of each function behind the API.

All three run the same zip. What differs is what the first request of each makes and asks for.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from rich.console import Console
from rich.table import Table

from bench import zips
from bench.instructions import InstructionCounter
from bench.measure import Benchmark, Contender
from infra.api_functions import find_function
from tests.support import emulator_harness, http_events
from tests.support.campaigns import make_capture
from tests.support.lambda_runtime import link_runtime
from tests.support.payloads import make_nik

_CREATED, _OK = 201, 200
_FIRST_CAPTURE = 60_000


def count_api_starts(work: Path) -> dict[str, float]:
    """Return the millions of instructions of a cold start by function, up to its first answer."""
    ours = Contender("ours", zips.unpack_ours(work), success_status=_CREATED)
    with emulator_harness.run_harness(work / "stage") as running:
        runtime = link_runtime(work / "runtime")
        environment = running.environment
        Benchmark(runtime=runtime, environment=environment, log=work / "function.log").create_campaign(ours)
        counter = InstructionCounter(runtime=runtime, environment=environment, directory=work)
        return {
            find_function(event["httpMethod"], event["path"]): counter.count_cold_start(ours, event, status)
            for event, status in _list_first_requests()
        }


def _list_first_requests() -> list[tuple[Mapping[str, Any], int]]:
    """Return the usual first request of each function, and the status of its answer."""
    device = {"client_id": "kiosk-2", "roles": ["kiosk"], "campaigns": ["*"]}
    disclosure = {"request_id": str(uuid4()), "nik": make_nik(1)}
    admin = http_events.ADMIN
    return [
        (http_events.make_registration_event(make_capture(_FIRST_CAPTURE)), _CREATED),
        (http_events.make_request_event("POST", "/v1/clients", json.dumps(device), caller=admin), _CREATED),
        (
            http_events.make_request_event("POST", "/v1/disclosures", json.dumps(disclosure), caller=admin),
            _OK,
        ),
    ]


def main() -> int:
    """Print the counts."""
    with TemporaryDirectory() as work:
        counts = count_api_starts(Path(work))
    table = Table("Function", "Millions of instructions", title="Cold starts to the first answer")
    for function, millions in counts.items():
        table.add_row(function, f"{millions:,.0f}")
    Console().print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
