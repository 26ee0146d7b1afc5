"""The daily mail to a manager: HTML that old mail programs show, the same in plain text, and a workbook.

Everything in it is without small groups.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chalicelib.languages import Language
from chalicelib.rollups.renderings import narrative, xlsx
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import ReportData, build_report_data
from chalicelib.rollups.renderings.small_groups import MIN_GROUP_SIZE, suppress_small_groups
from chalicelib.rollups.renderings.templating import render_report
from chalicelib.rollups.report import Report
from chalicelib.rupiah import format_rupiah

_NO_LINE_BREAK = str.maketrans("\r\n", "  ")


@dataclass(frozen=True)
class Mail:
    """The parts of one mail, and the workbook to attach."""

    subject: str
    html: str
    text: str
    workbook: bytes


def compose(report: Report, language: Language, *, public_url: str = "") -> Mail:
    """Return the mail of a report, with a link to the day's page if the stage knows its own address."""
    data, localizer = suppress_small_groups(build_report_data(report)), Localizer(language)
    campaign = data.campaign
    counted_at = localizer.format_datetime(data.counted_at, campaign.zone)
    totals = list(_iter_totals(data, localizer))
    html, text = (
        render_report(
            template,
            data,
            localizer,
            campaign_line=f"{campaign.name}, {campaign.place}".translate(_NO_LINE_BREAK),
            counted=f"{narrative.describe_version(data, localizer)}. "
            f"{localizer.translate('counted', moment=counted_at)}.",
            unchanged=_describe_unchanged(data, localizer),
            totals=totals,
            total_lines=[f"{label}: {value}" for label, value in totals],
            min_group_size=MIN_GROUP_SIZE,
            page_url=public_url and _build_page_url(public_url, report),
        )
        for template in ("mail.html.j2", "mail.txt.j2")
    )
    return Mail(
        subject=_build_subject(data, localizer),
        html=html,
        text=text,
        workbook=xlsx.render_report_data(data, language),
    )


def _build_page_url(public_url: str, report: Report) -> str:
    """Return the address of the day's page at the console, which asks for the manager's token."""
    summary = report.summary
    return f"{public_url.rstrip('/')}/console#/campaigns/{summary.campaign_id}/days/{summary.day}"


def _build_subject(data: ReportData, localizer: Localizer) -> str:
    return localizer.translate(
        "mail_subject",
        state=localizer.translate(str(data.state)),
        created=localizer.format_number(data.registered),
        campaign=data.campaign.name,
        day=localizer.format_day(data.day),
    ).translate(_NO_LINE_BREAK)


def _describe_unchanged(data: ReportData, localizer: Localizer) -> str:
    if data.version == 1:
        return localizer.translate("first_version")
    return localizer.translate("first_report" if data.is_first else "nothing_changed")


def _iter_totals(data: ReportData, localizer: Localizer) -> Iterator[tuple[str, str]]:
    yield from narrative.iter_totals(data, localizer)
    if data.sms:
        yield localizer.translate("sms_rupiah"), format_rupiah(int(data.sms["rupiah"]))
    if "unknown_share" in data.sms:
        label = f"{localizer.translate('sms')}: {localizer.translate('sms_unknown_share')}"
        yield label, localizer.format_share(float(data.sms["unknown_share"]))
