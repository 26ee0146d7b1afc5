"""The fake chat's HTTP server, on loopback only."""

import re
from collections.abc import Callable
from http.server import ThreadingHTTPServer

from ops.fake_chat.deliveries import WebhookSender
from ops.fake_chat.faults import ConnectionDropped, FaultInjector, InvalidRequest
from ops.fake_chat.page import PAGE
from ops.fake_chat.telegram_api import BotApi
from ops.fake_chat.telegram_users import TelegramUsers
from ops.fake_chat.transcripts import App, TranscriptStore
from ops.fake_chat.user_acts import parse_act
from ops.fake_chat.whatsapp_api import CloudApi
from ops.fake_chat.whatsapp_users import WhatsAppUsers
from ops.http_server import RequestHandler
from ops.project import LOOPBACK

_BOT_METHOD = re.compile(r"/bot(?P<token>[^/]+)/(?P<method>\w+)")
_CLOUD_MESSAGES = re.compile(r"/v\d+\.\d+/(?P<phone_number_id>\d+)/messages")
_USER = re.compile(r"/(?P<app>telegram|whatsapp)/users/(?P<user_id>[\w.+-]+)/(?P<part>messages|transcript)")


class FakeChatServer(ThreadingHTTPServer):
    """Telegram's Bot API (`/bot<token>/<method>`) and WhatsApp's Cloud API (`/v23.0/<number>/messages`).

    `POST /{app}/users/{user_id}/messages` acts as a user, `GET .../transcript` shows the chat, `GET /` is a
    page of phones. `POST /faults` arms faults, `DELETE` disarms them. `POST /whatsapp/webhook` and
    `/whatsapp/templates` stand for what a person enters at Meta.
    """

    daemon_threads = True
    # Many senders connect at once; a full backlog would look like a fault.
    request_queue_size = 128

    def __init__(self, port: int, transcripts: TranscriptStore, *, retry_seconds: float = 2.0) -> None:
        self.transcripts = transcripts
        self.faults = FaultInjector()
        self.webhooks = WebhookSender(self.faults, retry_seconds=retry_seconds)
        self.bot_api = BotApi(transcripts, self.faults)
        self.webhooks.on_answer = self.bot_api.execute_answer
        self.cloud_api = CloudApi(transcripts, self.faults, self.webhooks)
        self.act_by_app = {
            App.TELEGRAM: TelegramUsers(self.bot_api, transcripts, self.webhooks).act,
            App.WHATSAPP: WhatsAppUsers(self.cloud_api, transcripts).act,
        }
        super().__init__((LOOPBACK, port), _RequestHandler)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    def server_close(self) -> None:
        super().server_close()
        self.webhooks.close()


class _RequestHandler(RequestHandler):
    server: FakeChatServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        user = _USER.fullmatch(path)
        if path == "/":
            self.send(200, "text/html; charset=utf-8", PAGE)
        elif path == "/users":
            listed = [
                {"app": app, "user_id": user_id} for app, user_id in self.server.transcripts.list_users()
            ]
            self.send_json(200, listed)
        elif path == "/faults":
            self.send_json(200, self.server.faults.describe())
        elif path == "/deliveries":
            self.send_json(200, self.server.webhooks.describe())
        elif path == "/healthz":
            self.send_json(200, {"status": "ok"})
        elif user is not None and user["part"] == "transcript":
            chat = self.server.transcripts.list_chat(App(user["app"]), user["user_id"])
            self.send_json(200, [message.to_transcript() for message in chat])
        elif _BOT_METHOD.fullmatch(path):
            self._call_bot_api(path, b"")
        else:
            self.send_json(404, {"message": "not found"})

    def do_POST(self) -> None:
        body = self.read_bounded_body()
        if body is None:
            return
        try:
            self._route_post(self.path.partition("?")[0], body)
        except ConnectionDropped:
            self.close_connection = True
        except InvalidRequest as error:
            self.send_json(400, {"message": str(error)})

    def do_DELETE(self) -> None:
        if self.path != "/faults":
            self.send_json(404, {"message": "not found"})
            return
        self.server.faults.disarm()
        self.send_json(200, self.server.faults.describe())

    def _route_post(self, path: str, body: bytes) -> None:
        user, cloud = _USER.fullmatch(path), _CLOUD_MESSAGES.fullmatch(path)
        if path == "/faults":
            self._change(self.server.faults.arm, body)
        elif path == "/whatsapp/webhook":
            self._change(self.server.cloud_api.subscribe, body)
        elif path == "/whatsapp/templates":
            self._change(self.server.cloud_api.approve_template, body)
        elif user is not None and user["part"] == "messages":
            act = self.server.act_by_app[App(user["app"])]
            self.send_json(200, act(user["user_id"], parse_act(body)))
        elif cloud is not None:
            authorization = self.headers.get("Authorization", "")
            answer = self.server.cloud_api.handle(cloud["phone_number_id"], authorization, body)
            self.send_json(answer.status, answer.body)
        else:
            self._call_bot_api(path, body)

    def _call_bot_api(self, path: str, body: bytes) -> None:
        call = _BOT_METHOD.fullmatch(path)
        if call is None:
            self.send_json(404, {"message": "not found"})
            return
        answer = self.server.bot_api.handle(call["token"], call["method"], body)
        self.send_json(answer.status, answer.body)

    def _change(self, apply: Callable[[bytes], None], body: bytes) -> None:
        apply(body)
        self.send_json(200, self.server.faults.describe())
