"""The base of the small HTTP servers of the fakes and of tests."""

from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler


class RequestHandler(BaseHTTPRequestHandler):
    """A request handler that keeps connections open and writes no log."""

    protocol_version = "HTTP/1.1"
    # Head and body of a response are two small writes: Nagle's algorithm would hold the second for 40 ms.
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Write nothing: a log would hold another copy of personal data."""

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def send(
        self, status: int, content_type: str, body: bytes, headers: Mapping[str, str] | None = None
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
