"""The board of a running campaign: few figures, large, for a screen at the branch.

The page with figures is whole without its script. The script fetches it anew with the token that was typed
once, and puts the fresh figures in the place of the old; the page that asks for the token has no figures.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from chalicelib.rollups.renderings import charts, telling
from chalicelib.rollups.renderings.figures import Figures, Group, figures_of
from chalicelib.rollups.renderings.markup import Markup, element, verbatim
from chalicelib.rollups.renderings.words import Language, Speech
from chalicelib.rollups.report import Report

_SECONDS_BETWEEN_LOOKS = 30
# More would not be read from across a room.
_MOST_DEVICES = 6

_HERE = Path(__file__).parent
# From the asking page, and from the board itself: each is refreshed from the same place.
_FROM_DOOR, _FROM_BOARD = "v1/campaigns/{campaign_id}/board", "../{campaign_id}/board"


def page(report: Report, language: Language) -> str:
    """The board, as it stands."""
    figures, speech = figures_of(report), Speech(language)
    title = speech.say("board", campaign=figures.campaign.name)
    return _document(title, _figures(figures, speech), speech, address=_FROM_BOARD)


def door(language: Language) -> str:
    """The page that asks for a campaign and a token, and then shows its board."""
    speech = Speech(language)
    return _document(speech.say("board_plain"), _form(speech), speech, address=_FROM_DOOR)


@cache
def script_hash() -> str:
    """What a content security policy knows the script by."""
    return f"sha256-{b64encode(sha256(_read('board.js').encode()).digest()).decode()}"


@cache
def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _document(title: str, main: Markup, speech: Speech, *, address: str) -> str:
    return "<!doctype html>\n" + element(
        "html",
        element(
            "head",
            element("meta", charset="utf-8"),
            element("meta", name="viewport", content="width=device-width, initial-scale=1"),
            element("title", title),
            element("style", verbatim(_read("board.css"))),
        ),
        element(
            "body",
            main,
            element("script", verbatim(_read("board.js"))),
            data_address=address,
            data_seconds=_SECONDS_BETWEEN_LOOKS,
        ),
        lang=speech.language,
    )


def _form(speech: Speech) -> Markup:
    fields = {"campaign": ("board_campaign", "text"), "token": ("board_token", "password")}
    return element(
        "main",
        element("header", element("h1", speech.say("board_plain"))),
        element(
            "form",
            [
                element(
                    "label",
                    speech.say(words),
                    element("input", name=name, type=kind, required=True, autocomplete="off"),
                )
                for name, (words, kind) in fields.items()
            ],
            element("button", speech.say("board_open")),
            element("p", speech.say("board_token_kept")),
            _note("refused", speech),
            _note("stale", speech),
            element("noscript", element("p", speech.say("board_scripts"))),
        ),
    )


def _note(name: str, speech: Speech) -> Markup:
    words = speech.say(f"board_{name}")
    return element("p", words, class_="alarm", role="status", data_note=name, hidden=True)


def _figures(figures: Figures, speech: Speech) -> Markup:
    campaign = figures.campaign
    return element(
        "main",
        element(
            "header",
            element("h1", campaign.name),
            element("p", f"{campaign.place} · {speech.day(figures.day)}"),
        ),
        element("div", _today(figures, speech), _beside(figures, speech), class_="halves"),
        element(
            "footer",
            element("p", speech.say("board_last", time=speech.time(figures.counted_at, campaign.zone))),
            _note("stale", speech),
        ),
    )


def _today(figures: Figures, speech: Speech) -> Markup:
    counted_on = figures.campaign.local_day(figures.counted_at)
    words = (
        speech.say("board_today")
        if counted_on == figures.day
        else speech.say("board_on", day=speech.day_of_year(figures.day))
    )
    return element(
        "section",
        element("span", speech.number(figures.created), class_="huge"),
        element("p", words, class_="what"),
    )


def _beside(figures: Figures, speech: Speech) -> Markup:
    share = figures.share_of_target
    return element(
        "div",
        element(
            "section",
            element("h2", speech.say("board_in_all")),
            element("p", telling.progress(figures, speech), class_="sum"),
            charts.bar(share, kind="rail") if share is not None else None,
            element("p", telling.missing(figures, speech)),
        ),
        _devices(figures.group("by_client"), figures, speech),
        _hours(figures.group("by_hour"), figures, speech),
        class_="stack",
    )


def _devices(group: Group, figures: Figures, speech: Speech) -> Markup | None:
    if not group.cells:
        return None
    return element(
        "table",
        element("caption", speech.group(group.name, figures.campaign.zone)),
        element(
            "tbody",
            [
                element(
                    "tr",
                    element("th", cell.key, scope="row"),
                    element("td", speech.number(cell.count), class_="number"),
                    element("td", charts.bar(cell.count / group.most), class_="length"),
                )
                for cell in group.cells[:_MOST_DEVICES]
            ],
        ),
    )


def _hours(group: Group, figures: Figures, speech: Speech) -> Markup | None:
    if not group.cells:
        return None
    name = speech.group(group.name, figures.campaign.zone)
    told = ", ".join(f"{speech.label(group.name, cell.key)}: {cell.count}" for cell in group.cells)
    return element("section", element("h2", name), charts.columns(group, f"{name}. {told}"))
