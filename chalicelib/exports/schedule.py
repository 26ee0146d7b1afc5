"""The round that comes every quarter of an hour: final days are exported for analysts."""

from chalicelib import observability
from chalicelib.exports.service import Exporter


class SomeDaysNotExported(observability.RoundIncomplete):
    """The round exported what it could; the days it could not still wait, and are in the log."""


def export_days(exporter: Exporter) -> dict[str, int]:
    """Export every day that waits.

    One that cannot be exported holds up no other, but fails the round in the end.
    """
    exported = open_ = failed = 0
    for waiting in exporter.waiting():
        facts = {"campaign_id": waiting.of.campaign_id, "day": waiting.of.day.isoformat()}
        try:
            done = exporter.export(waiting)
        except Exception as error:  # noqa: BLE001 - the other days are still to be exported
            observability.log_unforeseen(error, "campaign day not exported", facts)
            failed += 1
            continue
        if done.is_late:
            observability.count("ExportsLate")
            observability.logger.warning("captures differ from the summary", extra=facts)
        if done.manifest is None:
            open_ += 1
            continue
        exported += 1
        observability.logger.info(
            "campaign day exported",
            extra={**facts, "version": done.manifest.version, "records": done.manifest.counts.captures},
        )
    if failed:
        raise SomeDaysNotExported(f"{failed} of {failed + exported + open_}")
    return {"exported": exported, "open": open_}
