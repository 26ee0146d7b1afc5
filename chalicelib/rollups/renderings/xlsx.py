"""A campaign day as a workbook: numbers, money, shares and days are typed cells, and text is never a formula.

The same report gives the same bytes. XlsxWriter is imported when the first workbook is written: no cold start
needs it.
"""

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeAlias
from zoneinfo import ZoneInfo

from chalicelib.languages import Language
from chalicelib.rollups.renderings import narrative
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import HEADLINE_FIGURE, Group, ReportData, build_report_data
from chalicelib.rollups.report import Report

if TYPE_CHECKING:
    from xlsxwriter.worksheet import Worksheet


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


_HEADING_FORMAT = {"bold": True, "bg_color": "#D9F2E3", "bottom": 1, "text_wrap": True, "valign": "top"}
_TEXT_FORMAT = {"text_wrap": True, "valign": "top"}
_NUMBER_FORMAT = {"align": "right", "indent": 1, "valign": "top"}
_DATE_FORMAT = {"align": "left", "valign": "top"}
# Windows' codes of Indonesian and British English: a date or number is shown in the language of the workbook,
# whatever the reader's program is set to. Excel takes the separators of numbers from its own settings.
_LOCALE_CODES: Mapping[Language, str] = {"id": "421", "en": "809"}
_NUMBER_FORMATS: Mapping[type, str] = {
    int: "[$-{locale}]#,##0",
    float: "[$-{locale}]#,##0",
    # As `format_rupiah` writes it, in every language.
    Rupiah: '[$-421]"Rp"#,##0',
    Share: "[$-{locale}]0.0%",
    date: "[$-{locale}]d mmmm yyyy",
    datetime: "[$-{locale}]d mmmm yyyy, hh{hour}mm",
}
_HOUR_SEPARATORS: Mapping[Language, str] = {"id": "\\.", "en": ":"}
_PIXELS_PER_CHARACTER = 7
_PAPER_A4 = 9
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
    sheets = [sheet for build in builders if (sheet := build(data, localizer)).rows]
    name = f"{data.campaign.name}, {localizer.format_day(data.day)}"
    return _write(sheets, name, language, created_at=data.counted_at)


def _write(sheets: Sequence[_Sheet], name: str, language: Language, *, created_at: datetime) -> bytes:
    from chalicelib.rollups.renderings.workbook import Workbook  # noqa: PLC0415 - see above

    file = io.BytesIO()
    # In memory, each part of the file gets the first day of zip files as its date.
    with Workbook(file, {"in_memory": True, "remove_timezone": True}) as workbook:
        workbook.set_properties({"created": created_at})
        heading, text_format = workbook.add_format(_HEADING_FORMAT), workbook.add_format(_TEXT_FORMAT)
        number_heading = workbook.add_format({**_HEADING_FORMAT, **_NUMBER_FORMAT})
        locale = {"locale": _LOCALE_CODES[language], "hour": _HOUR_SEPARATORS[language]}
        formats = {
            kind: workbook.add_format(
                {
                    **(_DATE_FORMAT if issubclass(kind, date) else _NUMBER_FORMAT),
                    "num_format": code.format_map(locale),
                }
            )
            for kind, code in _NUMBER_FORMATS.items()
        }
        for sheet in sheets:
            worksheet = workbook.add_worksheet(sheet.name)
            _set_up_page(worksheet, name)
            worksheet.freeze_panes(1, 0)
            worksheet.autofilter(0, 0, len(sheet.rows), len(sheet.columns) - 1)
            for column, (label, width) in enumerate(sheet.columns):
                worksheet.set_column_pixels(column, column, width * _PIXELS_PER_CHARACTER)
                is_numeric = _holds_numbers(sheet.rows, column)
                worksheet.write_string(0, column, label, number_heading if is_numeric else heading)
            for number, row in enumerate(sheet.rows, start=1):
                for column, value in enumerate(row):
                    if isinstance(value, str):
                        worksheet.write_string(number, column, _to_cell_text(value), text_format)
                    elif isinstance(value, date):
                        worksheet.write_datetime(number, column, value, formats[type(value)])
                    elif value is not None:
                        worksheet.write_number(number, column, value, formats[type(value)])
    return file.getvalue()


def _holds_numbers(rows: Sequence[Row], column: int) -> bool:
    return all(isinstance(row[column], int | float | None) for row in rows)


def _set_up_page(worksheet: "Worksheet", name: str) -> None:
    """Make a sheet print on A4, landscape, one page wide, with its headings and a footer on every page."""
    worksheet.set_landscape()
    worksheet.set_paper(_PAPER_A4)
    worksheet.fit_to_pages(1, 0)
    worksheet.repeat_rows(0)
    worksheet.set_margins(left=0.5, right=0.5, top=0.5, bottom=0.75)
    # In a footer, `&` begins a code; 255 characters are Excel's limit.
    text = _to_cell_text(name).replace("\n", " ")[:100].replace("&", "&&")
    worksheet.set_footer(f"&L{text}&C&A&R&P/&N")


def _to_cell_text(text: str) -> str:
    """Return `text` without characters that XML cannot hold, with normalised line ends."""
    return _UNWRITABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def _label_columns(localizer: Localizer, **widths: int) -> Sequence[tuple[str, int]]:
    return [(localizer.translate(phrase), width) for phrase, width in widths.items()]


def _build_summary(data: ReportData, localizer: Localizer) -> _Sheet:
    return _Sheet(
        name=localizer.translate("sheet_summary"),
        columns=_label_columns(localizer, column_figure=44, column_value=34, column_unit=24),
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
    yield localizer.get_count_label("registered"), data.registered, people
    for name, count in data.counts.items():
        yield localizer.get_count_label(name), count, people if name == "created" else forms
    yield t("so_far"), data.cumulative, people
    yield t("target"), data.campaign.target, people
    for name, rupiah in data.money.items():
        yield t(f"money_{name}"), Rupiah(rupiah), None
    if data.corrections:
        yield t("corrections_total"), data.corrections, t("unit_corrections")
    for name, value in data.sms.items():
        yield _build_sms_row(name, value, localizer)


def _build_sms_row(name: str, value: float, localizer: Localizer) -> Row:
    t = localizer.translate
    label = t(f"sms_{name}")
    if name.endswith("rupiah"):
        return label, Rupiah(value), None
    if name == "unknown_share":
        return f"{t('sms')}: {label}", Share(value), t("unit_share")
    is_people = name == "without_phone" or name.startswith("not_told")
    unit = "unit_people" if is_people else {"parts": "unit_parts"}.get(name, "unit_sms")
    return label, value, t(unit)


def _build_breakdowns(data: ReportData, localizer: Localizer) -> _Sheet:
    return _Sheet(
        name=localizer.translate("sheet_breakdowns"),
        columns=_label_columns(localizer, column_group=38, column_key=24, column_label=44, count=12),
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
            localizer, day=20, registered_column=14, cumulative_column=14, column_version=10, state_column=16
        ),
        rows=[
            (day.day, day.registered, day.cumulative, day.version, localizer.translate(str(day.state)))
            for day in data.curve
        ],
    )


def _build_changes(data: ReportData, localizer: Localizer) -> _Sheet:
    changes = [(data.day, change.figure, change.was, change.now) for change in data.changes]
    changes += [(each.day, HEADLINE_FIGURE, each.was, each.now) for each in data.revisions]
    return _Sheet(
        name=localizer.translate("sheet_changes"),
        columns=_label_columns(
            localizer, day=20, column_figure=52, column_was=14, column_now=14, column_difference=14
        ),
        rows=[
            (day, narrative.get_figure_label(figure, data, localizer), *_type_change(figure, was, now))
            for day, figure, was, now in changes
        ],
    )


def _type_change(figure: str, was: int, now: int) -> Row:
    """Return the cells of a change: what it was, what it is, and the difference."""
    number = Rupiah if figure == "texts.rupiah" or figure.startswith("money.") else int
    return number(was), number(now), number(now - was)


def _build_notes(data: ReportData, localizer: Localizer) -> _Sheet:
    notes = [(data.day, note) for note in data.notes]
    notes += [(each.day, note) for each in data.revisions for note in each.notes]
    return _Sheet(
        name=localizer.translate("sheet_notes"),
        columns=_label_columns(
            localizer, day=20, column_difference=14, column_client=24, column_received_on=20
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
