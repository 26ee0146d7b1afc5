"""The circumstances of a capture. Pure."""

from dataclasses import dataclass
from datetime import date, datetime

from chalicelib.callers import Channel, Disclosure


@dataclass(frozen=True)
class CaptureMetadata:
    """The circumstances of a capture: time, client, channel and officer. It holds no data of the worker."""

    capture_id: str
    campaign_id: str
    day: date
    captured_at: datetime
    received_at: datetime
    client_id: str
    channel: Channel
    disclosure: Disclosure
    officer: str | None
    correlation_id: str
    device_sequence: int | None = None
