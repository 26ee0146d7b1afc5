"""What comes along with a capture and is no part of it: the clock and the version of the device. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

# A clock that is further off shows a wrong day, which only a person can put right.
_MAX_SKEW_SECONDS = 86_400

_SKEW = re.compile(r"-?[0-9]{1,5}", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


@dataclass(frozen=True)
class DeviceReport:
    """What a device reports of itself when it hands in captures, and who handed them in for it.

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
        return cls(
            clock_skew=_limit_skew(int(skew)) if _SKEW.fullmatch(skew) else None,
            app_version=version if _VERSION.fullmatch(version) else None,
        )

    @property
    def clock_lead(self) -> timedelta:
        """Return by how much the device's clock is fast, zero if it is not."""
        return timedelta(seconds=max(0, self.clock_skew or 0))


def _limit_skew(seconds: int) -> int | None:
    return seconds if abs(seconds) <= _MAX_SKEW_SECONDS else None


NO_DEVICE_REPORT = DeviceReport()
