"""A proxy between the functions and DynamoDB, or another JSON service, with faults that a test arms.

It records the requests, so a test can count the attempts.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from typing import Any

import requests

from ops.http_server import RequestHandler
from ops.project import LOOPBACK
from tests.support.http_server import serve_in_background

# The endpoint that moto intercepts.
DYNAMODB_URL = "https://dynamodb.eu-north-1.amazonaws.com/"

_CONTENT_TYPE = "application/x-amz-json-1.0"
_NAMESPACE = "com.amazonaws.dynamodb.v20120810#"


@dataclass
class Fault:
    """A fault of the first `times` requests of one operation.

    `kind` is an error of DynamoDB, `hang`, `drop` (close the connection) or `lose the answer` (close the
    connection after the request was executed).
    """

    operation: str
    kind: str
    times: int = 1_000
    body_contains: str = ""
    cancellation_reasons: list[dict[str, str]] = field(default_factory=list)

    def matches(self, operation: str, body: bytes) -> bool:
        """Return True, and count it, if the fault applies to a request."""
        is_match = self.times > 0 and operation == self.operation and self.body_contains in body.decode()
        self.times -= is_match
        return is_match


class FaultyProxy(ThreadingHTTPServer):
    """Forwards requests, except those with a fault."""

    daemon_threads = True

    def __init__(self, upstream_url: str) -> None:
        self.upstream_url = upstream_url
        self.faults: list[Fault] = []
        self.operations: list[str] = []
        self.request_bodies: list[tuple[str, bytes]] = []
        self.shutdown_event = threading.Event()
        super().__init__((LOOPBACK, 0), _ProxyHandler)

    @property
    def url(self) -> str:
        """Return its URL."""
        return f"http://{LOOPBACK}:{self.server_port}"

    def add_fault(self, operation: str, kind: str, **fields: Any) -> None:
        """Arm a fault."""
        self.faults.append(Fault(operation, kind, **fields))

    def count_requests(self, operation: str) -> int:
        """Return the number of requests of an operation."""
        return self.operations.count(operation)


@contextmanager
def run_faulty_proxy(upstream_url: str = DYNAMODB_URL) -> Iterator[FaultyProxy]:
    """Run the proxy inside the block."""
    server = FaultyProxy(upstream_url)
    with serve_in_background(server):
        try:
            yield server
        finally:
            server.shutdown_event.set()


class _ProxyHandler(RequestHandler):
    server: FaultyProxy

    def do_POST(self) -> None:
        body = self.read_body()
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

    def _request_upstream(self, body: bytes) -> requests.Response:
        headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
        return requests.post(self.server.upstream_url, data=body, headers=headers, timeout=10)

    def _forward(self, body: bytes) -> None:
        response = self._request_upstream(body)
        self.send(response.status_code, _CONTENT_TYPE, response.content)

    def _send_fault(self, fault: Fault) -> None:
        status = 500 if fault.kind == "InternalServerError" else 400
        error: dict[str, Any] = {"__type": f"{_NAMESPACE}{fault.kind}", "message": "injected fault"}
        if fault.cancellation_reasons:
            error["CancellationReasons"] = fault.cancellation_reasons
        self.send(status, _CONTENT_TYPE, json.dumps(error).encode())
