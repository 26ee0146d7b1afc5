"""The gateway over HTTP, on loopback only."""

import json
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

from ops.gateway.inbox import Inbox
from ops.gateway.page import phones_page
from ops.gateway.protocol import CONTENT_TYPE, SMSVoice

_LONGEST_BODY = 1_000_000


class GatewayServer(ThreadingHTTPServer):
    """`POST /` is the AWS service; `GET /messages` and `GET /` show what it has accepted."""

    daemon_threads = True

    def __init__(self, port: int, inbox: Inbox) -> None:
        self.inbox = inbox
        self.service = SMSVoice(inbox)
        super().__init__(("127.0.0.1", port), _Exchange)

    @property
    def url(self) -> str:
        """Where it listens, also when the port was left to the system (0)."""
        return f"http://127.0.0.1:{self.server_port}"


class _Exchange(BaseHTTPRequestHandler):
    """One request and its answer."""

    server: GatewayServer
    protocol_version = "HTTP/1.1"
    # Head and body of an answer are two small writes: Nagle's algorithm would hold the second for 40 ms.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        texts = self.server.inbox.texts()
        match self.path.partition("?")[0]:
            case "/":
                self._send(200, "text/html; charset=utf-8", phones_page(texts))
            case "/messages":
                self._send(200, "application/json", json.dumps([asdict(text) for text in texts]))
            case "/healthz":
                self._send(200, "application/json", '{"status": "ok"}')
            case _:
                self._send(404, "application/json", '{"message": "not found"}')

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LONGEST_BODY:
            self.close_connection = True
            self._send(413, "application/json", '{"message": "say a length that we can take"}')
            return
        body = self.rfile.read(int(length))
        answer = self.server.service.answer(self.headers.get("X-Amz-Target", ""), body)
        headers = {"x-amzn-RequestId": str(uuid4())}
        if answer.error:
            headers["x-amzn-ErrorType"] = answer.error
        self._send(answer.status, CONTENT_TYPE, json.dumps(answer.body), headers)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  The base class names it so.
        """Keep silent: what was sent is in the inbox, and a log would be one more copy of it."""

    def _send(self, status: int, kind: str, text: str, headers: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
