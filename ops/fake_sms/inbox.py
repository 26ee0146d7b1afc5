"""The texts that the gateway has accepted, oldest first, kept in a file so that a restart forgets none."""

import json
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4


@dataclass(frozen=True)
class ReceivedSms:
    """One text on somebody's phone. `message_id` is the gateway's, `context` what the sender sent along.

    `parts` and the price are what the gateway itself counts and charges, whatever the sender thought.
    """

    to: str
    text: str
    context: dict[str, str] = field(default_factory=dict)
    received_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    message_id: str = field(default_factory=lambda: str(uuid4()))
    protocol: str = "aws"
    sender: str = ""
    parts: int = 1
    encoding: str = "GSM"
    price_microusd: int = 0


class Inbox:
    """Every text so far. A text is in the file before it is acknowledged; only its owner can read that."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch(mode=0o600)
        self._received = [ReceivedSms(**json.loads(line)) for line in path.read_text().splitlines()]
        self._lock = threading.Lock()

    def add(self, sms: ReceivedSms) -> None:
        """Keep one more text."""
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps(asdict(sms)) + "\n")
            self._received.append(sms)

    def list_sms(self) -> list[ReceivedSms]:
        """All texts, oldest first."""
        with self._lock:
            return list(self._received)
