"""`python -m ops.fake_sms PORT FILE`: the fake SMS gateways of AWS and Twilio, until SIGTERM.

The received SMS are kept in FILE.
"""

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
