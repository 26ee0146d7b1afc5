"""The fake-sms, running."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.fake_sms.inbox import Inbox
from ops.fake_sms.server import FakeSmsServer


@contextmanager
def run_fake_gateway(inbox_file: Path) -> Iterator[str]:
    """The URL of a stand-in that keeps its texts in a file."""
    with FakeSmsServer(0, Inbox(inbox_file)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()
