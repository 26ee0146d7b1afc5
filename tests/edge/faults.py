"""Something between the functions and their tables, or their gateway, that can be told to fail.

It counts what it was asked, so that a test can say how often was tried without looking at a clock.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

# Where the fake of moto answers, whatever the functions were told.
TABLES = "https://dynamodb.eu-north-1.amazonaws.com/"

_NAMESPACE = "com.amazonaws.dynamodb.v20120810#"


@dataclass
class Fault:
    """What happens to the requests of one operation, the first `times` of them.

    `kind` is an error of DynamoDB's, or `hang`, `drop` (the connection, unanswered) or `lose the answer`
    (after the request was carried out).
    """

    operation: str
    kind: str
    times: int = 1_000
    mentioning: str = ""
    reasons: list[dict[str, str]] = field(default_factory=list)

    def strikes(self, operation: str, body: bytes) -> bool:
        """Whether this request is one of them."""
        is_one = self.times > 0 and operation == self.operation and self.mentioning in body.decode()
        self.times -= is_one
        return is_one


class Interference(ThreadingHTTPServer):
    """Hands requests on, except those that a fault strikes."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.faults: list[Fault] = []
        self.asked: list[str] = []
        self.sent: list[tuple[str, bytes]] = []
        self.is_over = threading.Event()
        super().__init__(("127.0.0.1", 0), _Exchange)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def fail(self, operation: str, kind: str, **more: Any) -> None:
        """Add a fault."""
        self.faults.append(Fault(operation, kind, **more))

    def times_asked(self, operation: str) -> int:
        """How often one operation was asked for."""
        return self.asked.count(operation)


@contextmanager
def interfering(upstream: str = TABLES) -> Iterator[Interference]:
    """Interference that runs as long as the block."""
    with Interference(upstream) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield server
        finally:
            server.is_over.set()
            server.shutdown()
            serving.join()


class _Exchange(BaseHTTPRequestHandler):
    """One request."""

    server: Interference
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        self.server.asked.append(operation)
        self.server.sent.append((operation, body))
        fault = next((each for each in self.server.faults if each.strikes(operation, body)), None)
        match fault:
            case None:
                self._hand_on(body)
            case Fault(kind="hang"):
                self.server.is_over.wait()
                self.close_connection = True
            case Fault(kind="drop"):
                self.close_connection = True
            case Fault(kind="lose the answer"):
                self._ask_upstream(body)
                self.close_connection = True
            case _:
                self._refuse(fault)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep silent."""

    def _ask_upstream(self, body: bytes) -> requests.Response:
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        return requests.post(self.server.upstream, data=body, headers=headers, timeout=10)

    def _hand_on(self, body: bytes) -> None:
        answer = self._ask_upstream(body)
        self._send(answer.status_code, answer.content)

    def _refuse(self, fault: Fault) -> None:
        status = 500 if fault.kind == "InternalServerError" else 400
        problem = {"__type": f"{_NAMESPACE}{fault.kind}", "message": "as the test asked"}
        if fault.reasons:
            problem["CancellationReasons"] = fault.reasons  # type: ignore[assignment]
        self._send(status, json.dumps(problem).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
