"""The report of a device that comes along with a capture and is no part of it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Self

from chalicelib.values import Value

# A clock that is further off shows a wrong day, which only a person can put right.
_MAX_SKEW_SECONDS = 86_400

_SKEW = re.compile(r"-?[0-9]{1,5}", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


class DeviceReport(Value):
    """The clock and version of a device as it hands in captures, and who handed them in for it.

    `clock_skew` is in seconds, the device's clock minus the server's. `rescued_by` is the client of the
    manager who brought the device's rescue file.
    """

    clock_skew: int | None = None
    app_version: str | None = None
    rescued_by: str | None = None

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> Self:
        """Read the headers of a request. A malformed one is left out: no capture may fail for it."""
        skew, version = (headers.get(name, "").strip() for name in ("device-clock-skew", "app-version"))
        return cls.from_values(int(skew) if _SKEW.fullmatch(skew) else None, version)

    @classmethod
    def from_values(cls, clock_skew: int | None, app_version: str | None) -> Self:
        """Return the report of these values, without one that cannot be true."""
        return cls(
            clock_skew=None if abs(clock_skew or 0) > _MAX_SKEW_SECONDS else clock_skew,
            app_version=app_version if _VERSION.fullmatch(app_version or "") else None,
        )

    def as_rescued_by(self, client_id: str) -> "DeviceReport":
        """Return the report of the same device in a file that a manager brought."""
        return replace(self, rescued_by=client_id)

    @property
    def clock_lead(self) -> timedelta:
        """Return by how much the device's clock is fast, zero if it is not."""
        return timedelta(seconds=max(0, self.clock_skew or 0))


NO_DEVICE_REPORT = DeviceReport()
