"""The circumstances of a capture. Pure."""

from datetime import date, datetime

from chalicelib.callers import Channel, Disclosure
from chalicelib.values import Value


class CaptureMetadata(Value):
    """The circumstances of a capture: time, client, channel and officer. It holds no data of the worker.

    The last three are those of `DeviceReport`.
    """

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
    clock_skew: int | None = None
    app_version: str | None = None
    rescued_by: str | None = None
