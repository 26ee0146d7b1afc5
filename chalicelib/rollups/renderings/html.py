"""The page of a campaign day: self-contained, without scripts, for phones, desktops and printers."""

from collections.abc import Sequence

from chalicelib.languages import Language
from chalicelib.rollups.renderings import charts, narrative
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import Cell, Group, ReportData, build_report_data
from chalicelib.rollups.renderings.templating import render_report
from chalicelib.rollups.report import Report
from chalicelib.rupiah import format_rupiah

# The rows of a table that are shown before the reader asks for the others.
_SHOWN_ROWS = 5
# A campaign may last a year; the chart has all of its days, the table the newest.
_MAX_TABLE_DAYS = 31


def render_html(report: Report, language: Language) -> str:
    data, localizer = build_report_data(report), Localizer(language)
    days = data.curve[-_MAX_TABLE_DAYS:]
    shown_days = _count_shown(len(days))
    return render_report(
        "page.html.j2",
        data,
        localizer,
        totals=list(narrative.iter_totals(data, localizer)),
        curve=charts.build_curve(data, localizer),
        earlier_days=days[:-shown_days],
        newest_days=days[-shown_days:],
        fold=fold,
        sms_cost=_describe_sms_cost(data, localizer),
    )


def fold(group: Group) -> tuple[Sequence[Cell], Sequence[Cell]]:
    """Return the five largest cells of a breakdown, and the others, both in their order.

    A sixth one that would be the only other is shown too: folded it would take the same place.
    """
    by_size = sorted(enumerate(group.cells), key=lambda numbered: -numbered[1].count)
    shown = {index for index, _ in by_size[: _count_shown(len(group.cells))]}
    return (
        [cell for index, cell in enumerate(group.cells) if index in shown],
        [cell for index, cell in enumerate(group.cells) if index not in shown],
    )


def _count_shown(rows: int) -> int:
    return rows if rows == _SHOWN_ROWS + 1 else _SHOWN_ROWS


def _describe_sms_cost(data: ReportData, localizer: Localizer) -> str:
    if not data.sms:
        return ""
    figures = {
        "sms_rupiah": format_rupiah(int(data.sms["rupiah"])),
        "sms_parts": localizer.format_number(int(data.sms["parts"])),
        "sms_unknown_share": localizer.format_share(float(data.sms["unknown_share"])),
    }
    return " · ".join(f"{localizer.translate(phrase)}: {value}" for phrase, value in figures.items())
