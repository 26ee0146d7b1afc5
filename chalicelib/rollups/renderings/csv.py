"""All figures as one table for machines: a figure a line, under names that never change with the language.

Dates are ISO dates, numbers plain integers, money rupiah; `share` is a fraction.
"""

import csv
import io
from collections.abc import Iterator

from chalicelib.rollups.renderings.report_data import ReportData, build_report_data
from chalicelib.rollups.report import Report

COLUMNS = ("campaign_id", "day", "version", "state", "counted_at", "figure", "key", "value", "unit")

# What a spreadsheet program would take for the beginning of a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TEXT_UNITS = {"total": "texts", "parts": "parts", "rupiah": "rupiah", "unknown_share": "share"}

Row = tuple[str, str, int | float, str]


def render_csv(report: Report) -> str:
    """The table, lines ended as RFC 4180 has it."""
    figures = build_report_data(report)
    of_the_day = (
        _inert(figures.campaign.campaign_id),
        figures.day.isoformat(),
        figures.version,
        str(figures.state),
        report.summary.counted_at,
    )
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(COLUMNS)
    for figure, key, value, unit in _rows(figures):
        writer.writerow((*of_the_day, figure, _inert(key), value, unit))
    return written.getvalue()


def _rows(figures: ReportData) -> Iterator[Row]:
    yield "created", "", figures.created, "workers"
    for name, count in figures.counts.items():
        yield name, "", count, "captures"
    yield "cumulative", "", figures.cumulative, "workers"
    yield "target", "", figures.campaign.target, "workers"
    for name, rupiah in figures.money.items():
        yield name, "", rupiah, "rupiah"
    for name, value in figures.sms.items():
        yield f"texts_{name}", "", value, _TEXT_UNITS[name]
    for group in figures.groups:
        unit = {"texts": "texts", "refused_by_reason": "captures"}.get(group.name, "workers")
        for cell in group.cells:
            yield group.name, cell.key, cell.count, unit
    for day in figures.curve:
        yield "created_on", day.day.isoformat(), day.created, "workers"
        yield "cumulative_on", day.day.isoformat(), day.cumulative, "workers"


def _inert(text: str) -> str:
    """A text that no spreadsheet program reckons with; a sign alone is nothing to reckon with."""
    return f"'{text}" if len(text) > 1 and text.startswith(_FORMULA) else text
