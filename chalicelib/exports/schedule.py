"""The hourly run that exports final campaign days for analysts."""

from collections import Counter
from datetime import datetime, timedelta
from enum import Enum, auto

from chalicelib import observability
from chalicelib.aws.lambda_context import LambdaContext
from chalicelib.clock import Clock
from chalicelib.exports.service import ExportRunning, ExportService, ExportUnfinished
from chalicelib.rollups.outbox import OutboxEntry

# Time that a run reserves for packing and storing the rows that it has read: 100,000 take a second or two.
_STORE_MARGIN = timedelta(seconds=30)


class _Outcome(Enum):
    EXPORTED = auto()
    OPEN = auto()
    FAILED = auto()


class ExportPartialFailure(observability.PartialFailure):
    """Some days could not be exported. They stay in the outbox and are in the log."""


def export_days(export_service: ExportService, clock: Clock, context: LambdaContext) -> dict[str, int]:
    """Export the days in the outbox, and return the numbers of the run.

    A day that cannot be exported does not stop the others; the run then raises ExportPartialFailure. No day
    is begun in the second half of a run, so that each has half of the time at least. While another run holds
    the lease, do nothing: two runs at once would delete each other's rows.
    """
    started_at = clock()
    ends_at = started_at + timedelta(milliseconds=context.get_remaining_time_in_millis())
    outcomes: Counter[_Outcome] = Counter()
    try:
        with export_service.hold_lease(ends_at):
            days = export_service.list_entries()
            for number, entry in enumerate(days):
                if clock() - started_at > (ends_at - started_at) / 2:
                    remaining = len(days) - number
                    observability.logger.warning(
                        "time limit reached, remaining days wait for the next run",
                        extra={"records": remaining},
                    )
                    outcomes[_Outcome.OPEN] += remaining
                    break
                outcomes[_export_day(export_service, entry, deadline=ends_at - _STORE_MARGIN)] += 1
    except ExportRunning:
        # EventBridge may start a run twice. The other run does the work of both.
        observability.logger.info("another export is running")
    if outcomes[_Outcome.FAILED]:
        raise ExportPartialFailure(f"{outcomes[_Outcome.FAILED]} of {outcomes.total()}")
    return {"exported": outcomes[_Outcome.EXPORTED], "open": outcomes[_Outcome.OPEN]}


def _export_day(export_service: ExportService, entry: OutboxEntry, *, deadline: datetime) -> _Outcome:
    facts = {"campaign_id": entry.campaign_day.campaign_id, "day": entry.campaign_day.day.isoformat()}
    try:
        result = export_service.export(entry, deadline=deadline)
    except ExportUnfinished:
        observability.logger.error("campaign day export timed out", extra=facts)
        return _Outcome.FAILED
    except Exception as error:  # noqa: BLE001 - the other days must still be exported
        observability.log_exception(error, "campaign day not exported", facts)
        return _Outcome.FAILED
    if result.is_late:
        observability.count("ExportsLate")
        observability.logger.warning("captures differ from the summary", extra=facts)
    if result.manifest is None:
        return _Outcome.OPEN
    observability.logger.info(
        "campaign day exported",
        extra={**facts, "version": result.manifest.version, "records": result.manifest.counts.captures},
    )
    return _Outcome.EXPORTED
