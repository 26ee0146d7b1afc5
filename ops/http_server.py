"""The base of the small HTTP servers of the fakes and of tests."""

import json
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from typing import Any

_MAX_BODY_BYTES = 1_000_000


class RequestHandler(BaseHTTPRequestHandler):
    """A request handler that keeps connections open and writes no log."""

    protocol_version = "HTTP/1.1"
    # Head and body of a response are two small writes: Nagle's algorithm would hold the second for 40 ms.
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Write nothing: a log would hold another copy of personal data."""

    def read_body(self) -> bytes:
        return self.rfile.read(int(self.headers["Content-Length"]))

    def read_bounded_body(self) -> bytes | None:
        """Return the body; answer 413 and return None if its length is unknown or above a megabyte."""
        length = self.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) <= _MAX_BODY_BYTES:
            return self.read_body()
        self.close_connection = True
        self.send_json(413, {"message": "the length of the body is unknown or too large"})
        return None

    def send_json(self, status: int, value: Any, headers: Mapping[str, str] | None = None) -> None:
        self.send(status, "application/json", json.dumps(value).encode(), headers)

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
