"""Count the instructions of imports, cold starts and registrations, by valgrind.

Counts hardly differ from run to run, however busy the machine is, and so show what a small change is worth.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from bench.measure import Contender, check_status
from tests.support import http_events
from tests.support.campaigns import make_capture
from tests.support.lambda_runtime import run_function

_HANDLER = "app.app"
_WARM_UP_REQUESTS = 3
_WARM_REQUESTS = 10

# Bytecode of the standard library is not read from the directory of the function's zip.
_IMPORT_SCRIPT = "import sys; sys.path[:0] = sys.argv[2:]; exec(sys.argv[1])"
_BASE_IMPORTS = "import boto3, chalice.app"
_APP_IMPORT = "import app"

# As every function has it.
_LIBRARY_VARIABLES = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}


@dataclass(frozen=True)
class InstructionCounts:
    """Millions of instructions: of a cold start, to its first answer, and of one more registration."""

    cold_start: float
    registration: float


def can_count() -> bool:
    """Return True if valgrind is installed."""
    return shutil.which("valgrind") is not None


class InstructionCounter:
    """Counts in processes that run beside one emulator."""

    def __init__(self, *, runtime: Path, environment: Mapping[str, str], directory: Path) -> None:
        self._runtime = runtime
        self._environment = environment
        self._directory = directory
        self._captures = map(make_capture, count(50_000))

    def count_imports(self, ours: Contender) -> tuple[float, float]:
        """Return the millions of `import app`, and of importing boto3 and Chalice from the same zip."""
        started, base, app = (self._count_import(ours, code) for code in ("pass", _BASE_IMPORTS, _APP_IMPORT))
        return app - started, base - started

    def count_registrations(self, contender: Contender) -> InstructionCounts:
        """Return the counts of a function that registers new workers."""
        cold = self._count_requests(contender, 1)
        few = self._count_requests(contender, 1 + _WARM_UP_REQUESTS)
        many = self._count_requests(contender, 1 + _WARM_UP_REQUESTS + _WARM_REQUESTS)
        return InstructionCounts(cold, (many - few) / _WARM_REQUESTS)

    def count_cold_start(self, ours: Contender, event: Mapping[str, Any], status: int) -> float:
        """Return the millions of a cold start, up to the answer to this event."""
        return self._count(ours, [event], status)

    def _count_import(self, contender: Contender, code: str) -> float:
        report = self._directory / "imports.txt"
        command: list[str | Path] = [*_make_counter(report), sys.executable, "-I", "-S", "-B"]
        command += ["-c", _IMPORT_SCRIPT, code, contender.task, self._runtime]
        subprocess.run(
            command, env=_LIBRARY_VARIABLES, check=True, cwd=contender.task, stdin=subprocess.DEVNULL
        )
        return _read_millions(report)

    def _count_requests(self, contender: Contender, requests: int) -> float:
        events = (http_events.make_registration_event(next(self._captures)) for _ in range(requests))
        return self._count(contender, events, contender.success_status)

    def _count(self, contender: Contender, events: Iterable[Mapping[str, Any]], status: int) -> float:
        report = self._directory / "requests.txt"
        with run_function(
            contender.task,
            _HANDLER,
            runtime=self._runtime,
            environment=self._environment,
            log=self._directory / "counted.log",
            counter=_make_counter(report),
        ) as function:
            for event in events:
                check_status(function.invoke(event), status)
            function.end()
        return _read_millions(report)


def _make_counter(report: Path) -> list[str | Path]:
    options = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    return ["valgrind", *options, f"--log-file={report}"]


def _read_millions(report: Path) -> float:
    """Return the number in the line of valgrind's report that counts instructions."""
    found = re.search(r"I +refs: +([0-9,]+)", report.read_text())
    if found is None:
        raise LookupError("valgrind counted nothing")
    return int(found[1].replace(",", "")) / 1e6
