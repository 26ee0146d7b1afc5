"""The link between a browser and a server, which can be cut, slow, or lose answers."""

import re
import select
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ops.project import LOOPBACK

_CHUNK = 2048
# An empty page at this path comes from the link itself, also while it is cut: a tab to begin a test in.
# Whatever else is needed then has to be in the tablet.
_BLANK_PATH = re.compile(rb"GET [\w./-]*/app/blank ")
_LONGEST_PATH = 200
_BLANK_PAGE = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\nConnection: close\r\n\r\n"
    b"<!doctype html>"
)


class Shape:
    """A slow link: its speed, which all connections share, and the time that a packet takes one way."""

    def __init__(self, *, bytes_per_second: float, delay_seconds: float) -> None:
        self.delay_seconds = delay_seconds
        self._bytes_per_second = bytes_per_second
        self._free_at = {"up": 0.0, "down": 0.0}
        self._lock = threading.Lock()

    def wait(self, size: int, direction: str) -> None:
        """Wait until so many bytes have passed, after those of other connections."""
        with self._lock:
            passed_at = max(time.monotonic(), self._free_at[direction]) + size / self._bytes_per_second
            self._free_at[direction] = passed_at
        time.sleep(max(0.0, passed_at - time.monotonic()))


class Link(socketserver.ThreadingTCPServer):
    """Forwards connections to a server on this machine. The browser knows only the link's port.

    While it is cut, connections are refused at once and the open ones end in the middle, as when a phone
    leaves the cell; with `loses_answers` requests arrive and their answers do not.
    """

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, upstream_port: int) -> None:
        self.upstream_port = upstream_port
        self.is_cut = False
        self.loses_answers = False
        self.shape: Shape | None = None
        self.bytes_up = 0
        self.bytes_down = 0
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__((LOOPBACK, 0), _Forwarder)

    @property
    def port(self) -> int:
        """Return the port for the browser."""
        port: int = self.server_address[1]
        return port

    def cut(self) -> None:
        """End every connection, and refuse further ones."""
        self.is_cut = True
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def restore(self) -> None:
        """Let connections through again."""
        self.is_cut = self.loses_answers = False

    def track(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.add(connection)

    def untrack(self, connection: socket.socket) -> None:
        with self._lock:
            self._open.discard(connection)

    def handle_error(self, request: object, client_address: object) -> None:
        """Print nothing: ended connections are what this is for."""


class _Forwarder(socketserver.BaseRequestHandler):
    server: Link

    def handle(self) -> None:
        link = self.server
        first = self.request.recv(_LONGEST_PATH, socket.MSG_PEEK)
        if _BLANK_PATH.match(first):
            self.request.recv(65_536)
            self.request.sendall(_BLANK_PAGE)
            return
        if link.is_cut:
            return
        if link.shape is not None:
            time.sleep(2 * link.shape.delay_seconds)  # The handshake.
        with socket.create_connection((LOOPBACK, link.upstream_port)) as upstream:
            link.track(self.request)
            link.track(upstream)
            try:
                answers = threading.Thread(target=self._pump, args=(upstream, self.request, False))
                answers.start()
                self._pump(self.request, upstream, True)
                answers.join()
            finally:
                link.untrack(self.request)
                link.untrack(upstream)

    def _pump(self, source: socket.socket, target: socket.socket, is_up: bool) -> None:
        link = self.server
        with suppress(OSError):
            is_idle = True
            while data := source.recv(_CHUNK):
                if link.shape is not None:
                    # What follows at once is under way already: the delay is that of the first packet.
                    time.sleep(link.shape.delay_seconds if is_idle else 0.0)
                    link.shape.wait(len(data), "up" if is_up else "down")
                    is_idle = not select.select([source], [], [], 0)[0]
                if is_up:
                    link.bytes_up += len(data)
                else:
                    link.bytes_down += len(data)
                    if link.loses_answers:
                        continue
                target.sendall(data)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


@contextmanager
def run_link(upstream_port: int) -> Iterator[Link]:
    """Forward connections inside the block."""
    with Link(upstream_port) as link:
        thread = threading.Thread(target=link.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield link
        finally:
            link.cut()
            link.shutdown()
            thread.join()
