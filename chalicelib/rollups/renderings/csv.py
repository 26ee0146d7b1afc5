"""All figures as one table, a figure a line, in two dialects.

The plain one is for machines: names are the same in every language, dates are ISO dates, numbers plain
integers, money rupiah; `share` is a fraction. The other is for people who open it in Excel set to Indonesian:
labels in their language, a byte order mark so that it is read as UTF-8, and that Excel's separators.
"""

import csv
import io
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from chalicelib.languages import Language
from chalicelib.rollups.renderings import narrative
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import ReportData, build_report_data
from chalicelib.rollups.report import Report

COLUMNS = ("campaign_id", "day", "version", "state", "counted_at", "figure", "key", "value", "unit")

# Characters that begin a formula in spreadsheet programs.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
_SMS_PREFIX = "texts_"
_SMS_UNITS = {
    "total": "texts",
    "parts": "parts",
    "rupiah": "rupiah",
    "unknown_share": "share",
    "without_phone": "workers",
    "not_told": "workers",
    "not_told_waiting": "workers",
    "not_told_held": "workers",
    "not_told_expired": "workers",
    "telegram": "texts",
    "telegram_rupiah": "rupiah",
    "whatsapp": "texts",
    "whatsapp_rupiah": "rupiah",
    "telegram_dialogue": "texts",
    "telegram_dialogue_rupiah": "rupiah",
    "whatsapp_dialogue": "texts",
    "whatsapp_dialogue_rupiah": "rupiah",
}

# The separators of Excel set to Indonesian, in every language of the labels: they are the program's.
_EXCEL_DELIMITER, _EXCEL_DECIMAL = ";", ","
_BYTE_ORDER_MARK = "\ufeff"
_EXCEL_COLUMNS = (
    *("campaign_id", "day", "column_version", "state_column"),
    *("column_group", "column_label", "column_value", "column_unit"),
)
_TOTALS = {"cumulative": "so_far", "target": "target", "corrections": "corrections_total"}
# The phrases of what is counted per day.
_DAY_FIGURES = {"registered_on": "registered_column", "created_on": "", "cumulative_on": "cumulative_column"}
_UNIT_PHRASES = {
    "workers": "unit_people",
    "captures": "unit_forms",
    "corrections": "unit_corrections",
    "rupiah": "unit_rupiah",
    "texts": "unit_sms",
    "parts": "unit_parts",
    "share": "unit_share",
}

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


def render_excel_csv(report: Report, language: Language) -> str:
    """Return the table for Excel set to Indonesian: labels in `language`, times in the campaign's zone."""
    data, localizer = build_report_data(report), Localizer(language)
    t, zone = localizer.translate, data.campaign.zone
    counted_at = data.counted_at.astimezone(ZoneInfo(zone))
    day_columns = (
        _neutralise(data.campaign.campaign_id),
        data.day.isoformat(),
        data.version,
        t(str(data.state)),
    )
    file = io.StringIO()
    file.write(_BYTE_ORDER_MARK)
    writer = csv.writer(file, delimiter=_EXCEL_DELIMITER)
    counted_at_label = t("counted_at", zone=localizer.get_zone_label(zone))
    writer.writerow((*(t(column) for column in _EXCEL_COLUMNS), counted_at_label))
    for figure, key, value, unit in _iter_rows(data):
        group, label = _label_figure(figure, key, data, localizer)
        writer.writerow(
            (
                *day_columns,
                group,
                _neutralise(label),
                str(value).replace(".", _EXCEL_DECIMAL),
                t(_UNIT_PHRASES[unit]),
                f"{counted_at:%Y-%m-%d %H:%M}",
            )
        )
    return file.getvalue()


def _label_figure(figure: str, key: str, data: ReportData, localizer: Localizer) -> tuple[str, str]:
    """Return what a figure is broken down by, empty for a total, and its own label."""
    t = localizer.translate
    if figure in _DAY_FIGURES:
        label = localizer.get_count_label("created") if figure == "created_on" else t(_DAY_FIGURES[figure])
        return f"{t('the_days')}: {label}", key
    if figure in {group.name for group in data.groups}:
        group = data.get_group(figure)
        cell = next(cell for cell in group.cells if cell.key == key)
        label = narrative.get_cell_label(group, cell, localizer)
        # Excel would take 10-19 for October 2019.
        label = t("csv_age", age=label) if figure == "by_age" else label
        return localizer.get_group_label(figure, data.campaign.zone), label
    if figure == "registered" or figure in data.counts:
        return "", localizer.get_count_label(figure)
    if figure in data.money:
        return "", t(f"money_{figure}")
    if figure.startswith(_SMS_PREFIX):
        label = t(f"sms_{figure.removeprefix(_SMS_PREFIX)}")
        return "", f"{t('sms')}: {label}" if figure == "texts_unknown_share" else label
    return "", t(_TOTALS[figure])


def _iter_rows(data: ReportData) -> Iterator[Row]:
    yield "registered", "", data.registered, "workers"
    for name, count in data.counts.items():
        yield name, "", count, "workers" if name == "created" else "captures"
    yield "cumulative", "", data.cumulative, "workers"
    yield "target", "", data.campaign.target, "workers"
    for name, rupiah in data.money.items():
        yield name, "", rupiah, "rupiah"
    if data.corrections:
        yield "corrections", "", data.corrections, "corrections"
    for name, value in data.sms.items():
        yield f"{_SMS_PREFIX}{name}", "", value, _SMS_UNITS[name]
    for group in data.groups:
        unit = {"texts": "texts", "refused_by_reason": "captures"}.get(group.name, "workers")
        for cell in group.cells:
            yield group.name, cell.key, cell.count, unit
    for day in data.curve:
        yield "registered_on", day.day.isoformat(), day.registered, "workers"
        yield "created_on", day.day.isoformat(), day.created, "workers"
        yield "cumulative_on", day.day.isoformat(), day.cumulative, "workers"


def _neutralise(text: str) -> str:
    """Return `text`, quoted if a spreadsheet program would evaluate it; a sign alone is not evaluated."""
    return f"'{text}" if len(text) > 1 and text.startswith(_FORMULA_STARTS) else text
