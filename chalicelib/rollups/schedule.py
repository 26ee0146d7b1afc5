"""The hourly tick."""

from datetime import timedelta
from typing import Protocol

from aws_lambda_powertools.metrics import MetricUnit

from chalicelib import observability
from chalicelib.clock import Clock
from chalicelib.rollups.errors import CountUnfinished
from chalicelib.rollups.service import RollUpService

# What a tick keeps for laying a count aside and for telling what it did.
_SHUTDOWN_MARGIN = timedelta(seconds=10)


class LambdaContext(Protocol):
    """What Lambda says of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """How long it may still take."""


class RollUpPartialFailure(observability.PartialFailure):
    """The tick counted what it could; the days it could not are still due, and are in the log."""


def roll_up(roll_up_service: RollUpService, clock: Clock, context: LambdaContext) -> dict[str, int]:
    """Count every campaign day that is due.

    One day that cannot be counted holds up no other, but fails the tick in the end. One that takes too long
    gets half of the time that is left; the next tick goes on with it.
    """
    counted = written = failed = unfinished = 0
    ends_at = clock() + timedelta(milliseconds=context.get_remaining_time_in_millis()) - _SHUTDOWN_MARGIN
    for due in roll_up_service.iter_due_days():
        facts = {"campaign_id": due.campaign_day.campaign_id, "day": due.campaign_day.day.isoformat()}
        try:
            found = roll_up_service.count_due_day(due, deadline=clock() + (ends_at - clock()) / 2)
        except CountUnfinished:
            observability.logger.info("campaign day partly counted", extra=facts)
            unfinished += 1
            continue
        except Exception as error:  # noqa: BLE001 - the other days are still to be counted
            observability.log_exception(error, "campaign day not counted", facts)
            failed += 1
            continue
        counted += 1
        written += found.is_new
        observability.measure("RollUpLag", MetricUnit.Seconds, (clock() - due.due_since).total_seconds())
        observability.logger.info(
            "campaign day counted",
            extra={**facts, "version": found.summary.version, "is_new": found.is_new},
        )
    if failed:
        raise RollUpPartialFailure(f"{failed} of {failed + counted}")
    return {"counted": counted, "written": written, "unfinished": unfinished}
