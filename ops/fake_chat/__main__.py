"""`python -m ops.fake_chat PORT FILE`: the fake Telegram and WhatsApp, until SIGTERM.

The chats are kept in FILE.
"""

import signal
import sys
from pathlib import Path
from typing import NoReturn

from ops.fake_chat.server import FakeChatServer
from ops.fake_chat.transcripts import TranscriptStore


def _exit(*_: object) -> NoReturn:
    sys.exit(0)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _exit)
    port, file = sys.argv[1:]
    with FakeChatServer(int(port), TranscriptStore(Path(file))) as server:
        server.serve_forever()
