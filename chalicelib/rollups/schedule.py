"""The hourly run that counts campaign days."""

from collections.abc import Callable
from datetime import timedelta

from aws_lambda_powertools.metrics import MetricUnit

from chalicelib import observability
from chalicelib.aws.lambda_context import LambdaContext
from chalicelib.clock import Clock
from chalicelib.refusals import RecordUnreadable
from chalicelib.rollups.due import DueDayFinder, DueEntry
from chalicelib.rollups.errors import CountUnfinished
from chalicelib.rollups.service import RollUpService
from chalicelib.shares import WHOLE, Share

# Time that a run reserves for saving a checkpoint and logging its result.
SHUTDOWN_MARGIN = timedelta(seconds=10)

# The part of the remaining time that one day gets. The rest is for the others.
SHARE_OF_ONE_DAY = 2 / 3


class RollUpPartialFailure(observability.PartialFailure):
    """Some days could not be counted. They stay due and are in the log."""


def roll_up(
    due_days: DueDayFinder,
    roll_up_service: RollUpService,
    clock: Clock,
    context: LambdaContext,
    share: Share = WHOLE,
) -> dict[str, int]:
    """Count every campaign day that is due of a share of the campaigns, and return the numbers of the run.

    The run of the first share looks for silent devices before.

    A day that cannot be counted does not stop the others; the run then raises RollUpPartialFailure. Each day
    gets two thirds of the remaining time at most; the next run resumes a day that needs longer, and counts
    the days for which no time was left.
    """
    counted = written = unfinished = 0
    failed = _count_failure(roll_up_service.review_devices) if share.is_first else 0
    ends_at = clock() + timedelta(milliseconds=context.get_remaining_time_in_millis()) - SHUTDOWN_MARGIN

    def record_failure(entry: DueEntry, error: Exception) -> None:
        nonlocal failed
        observability.log_exception(error, "due days not determined", {"campaign_id": entry.campaign_id})
        # A campaign that cannot be read has its own alarm, and another run does not help.
        failed += not isinstance(error, RecordUnreadable)

    for due in due_days.iter_due_days(record_failure, deadline=ends_at, share=share):
        if clock() >= ends_at:
            break
        facts = {"campaign_id": due.campaign_day.campaign_id, "day": due.campaign_day.day.isoformat()}
        try:
            result = roll_up_service.count_due_day(
                due, deadline=clock() + (ends_at - clock()) * SHARE_OF_ONE_DAY
            )
        except CountUnfinished:
            observability.logger.info("campaign day partly counted", extra=facts)
            unfinished += 1
            continue
        except Exception as error:  # noqa: BLE001 - the other days must still be counted
            observability.log_exception(error, "campaign day not counted", facts)
            failed += 1
            continue
        counted += 1
        written += result.is_new
        observability.measure("RollUpLag", MetricUnit.Seconds, (clock() - due.due_since).total_seconds())
        observability.logger.info(
            "campaign day counted",
            extra={**facts, "version": result.summary.version, "is_new": result.is_new},
        )
    if clock() >= ends_at:
        observability.logger.warning("time limit reached, remaining days wait for the next run")
    if failed:
        raise RollUpPartialFailure(f"{failed} of {failed + counted}")
    return {"counted": counted, "written": written, "unfinished": unfinished}


def _count_failure(review_devices: Callable[[], object]) -> int:
    """Look for silent devices. Return 1 if that failed, else 0: the days must still be counted."""
    try:
        review_devices()
    except Exception as error:  # noqa: BLE001 - logged, and the run fails in the end
        observability.log_exception(error, "devices not reviewed", {})
        return 1
    return 0
