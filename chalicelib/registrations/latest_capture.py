"""The latest numbered capture of a device, as far as it tells of the device. Pure."""

from datetime import datetime

from chalicelib.values import Value


class LatestCapture(Value):
    """The capture with the highest number of a device, and what the device said of itself with it.

    Of an erased capture there is no time.
    """

    campaign_id: str
    received_at: datetime | None = None
    clock_skew: int | None = None
    app_version: str | None = None
