"""A running fake SMS gateway."""

from contextlib import AbstractContextManager
from pathlib import Path

from ops.fake_sms.inbox import Inbox
from ops.fake_sms.server import FakeSmsServer
from tests.support.http_server import serve_in_background


def run_fake_gateway(inbox_file: Path) -> AbstractContextManager[str]:
    """Run a fake gateway that keeps its SMS in a file. Return its URL from the context."""
    return serve_in_background(FakeSmsServer(0, Inbox(inbox_file)))
