"""The fake gateway's HTTP server, on loopback only."""

import json
from collections.abc import Callable
from dataclasses import asdict
from http.server import ThreadingHTTPServer
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
from ops.http_server import RequestHandler
from ops.project import LOOPBACK

_TWILIO_PREFIX = "/2010-04-01/"


class FakeSmsServer(ThreadingHTTPServer):
    """The fake SMS gateways of AWS (`POST /`) and Twilio (`POST /2010-04-01/...`).

    `GET /messages` and `GET /` show the accepted SMS, `GET /account` their prices. `?start=100` leaves out
    the first hundred. `POST /faults` and `POST /receipts` change its behaviour, `GET` shows it.
    """

    daemon_threads = True
    # Many senders connect at once; a full backlog would look like a fault.
    request_queue_size = 128

    def __init__(self, port: int, inbox: Inbox) -> None:
        self.inbox = inbox
        self.faults = FaultInjector()
        self.receipts = ReceiptSender()
        acceptor = SmsAcceptor(inbox, self.faults, self.receipts)
        self.aws_sms = AwsSmsService(acceptor)
        self.twilio = TwilioMessages(acceptor)
        super().__init__((LOOPBACK, port), _RequestHandler)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"


class _RequestHandler(RequestHandler):
    server: FakeSmsServer

    def do_GET(self) -> None:
        path, _, query = self.path.partition("?")
        match path:
            case "/":
                page = render_page(self.server.inbox.list_sms())
                self.send(200, "text/html; charset=utf-8", page.encode())
            case "/messages":
                self._send_messages(dict(parse_qsl(query)).get("start", "0"))
            case "/account":
                self._send_account(dict(parse_qsl(query)))
            case "/faults":
                self.send_json(200, self.server.faults.describe())
            case "/receipts":
                self.send_json(200, self.server.receipts.describe())
            case "/healthz":
                self.send_json(200, {"status": "ok"})
            case _:
                self.send_json(404, {"message": "not found"})

    def do_POST(self) -> None:
        body = self.read_bounded_body()
        if body is None:
            return
        try:
            self._route_post(self.path.partition("?")[0], body)
        except ConnectionDropped:
            self.close_connection = True

    def do_DELETE(self) -> None:
        if self.path != "/faults":
            self.send_json(404, {"message": "not found"})
            return
        self.server.faults.disarm()
        self.send_json(200, self.server.faults.describe())

    def _route_post(self, path: str, body: bytes) -> None:
        if path == "/faults":
            self._apply_change(self.server.faults.arm, body, self.server.faults.describe)
        elif path == "/receipts":
            self._apply_change(self.server.receipts.configure, body, self.server.receipts.describe)
        elif path.startswith(_TWILIO_PREFIX):
            response = self.server.twilio.handle(path, self.headers.get("Authorization", ""), body)
            self.send_json(response.status, response.body, {"Twilio-Request-Id": f"RQ{uuid4().hex}"})
        else:
            self._handle_aws(body)

    def _handle_aws(self, body: bytes) -> None:
        response = self.server.aws_sms.handle(self.headers.get("X-Amz-Target", ""), body)
        headers = {"x-amzn-RequestId": str(uuid4())}
        if response.error:
            headers["x-amzn-ErrorType"] = response.error
        self.send(response.status, CONTENT_TYPE, json.dumps(response.body).encode(), headers)

    def _apply_change(
        self, apply: Callable[[bytes], None], body: bytes, describe: Callable[[], dict[str, Any]]
    ) -> None:
        try:
            apply(body)
        except InvalidSettings as error:
            self.send_json(400, {"message": str(error)})
        else:
            self.send_json(200, describe())

    def _send_messages(self, start: str) -> None:
        if start.isdecimal():
            self.send_json(200, [asdict(sms) for sms in self.server.inbox.list_sms(int(start))])
        else:
            self.send_json(400, {"message": "start is a number of SMS"})

    def _send_account(self, query: dict[str, str]) -> None:
        zone, group_key = query.get("zone", "UTC"), query.get("by", "campaign_id")
        try:
            self.send_json(200, make_statement(self.server.inbox.list_sms(), zone=zone, group_key=group_key))
        except ValueError as error:
            self.send_json(400, {"message": str(error)})
