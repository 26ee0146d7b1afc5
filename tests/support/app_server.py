"""The app over real HTTP, for browsers: API Gateway's part is played by Chalice's local gateway."""

import base64
import gzip
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from email.utils import format_datetime
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

from chalice.app import Chalice
from chalice.config import Config
from chalice.local import ForbiddenError, LocalGateway, NotAuthorizedError

from chalicelib.clients.authorizer import Unauthorized
from chalicelib.clock import Clock
from chalicelib.web.errors import FileUnknown
from chalicelib.web.site import Site
from infra.gateway_responses import make_gateway_responses
from ops.http_server import RequestHandler
from ops.project import LOOPBACK
from tests.support.http_server import serve_in_background

STAGE = "/api"
_CLOSED: tuple[int, dict[str, Any], bytes] = (503, {}, b"")


class AppServer(ThreadingHTTPServer):
    """Serves an app below `/api`, as API Gateway's stage does, and records the requests."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, app: Chalice, clock: Clock) -> None:
        self.replace_app(app)
        self.clock = clock
        self.site: Site | None = None
        self.requests: Counter[str] = Counter()
        self.sent_headers: list[tuple[str, dict[str, str]]] = []
        self.replaced_files: dict[str, Callable[[bytes], bytes]] = {}
        # The answer of something else than the app, such as the sign-in page of a market's Wi-Fi.
        self.fault: tuple[int, dict[str, Any], bytes] | None = None
        # The app has one current request: Lambda runs one at a time, and so does this server.
        self.lock = threading.Lock()
        super().__init__((LOOPBACK, 0), _AppRequestHandler)

    def replace_app(self, app: Chalice) -> None:
        """Serve another app from the next request on."""
        self.app = app
        self.gateway = LocalGateway(app, Config())

    def replace_in_file(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Serve a file of the web app changed: a build with a fault, to show that a test finds it."""
        self.replaced_files[name] = change

    def publish(self, directory: Path) -> str:
        """Serve the web app from another directory: a new release. Return its name."""
        self.site = Site(directory)
        return self.site.release

    def close_app(self) -> None:
        """Wait for the request that the app is at work on, and hand it no other one.

        A request that outlives its test writes into the tables of the next one, or calls AWS itself.
        """
        with self.lock:
            self.fault = _CLOSED

    def answer(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, Any], bytes]:
        """Return the app's answer to a request."""
        with self.lock:
            if self.fault is not None:
                return self.fault
            self.requests[f"{method} {path.partition('?')[0]}"] += 1
            self.sent_headers.append((path, headers))
            try:
                response = self.gateway.handle_request(method, path, headers, body)
            except (ForbiddenError, NotAuthorizedError, Unauthorized) as refusal:
                kind = "ACCESS_DENIED" if isinstance(refusal, ForbiddenError) else "UNAUTHORIZED"
                return _build_gateway_answer(kind)
        answered = {**response.get("headers", {})}
        answered |= {name: values[-1] for name, values in response.get("multiValueHeaders", {}).items()}
        content = response.get("body") or ""
        encoded = base64.b64decode(content) if response.get("isBase64Encoded") else content.encode()
        return response["statusCode"], answered, encoded


def _build_gateway_answer(kind: str) -> tuple[int, dict[str, Any], bytes]:
    """Return the answer that API Gateway makes itself."""
    response = make_gateway_responses()[kind]
    headers = {name: value.strip("'") for name, value in response["ResponseParameters"]["Headers"].items()}
    return int(response["StatusCode"]), headers, response["ResponseTemplates"]["application/json"].encode()


@contextmanager
def run_app_server(app: Chalice, clock: Clock) -> Iterator[AppServer]:
    """Serve an app inside the block. Answers are dated by `clock`."""
    server = AppServer(app, clock)
    with serve_in_background(server):
        try:
            yield server
        finally:
            server.close_app()


class _AppRequestHandler(RequestHandler):
    server: AppServer

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_PATCH(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if not self.path.startswith(f"{STAGE}/"):
            self.send(404, "text/plain", b"")
            return
        if self.server.site is not None and self.path.startswith(f"{STAGE}/app"):
            self._answer_from_site(self.server.site, self.path.removeprefix(f"{STAGE}/app").strip("/"))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, answered, content = self.server.answer(
            self.command, self.path.removeprefix(STAGE), headers, body
        )
        for name, change in self.server.replaced_files.items():
            if re.fullmatch(rf"{STAGE}/app/[^/]+/{re.escape(name)}", self.path):
                original = gzip.decompress(content) if "Content-Encoding" in answered else content
                content = change(original)
                assert content != original, f"the change finds nothing in {name}"
                answered.pop("Content-Encoding", None)
        self._send(status, answered, content)

    def _answer_from_site(self, site: Site, path: str) -> None:
        release, _, name = path.partition("/")
        try:
            file = site.get_file(release, name) if name else site.get_top_file(path or "index.html")
        except FileUnknown:
            self._send(404, {}, b"")
        else:
            headers = {"Content-Type": file.media_type, "Service-Worker-Allowed": "../app"}
            self._send(200, headers, file.content)

    def _send(self, status: int, headers: dict[str, Any], content: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Date", format_datetime(self.server.clock(), usegmt=True))
        for name, value in headers.items():
            self.send_header(name, str(value))
        if status != 304:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
