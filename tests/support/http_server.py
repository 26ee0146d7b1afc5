"""Serving of HTTP in the background of a test."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer

from ops.project import LOOPBACK


@contextmanager
def serve_in_background(server: HTTPServer) -> Iterator[str]:
    """Serve from a thread inside the block. Yield the server's URL."""
    with server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
