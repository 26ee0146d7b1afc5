"""The page of a campaign day: self-contained, without scripts, for phones, desktops and printers."""

from chalicelib.languages import Language
from chalicelib.rollups.renderings import charts, narrative
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import ReportData, build_report_data
from chalicelib.rollups.renderings.templating import render_report
from chalicelib.rollups.report import Report
from chalicelib.rupiah import format_rupiah

# A campaign may last a year; the chart has all of its days, the table the newest.
_MAX_TABLE_DAYS = 31


def render_html(report: Report, language: Language) -> str:
    data, localizer = build_report_data(report), Localizer(language)
    return render_report(
        "page.html.j2",
        data,
        localizer,
        totals=list(narrative.iter_totals(data, localizer)),
        curve=charts.build_curve(data, localizer),
        max_table_days=_MAX_TABLE_DAYS,
        sms_cost=_describe_sms_cost(data, localizer),
    )


def _describe_sms_cost(data: ReportData, localizer: Localizer) -> str:
    if not data.sms:
        return ""
    figures = {
        "sms_rupiah": format_rupiah(int(data.sms["rupiah"])),
        "sms_parts": localizer.format_number(int(data.sms["parts"])),
        "sms_unknown_share": localizer.format_share(float(data.sms["unknown_share"])),
    }
    return " · ".join(f"{localizer.translate(phrase)}: {value}" for phrase, value in figures.items())
