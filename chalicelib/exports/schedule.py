"""The round that comes every hour: final days are exported for analysts."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Protocol

from chalicelib import observability
from chalicelib.clock import Clock
from chalicelib.exports.service import Exporter, ExportUnfinished
from chalicelib.rollups.outbox import Waiting

# What a round keeps for packing and storing the rows that it has read: 100,000 are a second or two.
_MARGIN = timedelta(seconds=30)


class Context(Protocol):
    """What Lambda says of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """How long it may still take."""


class SomeDaysNotExported(observability.RoundIncomplete):
    """The round exported what it could; the days it could not still wait, and are in the log."""


class AnotherRoundUnderWay(observability.RoundIncomplete):
    """Two rounds at once would take away each other's rows."""


def export_days(exporter: Exporter, clock: Clock, context: Context) -> dict[str, int]:
    """Export every day that waits, while there is time.

    One that cannot be exported holds up no other, but fails the round in the end. None is begun in the second
    half of a round, so that each has half of one at least.
    """
    began = clock()
    cut_off = began + timedelta(milliseconds=context.get_remaining_time_in_millis())
    exported = open_ = failed = 0
    with _turn(exporter, cut_off):
        days = exporter.waiting()
        for number, waiting in enumerate(days):
            if clock() - began > (cut_off - began) / 2:
                left = len(days) - number
                observability.logger.warning(
                    "time is up, days wait for the next round", extra={"records": left}
                )
                open_ += left
                break
            done = _export(exporter, waiting, until=cut_off - _MARGIN)
            failed += done is None
            exported += done is True
            open_ += done is False
    if failed:
        raise SomeDaysNotExported(f"{failed} of {failed + exported + open_}")
    return {"exported": exported, "open": open_}


@contextmanager
def _turn(exporter: Exporter, until: datetime) -> Iterator[None]:
    if not exporter.take_turn(until):
        raise AnotherRoundUnderWay("another round is under way")
    try:
        yield
    finally:
        exporter.end_turn(until)


def _export(exporter: Exporter, waiting: Waiting, *, until: datetime) -> bool | None:
    """Whether a day was exported; None where it could not be."""
    facts = {"campaign_id": waiting.of.campaign_id, "day": waiting.of.day.isoformat()}
    try:
        done = exporter.export(waiting, until=until)
    except ExportUnfinished:
        observability.logger.error("campaign day takes too long to export", extra=facts)
        return None
    except Exception as error:  # noqa: BLE001 - the other days are still to be exported
        observability.log_unforeseen(error, "campaign day not exported", facts)
        return None
    if done.is_late:
        observability.count("ExportsLate")
        observability.logger.warning("captures differ from the summary", extra=facts)
    if done.manifest is None:
        return False
    observability.logger.info(
        "campaign day exported",
        extra={**facts, "version": done.manifest.version, "records": done.manifest.counts.captures},
    )
    return True
