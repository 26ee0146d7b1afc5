"""The gateway over HTTP, on loopback only."""

import json
from collections.abc import Callable
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from ops.fake_sms.acceptor import ConnectionDropped, SmsAcceptor
from ops.fake_sms.aws_protocol import CONTENT_TYPE, AwsSmsService
from ops.fake_sms.faults import FaultInjector, InvalidSettings
from ops.fake_sms.inbox import Inbox
from ops.fake_sms.page import render_page
from ops.fake_sms.pricing import make_statement
from ops.fake_sms.receipts import ReceiptSender
from ops.fake_sms.twilio_protocol import TwilioMessages

_MAX_BODY_BYTES = 1_000_000
_TWILIO_PREFIX = "/2010-04-01/"


class FakeSmsServer(ThreadingHTTPServer):
    """`POST /` is the AWS service and `POST /2010-04-01/...` Twilio's.

    `GET /messages` and `GET /` show what was accepted, `GET /account` what it cost. `/faults` and `/receipts`
    say, and show, how it misbehaves.
    """

    daemon_threads = True
    # Senders come all at once, and one that waits in the kernel would take it for a fault.
    request_queue_size = 128

    def __init__(self, port: int, inbox: Inbox) -> None:
        self.inbox = inbox
        self.faults = FaultInjector()
        self.receipts = ReceiptSender()
        reception = SmsAcceptor(inbox, self.faults, self.receipts)
        self.aws_sms = AwsSmsService(reception)
        self.twilio = TwilioMessages(reception)
        super().__init__(("127.0.0.1", port), _RequestHandler)

    @property
    def url(self) -> str:
        """Where it listens, also when the port was left to the system (0)."""
        return f"http://127.0.0.1:{self.server_port}"


class _RequestHandler(BaseHTTPRequestHandler):
    """One request and its answer."""

    server: FakeSmsServer
    protocol_version = "HTTP/1.1"
    # Head and body of an answer are two small writes: Nagle's algorithm would hold the second for 40 ms.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        match path:
            case "/":
                self._send(200, "text/html; charset=utf-8", render_page(self.server.inbox.list_sms()))
            case "/messages":
                self._send_json(200, [asdict(text) for text in self.server.inbox.list_sms()])
            case "/account":
                self._send_account(dict(parse_qsl(query)))
            case "/faults":
                self._send_json(200, self.server.faults.describe())
            case "/receipts":
                self._send_json(200, self.server.receipts.describe())
            case "/healthz":
                self._send_json(200, {"status": "ok"})
            case _:
                self._send_json(404, {"message": "not found"})

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > _MAX_BODY_BYTES:
            self.close_connection = True
            self._send_json(413, {"message": "say a length that we can take"})
            return
        body = self.rfile.read(int(length))
        try:
            self._route_post(self.path.partition("?")[0], body)
        except ConnectionDropped:
            self.close_connection = True

    def do_DELETE(self) -> None:
        if self.path != "/faults":
            self._send_json(404, {"message": "not found"})
            return
        self.server.faults.disarm()
        self._send_json(200, self.server.faults.describe())

    def _route_post(self, path: str, body: bytes) -> None:
        if path == "/faults":
            self._apply_change(self.server.faults.arm, body, self.server.faults.describe)
        elif path == "/receipts":
            self._apply_change(self.server.receipts.configure, body, self.server.receipts.describe)
        elif path.startswith(_TWILIO_PREFIX):
            said = self.server.twilio.handle(path, self.headers.get("Authorization", ""), body)
            self._send_json(said.status, said.body, {"Twilio-Request-Id": f"RQ{uuid4().hex}"})
        else:
            self._handle_aws(body)

    def _handle_aws(self, body: bytes) -> None:
        answer = self.server.aws_sms.handle(self.headers.get("X-Amz-Target", ""), body)
        headers = {"x-amzn-RequestId": str(uuid4())}
        if answer.error:
            headers["x-amzn-ErrorType"] = answer.error
        self._send(answer.status, CONTENT_TYPE, json.dumps(answer.body), headers)

    def _apply_change(
        self, apply: Callable[[bytes], None], body: bytes, describe: Callable[[], dict[str, Any]]
    ) -> None:
        try:
            apply(body)
        except InvalidSettings as refusal:
            self._send_json(400, {"message": str(refusal)})
        else:
            self._send_json(200, describe())

    def _send_account(self, query: dict[str, str]) -> None:
        zone, by = query.get("zone", "UTC"), query.get("by", "campaign_id")
        try:
            self._send_json(200, make_statement(self.server.inbox.list_sms(), zone=zone, group_key=by))
        except ValueError as error:
            self._send_json(400, {"message": str(error)})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  The base class names it so.
        """Keep silent: what was sent is in the inbox, and a log would be one more copy of it."""

    def _send_json(self, status: int, value: Any, headers: dict[str, str] | None = None) -> None:
        self._send(status, "application/json", json.dumps(value), headers)

    def _send(
        self, status: int, content_type: str, content: str, headers: dict[str, str] | None = None
    ) -> None:
        body = content.encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
