"""The round that comes every hour: final days are exported for analysts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Protocol

from chalicelib import observability
from chalicelib.clock import Clock
from chalicelib.exports.service import ExportRunning, ExportService, ExportUnfinished
from chalicelib.rollups.outbox import OutboxEntry

# What a round keeps for packing and storing the rows that it has read: 100,000 are a second or two.
_STORE_MARGIN = timedelta(seconds=30)


class LambdaContext(Protocol):
    """What Lambda says of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """How long it may still take."""


class _Outcome(Enum):
    EXPORTED = auto()
    OPEN = auto()
    FAILED = auto()


class ExportPartialFailure(observability.PartialFailure):
    """The round exported what it could; the days it could not still wait, and are in the log."""


class ExportAlreadyRunning(observability.PartialFailure):
    """Two rounds at once would take away each other's rows."""


def export_days(export_service: ExportService, clock: Clock, context: LambdaContext) -> dict[str, int]:
    """Export every day that waits, while there is time.

    One that cannot be exported holds up no other, but fails the round in the end. None is begun in the second
    half of a round, so that each has half of one at least.
    """
    began = clock()
    cut_off = began + timedelta(milliseconds=context.get_remaining_time_in_millis())
    exported = open_ = failed = 0
    with _hold_lease(export_service, cut_off):
        days = export_service.list_entries()
        for number, waiting in enumerate(days):
            if clock() - began > (cut_off - began) / 2:
                left = len(days) - number
                observability.logger.warning(
                    "time limit reached, remaining days wait for the next run", extra={"records": left}
                )
                open_ += left
                break
            outcome = _export_day(export_service, waiting, deadline=cut_off - _STORE_MARGIN)
            failed += outcome is _Outcome.FAILED
            exported += outcome is _Outcome.EXPORTED
            open_ += outcome is _Outcome.OPEN
    if failed:
        raise ExportPartialFailure(f"{failed} of {failed + exported + open_}")
    return {"exported": exported, "open": open_}


@contextmanager
def _hold_lease(export_service: ExportService, expires_at: datetime) -> Iterator[None]:
    try:
        with export_service.hold_lease(expires_at):
            yield
    except ExportRunning:
        raise ExportAlreadyRunning("another export is running") from None


def _export_day(export_service: ExportService, entry: OutboxEntry, *, deadline: datetime) -> _Outcome:
    facts = {"campaign_id": entry.campaign_day.campaign_id, "day": entry.campaign_day.day.isoformat()}
    try:
        done = export_service.export(entry, deadline=deadline)
    except ExportUnfinished:
        observability.logger.error("campaign day export timed out", extra=facts)
        return _Outcome.FAILED
    except Exception as error:  # noqa: BLE001 - the other days are still to be exported
        observability.log_exception(error, "campaign day not exported", facts)
        return _Outcome.FAILED
    if done.is_late:
        observability.count("ExportsLate")
        observability.logger.warning("captures differ from the summary", extra=facts)
    if done.manifest is None:
        return _Outcome.OPEN
    observability.logger.info(
        "campaign day exported",
        extra={**facts, "version": done.manifest.version, "records": done.manifest.counts.captures},
    )
    return _Outcome.EXPORTED
