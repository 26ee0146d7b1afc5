"""A proxy between the functions and the emulator that makes DynamoDB and SQS fail.

It forwards the signed `Host`, so the emulator still checks every role. The requests that fail are chosen by a
seed and the request's number.
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from http.server import ThreadingHTTPServer
from itertools import count
from urllib.parse import urlsplit

from ops.http_server import RequestHandler
from ops.project import LOOPBACK
from tests.support.http_server import serve_in_background

_TIMEOUT_SECONDS = 60

# The throttling error of each service.
_THROTTLING_ERRORS = {
    "DynamoDB_20120810": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "AmazonSQS": "com.amazonaws.sqs#RequestThrottled",
}


class FaultyProxy(ThreadingHTTPServer):
    """Refuses a share of the requests, and executes another share without a response to the caller."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(
        self, upstream: str, *, refused_share: float, unanswered_share: float, seed: int = 0
    ) -> None:
        self.upstream = urlsplit(upstream)
        self.outcome_counts: Counter[str] = Counter()
        self._refused_share = refused_share
        self._unanswered_share = unanswered_share
        self._seed = seed
        self._request_numbers = count()
        self._lock = threading.Lock()
        super().__init__((LOOPBACK, 0), _RequestHandler)

    @property
    def url(self) -> str:
        """Return its URL."""
        return f"http://{LOOPBACK}:{self.server_port}"

    def draw_outcome(self) -> str:
        """Return and count the outcome of the next request: refused, unanswered or forwarded."""
        with self._lock:
            digest = sha256(f"{self._seed}|{next(self._request_numbers)}".encode()).digest()
            share = int.from_bytes(digest[:8]) / 2**64
            if share < self._refused_share:
                outcome = "refused"
            elif share < self._refused_share + self._unanswered_share:
                outcome = "unanswered"
            else:
                outcome = "forwarded"
            self.outcome_counts[outcome] += 1
            return outcome


@contextmanager
def run_faulty_proxy(
    upstream: str, *, refused_share: float, unanswered_share: float
) -> Iterator[FaultyProxy]:
    """Run the proxy inside the block."""
    server = FaultyProxy(upstream, refused_share=refused_share, unanswered_share=unanswered_share)
    with serve_in_background(server):
        yield server


class _RequestHandler(RequestHandler):
    server: FaultyProxy

    def do_POST(self) -> None:
        body = self.read_body()
        service = self.headers.get("X-Amz-Target", "").partition(".")[0]
        outcome = self.server.draw_outcome()
        if outcome == "refused" and service in _THROTTLING_ERRORS:
            error = {"__type": _THROTTLING_ERRORS[service], "message": "injected fault"}
            self.send(400, "application/x-amz-json-1.0", json.dumps(error).encode())
            return
        try:
            status, content_type, response = self._forward(body)
        except (OSError, HTTPException):
            self.close_connection = True
            return
        if outcome == "unanswered":
            self.close_connection = True
        else:
            self.send(status, content_type, response)

    def handle(self) -> None:
        """Serve requests until the caller closes the connection or is killed."""
        with suppress(ConnectionError):
            super().handle()

    def _forward(self, body: bytes) -> tuple[int, str, bytes]:
        upstream = self.server.upstream
        connection = HTTPConnection(upstream.hostname or "", upstream.port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.putrequest("POST", self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            response = connection.getresponse()
            return response.status, response.headers.get("Content-Type", ""), response.read()
        finally:
            connection.close()
