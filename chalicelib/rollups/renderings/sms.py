"""The report SMS to a manager: always a single part, however long the campaign's name is."""

from chalicelib.filtered_text import shorten_filtered_words
from chalicelib.languages import Language
from chalicelib.messaging.content import BRAND, make_harmless
from chalicelib.messaging.gsm7 import SEGMENT_SEPTETS, count_septets, transliterate
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import ReportData, build_report_data
from chalicelib.rollups.report import Report

_ELLIPSIS = "..."


def render_body(report: Report, language: Language) -> str:
    """Return the totals of the day and the campaign, and their state, after the sender's brand.

    The campaign's name is made harmless, and cut if it is too long for one part.
    """
    data, localizer = build_report_data(report), Localizer(language)
    name = " ".join(make_harmless(data.campaign.name).split())
    room = SEGMENT_SEPTETS - count_septets(_fill_template("", data, localizer))
    return _fill_template(_shorten(name, room), data, localizer)


def _fill_template(name: str, data: ReportData, localizer: Localizer) -> str:
    revised = len(data.revisions)
    body = localizer.translate(
        "sms_body",
        brand=BRAND,
        campaign=name,
        day=localizer.format_short_day(data.day),
        created=localizer.format_number(data.registered),
        progress=_describe_progress(data, localizer),
        state=localizer.translate(str(data.state)),
        revised=localizer.translate("sms_revised", count=revised) if revised else "",
    )
    return transliterate(body)


def _describe_progress(data: ReportData, localizer: Localizer) -> str:
    cumulative = localizer.format_number(data.cumulative)
    if not data.campaign.target:
        return localizer.translate("sms_no_target", cumulative=cumulative)
    target = localizer.format_number(data.campaign.target)
    return localizer.translate("sms_progress", cumulative=cumulative, target=target)


def _shorten(name: str, room: int) -> str:
    if count_septets(name) <= room:
        return name
    while count_septets(name) > room - len(_ELLIPSIS):
        name = name[:-1]
    return shorten_filtered_words(f"{name.rstrip()}{_ELLIPSIS}")
