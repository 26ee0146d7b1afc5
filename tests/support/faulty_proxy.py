"""A bad day at DynamoDB and SQS: a proxy between the functions and the embedded AWS.

It hands on the `Host` that was signed for, so that the embedded AWS still judges every role. Which requests
it spoils follows from a seed and their number, not from chance.
"""

import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from urllib.parse import urlsplit

_TIMEOUT_SECONDS = 60

# What each service says to a client that asks too much.
_THROTTLING_ERRORS = {
    "DynamoDB_20120810": "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException",
    "AmazonSQS": "com.amazonaws.sqs#RequestThrottled",
}


class FaultyProxy(ThreadingHTTPServer):
    """Refuses a share of the requests, and carries out another share without telling the caller."""

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
        super().__init__(("127.0.0.1", 0), _RequestHandler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def draw_outcome(self) -> str:
        """What becomes of the next request."""
        with self._lock:
            drawn = sha256(f"{self._seed}|{next(self._request_numbers)}".encode()).digest()
            at = int.from_bytes(drawn[:8]) / 2**64
            fate = "refused" if at < self._refused_share else "handed on"
            if self._refused_share <= at < self._refused_share + self._unanswered_share:
                fate = "unanswered"
            self.outcome_counts[fate] += 1
            return fate


@contextmanager
def run_faulty_proxy(
    upstream: str, *, refused_share: float, unanswered_share: float
) -> Iterator[FaultyProxy]:
    """A bad day that lasts as long as the block."""
    with FaultyProxy(upstream, refused_share=refused_share, unanswered_share=unanswered_share) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.01,))
        serving.start()
        try:
            yield server
        finally:
            server.shutdown()
            serving.join()


class _RequestHandler(BaseHTTPRequestHandler):
    """One request."""

    server: FaultyProxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        service = self.headers.get("X-Amz-Target", "").partition(".")[0]
        fate = self.server.draw_outcome()
        if fate == "refused" and service in _THROTTLING_ERRORS:
            said = {"__type": _THROTTLING_ERRORS[service], "message": "a bad day"}
            self._send(400, "application/x-amz-json-1.0", json.dumps(said).encode())
            return
        try:
            status, kind, answer = self._forward(body)
        except (OSError, HTTPException):
            self.close_connection = True
            return
        if fate == "unanswered":
            self.close_connection = True
        else:
            self._send(status, kind, answer)

    def handle(self) -> None:
        """Take requests until the caller, who may be killed meanwhile, hangs up."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Keep silent."""

    def _forward(self, body: bytes) -> tuple[int, str, bytes]:
        upstream = self.server.upstream
        connection = HTTPConnection(upstream.hostname or "", upstream.port, timeout=_TIMEOUT_SECONDS)
        try:
            connection.putrequest("POST", self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                connection.putheader(name, value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers.get("Content-Type", ""), answer.read()
        finally:
            connection.close()

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
