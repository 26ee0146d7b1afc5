"""The lines of a device's file, with the outcome that the generator intends for each."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from ops.local.market_day.setting import ZONE, Body, Device
from ops.local.market_day.workers import Worker


class RefusalReason(StrEnum):
    """The reason for which a capture must be refused."""

    NIK_TOO_SHORT = "nik_too_short"
    NIK_TOO_LONG = "nik_too_long"
    NIK_DATE = "nik_date"
    NIK_SERIAL = "nik_serial"
    NIK_PROVINCE = "nik_province"
    PHONE_LANDLINE = "phone_landline"
    PHONE_TOO_SHORT = "phone_too_short"


class LineOutcome(StrEnum):
    """The outcome that a line must have. COUNTED is `created` or `already_registered`."""

    COUNTED = "counted"
    REPLAYED = "replayed"
    REUSED = "reused"
    REFUSED = "refused"


@dataclass(frozen=True)
class CaptureLine:
    """One line of a file: the body that is sent, and the intended outcome."""

    device: Device
    captured_at: datetime
    worker: Worker
    body: Body = field(repr=False)
    outcome: LineOutcome = LineOutcome.COUNTED
    reason: RefusalReason | None = None

    @property
    def day(self) -> date:
        return self.captured_at.astimezone(ZONE).date()

    @property
    def capture_id(self) -> str:
        return str(self.body["capture_id"])


def select_counted(lines: Iterable[CaptureLine]) -> list[CaptureLine]:
    return [line for line in lines if line.outcome is LineOutcome.COUNTED]
