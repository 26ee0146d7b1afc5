"""The gateway over HTTP, on loopback only."""

import json
from collections.abc import Callable
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from ops.gateway.account import statement
from ops.gateway.faults import Faults, Refused
from ops.gateway.inbox import Inbox
from ops.gateway.page import phones_page
from ops.gateway.protocol import CONTENT_TYPE, SMSVoice
from ops.gateway.receipts import Receipts
from ops.gateway.reception import Reception, Unanswered
from ops.gateway.twilio import Messages

_LONGEST_BODY = 1_000_000
_TWILIO = "/2010-04-01/"


class GatewayServer(ThreadingHTTPServer):
    """`POST /` is the AWS service and `POST /2010-04-01/...` Twilio's.

    `GET /messages` and `GET /` show what was accepted, `GET /account` what it cost. `/faults` and `/receipts`
    say, and show, how it misbehaves.
    """

    daemon_threads = True
    # Senders come all at once, and one that waits in the kernel would take it for a fault.
    request_queue_size = 128

    def __init__(self, port: int, inbox: Inbox) -> None:
        self.inbox = inbox
        self.faults = Faults()
        self.receipts = Receipts()
        reception = Reception(inbox, self.faults, self.receipts)
        self.service = SMSVoice(reception)
        self.twilio = Messages(reception)
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
        path, _, query = self.path.partition("?")
        match path:
            case "/":
                self._send(200, "text/html; charset=utf-8", phones_page(self.server.inbox.texts()))
            case "/messages":
                self._send_json(200, [asdict(text) for text in self.server.inbox.texts()])
            case "/account":
                self._send_account(dict(parse_qsl(query)))
            case "/faults":
                self._send_json(200, self.server.faults.described())
            case "/receipts":
                self._send_json(200, self.server.receipts.described())
            case "/healthz":
                self._send_json(200, {"status": "ok"})
            case _:
                self._send_json(404, {"message": "not found"})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _LONGEST_BODY:
            self.close_connection = True
            self._send_json(413, {"message": "say a length that we can take"})
            return
        body = self.rfile.read(int(length))
        try:
            self._answer(self.path.partition("?")[0], body)
        except Unanswered:
            self.close_connection = True

    def do_DELETE(self) -> None:
        if self.path != "/faults":
            self._send_json(404, {"message": "not found"})
            return
        self.server.faults.disarm()
        self._send_json(200, self.server.faults.described())

    def _answer(self, path: str, body: bytes) -> None:
        if path == "/faults":
            self._change(self.server.faults.arm, body, self.server.faults.described)
        elif path == "/receipts":
            self._change(self.server.receipts.wish, body, self.server.receipts.described)
        elif path.startswith(_TWILIO):
            said = self.server.twilio.answer(path, self.headers.get("Authorization", ""), body)
            self._send_json(said.status, said.body, {"Twilio-Request-Id": f"RQ{uuid4().hex}"})
        else:
            self._answer_as_aws(body)

    def _answer_as_aws(self, body: bytes) -> None:
        answer = self.server.service.answer(self.headers.get("X-Amz-Target", ""), body)
        headers = {"x-amzn-RequestId": str(uuid4())}
        if answer.error:
            headers["x-amzn-ErrorType"] = answer.error
        self._send(answer.status, CONTENT_TYPE, json.dumps(answer.body), headers)

    def _change(
        self, change: Callable[[bytes], None], body: bytes, described: Callable[[], dict[str, Any]]
    ) -> None:
        try:
            change(body)
        except Refused as refusal:
            self._send_json(400, {"message": str(refusal)})
        else:
            self._send_json(200, described())

    def _send_account(self, query: dict[str, str]) -> None:
        zone, by = query.get("zone", "UTC"), query.get("by", "campaign_id")
        try:
            self._send_json(200, statement(self.server.inbox.texts(), zone=zone, by=by))
        except ValueError as error:
            self._send_json(400, {"message": str(error)})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  The base class names it so.
        """Keep silent: what was sent is in the inbox, and a log would be one more copy of it."""

    def _send_json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(value), headers)

    def _send(self, status: int, kind: str, text: str, headers: dict[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
