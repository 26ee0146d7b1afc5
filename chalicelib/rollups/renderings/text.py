"""The one text message that a manager gets: a single part, whatever the campaign is called."""

from chalicelib.notifications.gsm7 import SEGMENT_SEPTETS, septets, transliterated
from chalicelib.rollups.renderings.figures import Figures, figures_of
from chalicelib.rollups.renderings.words import Language, Speech
from chalicelib.rollups.report import Report

_CUT = "..."


def words(report: Report, language: Language) -> str:
    """The day's total, the campaign's, and how sure they are. A long name gives way to the figures."""
    figures, speech = figures_of(report), Speech(language)
    name = transliterated(" ".join(figures.campaign.name.split()))
    room = SEGMENT_SEPTETS - septets(_message("", figures, speech))
    return _message(_shortened(name, room), figures, speech)


def _message(name: str, figures: Figures, speech: Speech) -> str:
    revised = len(figures.revisions)
    message = speech.say(
        "text_message",
        campaign=name,
        day=speech.short_day(figures.day),
        created=speech.number(figures.created),
        progress=_progress(figures, speech),
        state=speech.say(str(figures.state)),
        revised=speech.say("text_revised", count=revised) if revised else "",
    )
    return transliterated(message)


def _progress(figures: Figures, speech: Speech) -> str:
    cumulative = speech.number(figures.cumulative)
    if not figures.campaign.target:
        return speech.say("text_no_target", cumulative=cumulative)
    target = speech.number(figures.campaign.target)
    return speech.say("text_progress", cumulative=cumulative, target=target)


def _shortened(name: str, room: int) -> str:
    if septets(name) <= room:
        return name
    while septets(name) > room - len(_CUT):
        name = name[:-1]
    return f"{name.rstrip()}{_CUT}"
