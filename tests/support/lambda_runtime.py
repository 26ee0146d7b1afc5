"""Run one function of an unpacked zip as on Lambda.

A fresh interpreter sees the standard library, the zip and the packages that AWS ships beside it. AWS's own
runtime client drives it against a local Runtime API.
"""

import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from ops.http_server import RequestHandler
from ops.project import LOOPBACK
from tests.support.http_server import serve_in_background

# The packages of AWS's Python runtimes: boto3, the runtime client, and their dependencies.
SDK = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")

_ACCOUNT = "000000000000"
_RESPONSE_TIMEOUT_SECONDS = 60
_COUNTING_TIMES_SLOWER = 10
_BOOTSTRAP_SCRIPT = """
import sys
sys.path[:0] = sys.argv[2:]
from awslambdaric.__main__ import main
main(sys.argv[:2])
"""


class NoResponse(Exception):
    """The function's process ended or did not answer in time; the message is its log."""


@dataclass(frozen=True)
class InvocationResult:
    """The result of one invocation, and its time by `time.perf_counter`.

    If the function raised, `error` is the type of the error and `value` its description.
    """

    value: Any
    error: str | None
    answered_at: float


def link_runtime(folder: Path) -> Path:
    """Fill a folder with links to the packages that AWS ships, from this environment, with their bytecode."""
    folder.mkdir()
    for name in (*SDK, *RUNTIME_CLIENT):
        package = distribution(name)
        for top in {file.parts[0] for file in package.files or ()} - {"..", "__pycache__"}:
            link = folder / top
            if not link.exists():
                link.symlink_to(Path(str(package.locate_file(top))))
    return folder


class LocalFunction:
    """A running function."""

    def __init__(
        self, api: "_RuntimeApiServer", process: subprocess.Popen[bytes], log: Path, timeout_seconds: float
    ) -> None:
        self._api = api
        self._process = process
        self._log = log
        self._timeout_seconds = timeout_seconds

    def invoke(self, event: Mapping[str, Any]) -> InvocationResult:
        """Invoke the function and wait for its result. Raises NoResponse."""
        deadline = time.perf_counter() + self._timeout_seconds
        self._api.events.put(json.dumps(event).encode())
        while True:
            try:
                answered_at, error, body = self._api.results.get(timeout=0.5)
            except Empty:
                if self._process.poll() is None and time.perf_counter() < deadline:
                    continue
                raise NoResponse(self.read_log) from None
            return InvocationResult(json.loads(body), error, answered_at)

    @property
    def read_log(self) -> str:
        """Return everything that the function has printed."""
        return self._log.read_text(errors="replace")

    def end(self) -> None:
        """End the process as a tool that counts its instructions wants it, and wait for it."""
        self._process.terminate()
        self._process.wait()

    @property
    def cpu_seconds(self) -> float:
        """Return the CPU time of its process, all threads, since the start. Linux only."""
        # The kernel's id of another process' CPU clock, as clock_getcpuclockid(3) computes it.
        clock = (~self._process.pid << 3) | 2
        return time.clock_gettime(clock)


@contextlib.contextmanager
def run_function(
    task: Path,
    handler: str,
    *,
    runtime: Path,
    environment: Mapping[str, str],
    log: Path,
    counter: Sequence[str | Path] = (),
) -> Iterator[LocalFunction]:
    """Run a function of the zip unpacked at `task`, with this environment only. It is stopped at the end.

    `counter` is the command of a tool that runs its process slowly and counts what it does.
    """
    api = _RuntimeApiServer()
    with serve_in_background(api):
        with log.open("wb") as output:
            process = subprocess.Popen(
                # No site-packages, no Python variables of the environment, and no bytecode written: on Lambda
                # the task directory is read-only.
                [*counter, sys.executable, "-I", "-S", "-B", "-c", _BOOTSTRAP_SCRIPT, handler, task, runtime],
                env={**_make_reserved_variables(handler, task, api.address), **environment},
                cwd=task,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            slower = _COUNTING_TIMES_SLOWER if counter else 1
            yield LocalFunction(api, process, log, _RESPONSE_TIMEOUT_SECONDS * slower)
        finally:
            process.kill()
            process.wait()
            api.events.put(None)


def _make_reserved_variables(handler: str, task: Path, runtime_api: str) -> dict[str, str]:
    """Return the variables that Lambda sets and that our code or its libraries read."""
    return {
        "_HANDLER": handler,
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.11",
        "LAMBDA_TASK_ROOT": str(task),
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "AWS_LAMBDA_FUNCTION_NAME": handler.rpartition(".")[2],
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
    }


class _RuntimeApiServer(ThreadingHTTPServer):
    """Lambda's Runtime API for one function: it serves events and takes their results."""

    daemon_threads = True
    # A thread waits for the next event until the function is stopped; closing must not wait for it.
    block_on_close = False

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _RequestHandler)
        self.events: Queue[bytes | None] = Queue()
        self.results: Queue[tuple[float, str | None, bytes]] = Queue()

    @property
    def address(self) -> str:
        return f"{LOOPBACK}:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Ignore a closed connection: the function was stopped, or `invoke` notices its end."""


class _RequestHandler(RequestHandler):
    server: _RuntimeApiServer

    def do_GET(self) -> None:
        if self.path.endswith("/runtime/restore/next"):
            # The answer is the moment at which a snapshot is started.
            self.send(200, "application/json", b"{}")
            return
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        # The runtime client needs the content type.
        deadline = str(int((time.time() + _RESPONSE_TIMEOUT_SECONDS) * 1000))
        headers = {**_INVOCATION_HEADERS, "Lambda-Runtime-Deadline-Ms": deadline}
        self.send(200, "application/json", event, headers)

    def do_POST(self) -> None:
        answered_at = time.perf_counter()
        body = self.read_body()
        error = json.loads(body)["errorType"] if self.path.endswith("/error") else None
        self.send(202, "application/json", b"{}")
        self.server.results.put((answered_at, error, body))


_INVOCATION_HEADERS = {
    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:ap-southeast-3:{_ACCOUNT}:function:alone",
    "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
}
