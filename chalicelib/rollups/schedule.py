"""The hourly tick."""

from aws_lambda_powertools.metrics import MetricUnit

from chalicelib import observability
from chalicelib.clock import Clock
from chalicelib.rollups.service import RollUp


class SomeDaysNotCounted(observability.RoundIncomplete):
    """The tick counted what it could; the days it could not are still due, and are in the log."""


def roll_up(rollup: RollUp, clock: Clock) -> dict[str, int]:
    """Count every campaign day that is due.

    One day that cannot be counted holds up no other, but fails the tick in the end.
    """
    counted = written = failed = 0
    for due in rollup.due():
        facts = {"campaign_id": due.of.campaign_id, "day": due.of.day.isoformat()}
        try:
            found = rollup.count_due(due)
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
    return {"counted": counted, "written": written}
