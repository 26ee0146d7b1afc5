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
DYNAMODB_URL = "https://dynamodb.eu-north-1.amazonaws.com/"

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
    body_contains: str = ""
    cancellation_reasons: list[dict[str, str]] = field(default_factory=list)

    def matches(self, operation: str, body: bytes) -> bool:
        """Whether this request is one of them."""
        is_one = self.times > 0 and operation == self.operation and self.body_contains in body.decode()
        self.times -= is_one
        return is_one


class FaultyProxy(ThreadingHTTPServer):
    """Hands requests on, except those that a fault strikes."""

    daemon_threads = True

    def __init__(self, upstream_url: str) -> None:
        self.upstream_url = upstream_url
        self.faults: list[Fault] = []
        self.operations: list[str] = []
        self.request_bodies: list[tuple[str, bytes]] = []
        self.shutdown_event = threading.Event()
        super().__init__(("127.0.0.1", 0), _ProxyHandler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def add_fault(self, operation: str, kind: str, **fields: Any) -> None:
        """Add a fault."""
        self.faults.append(Fault(operation, kind, **fields))

    def count_requests(self, operation: str) -> int:
        """How often one operation was asked for."""
        return self.operations.count(operation)


@contextmanager
def run_faulty_proxy(upstream_url: str = DYNAMODB_URL) -> Iterator[FaultyProxy]:
    """Interference that runs as long as the block."""
    with FaultyProxy(upstream_url) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield server
        finally:
            server.shutdown_event.set()
            server.shutdown()
            serving.join()


class _ProxyHandler(BaseHTTPRequestHandler):
    """One request."""

    server: FaultyProxy
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].partition(".")[2]
        self.server.operations.append(operation)
        self.server.request_bodies.append((operation, body))
        fault = next((each for each in self.server.faults if each.matches(operation, body)), None)
        match fault:
            case None:
                self._forward(body)
            case Fault(kind="hang"):
                self.server.shutdown_event.wait()
                self.close_connection = True
            case Fault(kind="drop"):
                self.close_connection = True
            case Fault(kind="lose the answer"):
                self._request_upstream(body)
                self.close_connection = True
            case _:
                self._send_fault(fault)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep silent."""

    def _request_upstream(self, body: bytes) -> requests.Response:
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        return requests.post(self.server.upstream_url, data=body, headers=headers, timeout=10)

    def _forward(self, body: bytes) -> None:
        answer = self._request_upstream(body)
        self._send(answer.status_code, answer.content)

    def _send_fault(self, fault: Fault) -> None:
        status = 500 if fault.kind == "InternalServerError" else 400
        problem = {"__type": f"{_NAMESPACE}{fault.kind}", "message": "as the test asked"}
        if fault.cancellation_reasons:
            problem["CancellationReasons"] = fault.cancellation_reasons  # type: ignore[assignment]
        self._send(status, json.dumps(problem).encode())

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
