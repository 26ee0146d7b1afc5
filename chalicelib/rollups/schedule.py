"""The hourly tick."""

from datetime import timedelta
from typing import Protocol

from aws_lambda_powertools.metrics import MetricUnit

from chalicelib import observability
from chalicelib.clock import Clock
from chalicelib.rollups.errors import CountUnfinished
from chalicelib.rollups.service import RollUp

# What a tick keeps for laying a count aside and for telling what it did.
_MARGIN = timedelta(seconds=10)


class Context(Protocol):
    """What Lambda says of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """How long it may still take."""


class SomeDaysNotCounted(observability.RoundIncomplete):
    """The tick counted what it could; the days it could not are still due, and are in the log."""


def roll_up(rollup: RollUp, clock: Clock, context: Context) -> dict[str, int]:
    """Count every campaign day that is due.

    One day that cannot be counted holds up no other, but fails the tick in the end. One that takes too long
    gets half of the time that is left; the next tick goes on with it.
    """
    counted = written = failed = unfinished = 0
    ends_at = clock() + timedelta(milliseconds=context.get_remaining_time_in_millis()) - _MARGIN
    for due in rollup.due():
        facts = {"campaign_id": due.of.campaign_id, "day": due.of.day.isoformat()}
        try:
            found = rollup.count_due(due, until=clock() + (ends_at - clock()) / 2)
        except CountUnfinished:
            observability.logger.info("campaign day counted in part", extra=facts)
            unfinished += 1
            continue
        except Exception as error:  # noqa: BLE001 - the other days are still to be counted
            observability.log_unforeseen(error, "campaign day not counted", facts)
            failed += 1
            continue
        counted += 1
        written += found.is_new
        observability.measure("RollUpLag", MetricUnit.Seconds, (clock() - due.since).total_seconds())
        observability.logger.info(
            "campaign day counted",
            extra={**facts, "version": found.summary.version, "is_new": found.is_new},
        )
    if failed:
        raise SomeDaysNotCounted(f"{failed} of {failed + counted}")
    return {"counted": counted, "written": written, "unfinished": unfinished}
