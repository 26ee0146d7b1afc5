"""All figures as one table for machines: a figure a line, under names that are the same in every language.

Dates are ISO dates, numbers plain integers, money rupiah; `share` is a fraction.
"""

import csv
import io
from collections.abc import Iterator

from chalicelib.rollups.renderings.report_data import ReportData, build_report_data
from chalicelib.rollups.report import Report

COLUMNS = ("campaign_id", "day", "version", "state", "counted_at", "figure", "key", "value", "unit")

# Characters that begin a formula in spreadsheet programs.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SMS_UNITS = {"total": "texts", "parts": "parts", "rupiah": "rupiah", "unknown_share": "share"}

Row = tuple[str, str, int | float, str]


def render_csv(report: Report) -> str:
    """Return the table with the line ends of RFC 4180."""
    data = build_report_data(report)
    day_columns = (
        _neutralise(data.campaign.campaign_id),
        data.day.isoformat(),
        data.version,
        str(data.state),
        report.summary.counted_at,
    )
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for figure, key, value, unit in _iter_rows(data):
        writer.writerow((*day_columns, figure, _neutralise(key), value, unit))
    return file.getvalue()


def _iter_rows(data: ReportData) -> Iterator[Row]:
    yield "created", "", data.created, "workers"
    for name, count in data.counts.items():
        yield name, "", count, "captures"
    yield "cumulative", "", data.cumulative, "workers"
    yield "target", "", data.campaign.target, "workers"
    for name, rupiah in data.money.items():
        yield name, "", rupiah, "rupiah"
    for name, value in data.sms.items():
        yield f"texts_{name}", "", value, _SMS_UNITS[name]
    for group in data.groups:
        unit = {"texts": "texts", "refused_by_reason": "captures"}.get(group.name, "workers")
        for cell in group.cells:
            yield group.name, cell.key, cell.count, unit
    for day in data.curve:
        yield "created_on", day.day.isoformat(), day.created, "workers"
        yield "cumulative_on", day.day.isoformat(), day.cumulative, "workers"


def _neutralise(text: str) -> str:
    """Return `text`, quoted if a spreadsheet program would evaluate it; a sign alone is not evaluated."""
    return f"'{text}" if len(text) > 1 and text.startswith(_FORMULA_STARTS) else text
