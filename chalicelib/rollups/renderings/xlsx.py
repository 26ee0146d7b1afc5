"""A campaign day as a workbook: numbers, money, shares and days are typed cells, and text is never a formula.

The same report gives the same bytes. XlsxWriter is imported when the first workbook is written: no cold start
needs it.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

from chalicelib.languages import Language
from chalicelib.rollups.renderings import narrative
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import Group, ReportData, build_report_data
from chalicelib.rollups.report import Report


class Rupiah(int):
    """An amount of money."""


class Share(float):
    """A fraction of a whole, shown in per cent."""


Value: TypeAlias = str | int | float | date | datetime | None
Row: TypeAlias = tuple[Value, ...]


@dataclass(frozen=True)
class _Sheet:
    """One sheet: its name, the label and the width in characters of each column, and its rows."""

    name: str
    columns: Sequence[tuple[str, int]]
    rows: Sequence[Row]


_HEADING_FORMAT = {"bold": True, "bg_color": "#D9F2E3"}
_NUMBER_FORMATS: Mapping[type, str] = {
    int: "#,##0",
    float: "#,##0",
    Rupiah: '"Rp"\\ #,##0',
    Share: "0.0%",
    date: "yyyy-mm-dd",
    datetime: "yyyy-mm-dd hh:mm",
}
_PIXELS_PER_CHARACTER = 7
# Characters that XML cannot hold.
_UNWRITABLE = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render_workbook(report: Report, language: Language) -> bytes:
    """Return every figure of a report. It must not be mailed: `mail.compose` makes the workbook that may."""
    return render_report_data(build_report_data(report), language)


def render_report_data(data: ReportData, language: Language) -> bytes:
    localizer = Localizer(language)
    builders = (
        _build_summary,
        _build_breakdowns,
        _build_days,
        _build_changes,
        _build_notes,
        _build_anomalies,
    )
    return _write([build(data, localizer) for build in builders], created_at=data.counted_at)


def _write(sheets: Sequence[_Sheet], *, created_at: datetime) -> bytes:
    from xlsxwriter import Workbook  # noqa: PLC0415 - see above

    file = io.BytesIO()
    # In memory, each part of the file gets the first day of zip files as its date.
    with Workbook(file, {"in_memory": True, "remove_timezone": True}) as workbook:
        workbook.set_properties({"created": created_at})
        heading = workbook.add_format(_HEADING_FORMAT)
        formats = {kind: workbook.add_format({"num_format": code}) for kind, code in _NUMBER_FORMATS.items()}
        for sheet in sheets:
            worksheet = workbook.add_worksheet(sheet.name)
            worksheet.freeze_panes(1, 0)
            worksheet.autofilter(0, 0, len(sheet.rows), len(sheet.columns) - 1)
            for column, (label, width) in enumerate(sheet.columns):
                worksheet.set_column_pixels(column, column, width * _PIXELS_PER_CHARACTER)
                worksheet.write_string(0, column, label, heading)
            for number, row in enumerate(sheet.rows, start=1):
                for column, value in enumerate(row):
                    if isinstance(value, str):
                        worksheet.write_string(number, column, _to_cell_text(value))
                    elif isinstance(value, date):
                        worksheet.write_datetime(number, column, value, formats[type(value)])
                    elif value is not None:
                        worksheet.write_number(number, column, value, formats[type(value)])
    return file.getvalue()


def _to_cell_text(text: str) -> str:
    """Return `text` without characters that XML cannot hold, with normalised line ends."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def _label_columns(localizer: Localizer, **widths: int) -> Sequence[tuple[str, int]]:
    return [(localizer.translate(phrase), width) for phrase, width in widths.items()]


def _build_summary(data: ReportData, localizer: Localizer) -> _Sheet:
    return _Sheet(
        name=localizer.translate("sheet_summary"),
        columns=_label_columns(localizer, column_figure=36, column_value=32, column_unit=18),
        rows=[*_iter_descriptions(data, localizer), *_iter_totals(data, localizer)],
    )


def _iter_descriptions(data: ReportData, localizer: Localizer) -> Iterator[Row]:
    campaign, t = data.campaign, localizer.translate
    yield t("campaign"), campaign.name, None
    yield t("campaign_id"), campaign.campaign_id, None
    yield t("place"), campaign.place, None
    yield t("branch_label"), campaign.branch, None
    yield t("day"), data.day, None
    yield t("column_version"), data.version, None
    yield t("state_column"), t(str(data.state)), None
    counted_at = data.counted_at.astimezone(ZoneInfo(campaign.zone))
    yield t("counted_at", zone=localizer.get_zone_label(campaign.zone)), counted_at, None


def _iter_totals(data: ReportData, localizer: Localizer) -> Iterator[Row]:
    t = localizer.translate
    people, forms = t("unit_people"), t("unit_forms")
    yield localizer.get_count_label("created"), data.created, people
    for name, count in data.counts.items():
        yield localizer.get_count_label(name), count, forms
    yield t("so_far"), data.cumulative, people
    yield t("target"), data.campaign.target, people
    for name, rupiah in data.money.items():
        yield t(f"money_{name}"), Rupiah(rupiah), t("unit_rupiah")
    for name, value in data.sms.items():
        yield _build_sms_row(name, value, localizer)


def _build_sms_row(name: str, value: float, localizer: Localizer) -> Row:
    t = localizer.translate
    label = t(f"sms_{name}")
    if name == "rupiah":
        return label, Rupiah(value), t("unit_rupiah")
    if name == "unknown_share":
        return f"{t('sms')}: {label}", Share(value), t("unit_share")
    return label, value, t("unit_parts" if name == "parts" else "unit_sms")


def _build_breakdowns(data: ReportData, localizer: Localizer) -> _Sheet:
    return _Sheet(
        name=localizer.translate("sheet_breakdowns"),
        columns=_label_columns(localizer, column_group=36, column_key=24, column_label=40, count=12),
        rows=[row for group in data.groups for row in _iter_cells(data, group, localizer)],
    )


def _iter_cells(data: ReportData, group: Group, localizer: Localizer) -> Iterator[Row]:
    name = localizer.get_group_label(group.name, data.campaign.zone)
    if group.is_withheld:
        yield name, None, localizer.translate("withheld"), None
    for cell in group.cells:
        yield name, cell.key or None, narrative.get_cell_label(group, cell, localizer), cell.count


def _build_days(data: ReportData, localizer: Localizer) -> _Sheet:
    return _Sheet(
        name=localizer.translate("sheet_days"),
        columns=_label_columns(
            localizer, day=14, created_column=14, cumulative_column=14, column_version=10, state_column=16
        ),
        rows=[
            (day.day, day.created, day.cumulative, day.version, localizer.translate(str(day.state)))
            for day in data.curve
        ],
    )


def _build_changes(data: ReportData, localizer: Localizer) -> _Sheet:
    changes = [(data.day, change.figure, change.was, change.now) for change in data.changes]
    changes += [(each.day, "counts.created", each.was, each.now) for each in data.revisions]
    return _Sheet(
        name=localizer.translate("sheet_changes"),
        columns=_label_columns(
            localizer, day=14, column_figure=36, column_was=14, column_now=14, column_difference=14
        ),
        rows=[(day, figure, was, now, now - was) for day, figure, was, now in changes],
    )


def _build_notes(data: ReportData, localizer: Localizer) -> _Sheet:
    notes = [(data.day, note) for note in data.notes]
    notes += [(each.day, note) for each in data.revisions for note in each.notes]
    return _Sheet(
        name=localizer.translate("sheet_notes"),
        columns=_label_columns(
            localizer, day=14, column_difference=14, column_client=24, column_received_on=14
        ),
        rows=[(day, note.difference, note.client_id, note.received_on) for day, note in notes],
    )


def _build_anomalies(data: ReportData, localizer: Localizer) -> _Sheet:
    sentences = narrative.describe_anomalies(data, localizer)
    return _Sheet(
        name=localizer.translate("sheet_anomalies"),
        columns=_label_columns(
            localizer, column_pattern=72, column_client=24, column_workers=12, column_usual=12
        ),
        rows=[
            (sentence, anomaly.client_id, anomaly.workers or None, anomaly.usual)
            for sentence, anomaly in zip(sentences, data.anomalies, strict=True)
        ],
    )
