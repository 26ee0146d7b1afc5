"""`python -m ops.fake_sms PORT FILE`: serve the texts of FILE and take new ones, until SIGTERM."""

import signal
import sys
from pathlib import Path
from typing import NoReturn

from ops.fake_sms.inbox import Inbox
from ops.fake_sms.server import FakeSmsServer


def _exit(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _exit)
    port, file = sys.argv[1:]
    with FakeSmsServer(int(port), Inbox(Path(file))) as server:
        server.serve_forever()
