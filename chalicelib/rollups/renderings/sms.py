"""The one text message that a manager gets: a single part, whatever the campaign is called."""

from chalicelib.languages import Language
from chalicelib.messaging.gsm7 import SEGMENT_SEPTETS, count_septets, transliterate
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.report_data import ReportData, build_report_data
from chalicelib.rollups.report import Report

_CUT = "..."


def render_body(report: Report, language: Language) -> str:
    """The day's total, the campaign's, and how sure they are. A long name gives way to the figures."""
    figures, speech = build_report_data(report), Localizer(language)
    name = transliterate(" ".join(figures.campaign.name.split()))
    room = SEGMENT_SEPTETS - count_septets(_message("", figures, speech))
    return _message(_shortened(name, room), figures, speech)


def _message(name: str, figures: ReportData, speech: Localizer) -> str:
    revised = len(figures.revisions)
    message = speech.translate(
        "text_message",
        campaign=name,
        day=speech.format_short_day(figures.day),
        created=speech.format_number(figures.created),
        progress=_progress(figures, speech),
        state=speech.translate(str(figures.state)),
        revised=speech.translate("text_revised", count=revised) if revised else "",
    )
    return transliterate(message)


def _progress(figures: ReportData, speech: Localizer) -> str:
    cumulative = speech.format_number(figures.cumulative)
    if not figures.campaign.target:
        return speech.translate("text_no_target", cumulative=cumulative)
    target = speech.format_number(figures.campaign.target)
    return speech.translate("text_progress", cumulative=cumulative, target=target)


def _shortened(name: str, room: int) -> str:
    if count_septets(name) <= room:
        return name
    while count_septets(name) > room - len(_CUT):
        name = name[:-1]
    return f"{name.rstrip()}{_CUT}"
