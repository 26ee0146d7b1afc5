"""One function of an unpacked zip, alone as on Lambda.

A fresh interpreter that sees the standard library, the zip and what AWS ships beside it, driven by AWS's own
runtime client against a Runtime API of ours on loopback.
"""

import contextlib
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path
from queue import Empty, Queue
from typing import Any

# What AWS puts beside every zip of its Python runtimes: boto3 and a runtime client, each with its own needs.
SDK = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")
RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")

_ACCOUNT = "000000000000"
_RESPONSE_TIMEOUT_SECONDS = 60
_BOOTSTRAP_SCRIPT = """
import sys
sys.path[:0] = sys.argv[2:]
from awslambdaric.__main__ import main
main(sys.argv[:2])
"""


class NoResponse(Exception):
    """The function's process ended, or kept silent; the message holds what it printed."""


@dataclass(frozen=True)
class InvocationResult:
    """What came of one invocation, and when by `time.perf_counter`.

    `error` is the type of what the function raised; `value` then says more.
    """

    value: Any
    error: str | None
    answered_at: float


def link_runtime(folder: Path) -> Path:
    """Fill a folder with what AWS ships, from this very environment, its bytecode included."""
    folder.mkdir()
    for name in (*SDK, *RUNTIME_CLIENT):
        shipped = distribution(name)
        for top in {file.parts[0] for file in shipped.files or ()} - {"..", "__pycache__"}:
            link = folder / top
            if not link.exists():
                link.symlink_to(Path(str(shipped.locate_file(top))))
    return folder


class LocalFunction:
    """One function, from the start of its process on."""

    def __init__(self, api: "_RuntimeApiServer", process: subprocess.Popen[bytes], log: Path) -> None:
        self._api = api
        self._process = process
        self._log = log

    def invoke(self, event: Mapping[str, Any]) -> InvocationResult:
        """Give it an event as soon as it asks for one, and wait for what comes of it. Raises NoResponse."""
        deadline = time.perf_counter() + _RESPONSE_TIMEOUT_SECONDS
        self._api.events.put(json.dumps(event).encode())
        while True:
            try:
                answered, error, body = self._api.results.get(timeout=0.5)
            except Empty:
                if self._process.poll() is None and time.perf_counter() < deadline:
                    continue
                raise NoResponse(self.read_log) from None
            return InvocationResult(json.loads(body), error, answered)

    @property
    def read_log(self) -> str:
        """Everything it has printed."""
        return self._log.read_text(errors="replace")

    @property
    def cpu_seconds(self) -> float:
        """The processor time that its process, all threads, has used since it started. Linux only."""
        # The kernel's id of another process' CPU clock, as clock_getcpuclockid(3) computes it.
        clock = (~self._process.pid << 3) | 2
        return time.clock_gettime(clock)


@contextlib.contextmanager
def run_function(
    task: Path, handler: str, *, runtime: Path, environment: Mapping[str, str], log: Path
) -> Iterator[LocalFunction]:
    """A function of the zip unpacked at `task`, with this environment and no more; stopped at the end."""
    api = _RuntimeApiServer()
    server = threading.Thread(target=api.serve_forever, kwargs={"poll_interval": 0.05})
    server.start()
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                # No site-packages, nothing of Python's from the environment, and no bytecode written: the
                # directory of a task is read-only on Lambda.
                [sys.executable, "-I", "-S", "-B", "-c", _BOOTSTRAP_SCRIPT, handler, task, runtime],
                env={**_make_reserved_variables(handler, task, api.address), **environment},
                cwd=task,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            yield LocalFunction(api, process, log)
        finally:
            process.kill()
            process.wait()
    finally:
        api.events.put(None)
        api.shutdown()
        server.join()
        api.server_close()


def _make_reserved_variables(handler: str, task: Path, runtime_api: str) -> dict[str, str]:
    """The variables that Lambda itself sets, those that our code or its libraries read."""
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
    """Lambda's Runtime API for one function: hands out events, takes what comes of them."""

    daemon_threads = True
    # A thread waits in `next` until the function is stopped; closing must not wait for it.
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RequestHandler)
        self.events: Queue[bytes | None] = Queue()
        self.results: Queue[tuple[float, str | None, bytes]] = Queue()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, *_: object) -> None:
        """Nothing: a function that was stopped hangs up, and `invoke` notices one that ends by itself."""


class _RequestHandler(BaseHTTPRequestHandler):
    server: _RuntimeApiServer
    protocol_version = "HTTP/1.1"
    # Without this each answer waits 40 ms for an acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        event = self.server.events.get()
        if event is None:
            self.close_connection = True
            return
        # The runtime client ends itself where the type of the content is not said.
        deadline = str(int((time.time() + _RESPONSE_TIMEOUT_SECONDS) * 1000))
        self._send(200, event, **_INVOCATION_HEADERS, **{"Lambda-Runtime-Deadline-Ms": deadline})

    def do_POST(self) -> None:
        answered = time.perf_counter()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        error = json.loads(body)["errorType"] if self.path.endswith("/error") else None
        self._send(202, b"{}")
        self.server.results.put((answered, error, body))

    def log_message(self, *_: object) -> None:
        """Nothing: the answers tell."""

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


_INVOCATION_HEADERS = {
    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
    "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:ap-southeast-3:{_ACCOUNT}:function:alone",
    "Lambda-Runtime-Trace-Id": "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0",
}
