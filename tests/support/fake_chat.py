"""A running fake chat, and a webhook that it delivers to."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import httpx

from ops.fake_chat.accounts import BOT_TOKEN, TELEGRAM_WEBHOOK_SECRET, VERIFY_TOKEN
from ops.fake_chat.server import FakeChatServer
from ops.fake_chat.transcripts import TranscriptStore
from ops.http_server import RequestHandler
from ops.project import LOOPBACK
from tests.support.http_server import serve_in_background


class Received(NamedTuple):
    """One request that a webhook got."""

    headers: dict[str, str]
    body: bytes

    @property
    def update(self) -> dict[str, Any]:
        update: dict[str, Any] = json.loads(self.body)
        return update


class WebhookServer(ThreadingHTTPServer):
    """A webhook that keeps what it gets. `answers` are the next statuses and bodies, then 200 and `{}`."""

    daemon_threads = True

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[tuple[int, bytes]] = []
        self.lock = threading.Lock()
        super().__init__((LOOPBACK, 0), _WebhookHandler)

    @property
    def updates(self) -> list[dict[str, Any]]:
        with self.lock:
            return [each.update for each in self.received]


class _WebhookHandler(RequestHandler):
    server: WebhookServer

    def do_GET(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if query.get("hub.verify_token") == VERIFY_TOKEN:
            self.send(200, "text/plain", query["hub.challenge"].encode())
        else:
            self.send(403, "text/plain", b"")

    def do_POST(self) -> None:
        body = self.read_body()
        with self.server.lock:
            self.server.received.append(Received(dict(self.headers), body))
            status, answer = self.server.answers.pop(0) if self.server.answers else (200, b"{}")
        self.send(status, "application/json", answer)


class FakeChat:
    """The fake chat as a test speaks to it: as a bot, as users, and as whoever arms faults."""

    def __init__(self, url: str, webhook: WebhookServer) -> None:
        self.url = url
        self.webhook = webhook
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def call(self, method: str, **parameters: Any) -> httpx.Response:
        """Call a method of the Bot API."""
        return self._client.post(f"/bot{BOT_TOKEN}/{method}", json=parameters)

    def act(self, app: str, user_id: str, **act: Any) -> dict[str, Any]:
        """Act as a user. Return the update."""
        answer = self._client.post(f"/{app}/users/{user_id}/messages", json=act).raise_for_status()
        update: dict[str, Any] = answer.json()
        return update

    def get_transcript(self, app: str, user_id: str) -> list[dict[str, Any]]:
        shown: list[dict[str, Any]] = self._client.get(f"/{app}/users/{user_id}/transcript").json()
        return shown

    def arm(self, **fault: Any) -> None:
        self._client.post("/faults", json=fault).raise_for_status()

    def close(self) -> None:
        self._client.close()

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return self._client.request(method, path, **options)


@contextmanager
def run_fake_chat(file: Path, *, retry_seconds: float = 0.02) -> Iterator[FakeChat]:
    """Run a fake chat that keeps its chats in a file, with a webhook that is subscribed to both apps."""
    webhook = WebhookServer()
    server = FakeChatServer(0, TranscriptStore(file), retry_seconds=retry_seconds)
    with serve_in_background(webhook) as webhook_url, serve_in_background(server) as url:
        chat = FakeChat(url, webhook)
        chat.call("setWebhook", url=webhook_url, secret_token=TELEGRAM_WEBHOOK_SECRET)
        subscription = {"url": webhook_url, "verify_token": VERIFY_TOKEN}
        chat.request("POST", "/whatsapp/webhook", json=subscription).raise_for_status()
        yield chat
        chat.close()
