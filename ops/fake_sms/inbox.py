"""The received SMS, kept in a file over restarts."""

import json
import threading
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4


@dataclass(frozen=True)
class ReceivedSms:
    """A received SMS. `message_id` is the gateway's id, `context` the sender's own values.

    `parts` and `price_microusd` are the gateway's own count and price.
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
    """All received SMS. Each is in the file (readable by its owner only) before it is acknowledged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._path.touch(mode=0o600)
        self._received = [ReceivedSms(**json.loads(line)) for line in path.read_text().splitlines()]
        self._lock = threading.Lock()

    def add(self, sms: ReceivedSms) -> None:
        with self._lock, self._path.open("a") as file:
            file.write(json.dumps(asdict(sms)) + "\n")
            self._received.append(sms)

    def list_sms(self, start: int = 0) -> list[ReceivedSms]:
        """Return the SMS without the first `start`, oldest first."""
        with self._lock:
            return self._received[start:]
