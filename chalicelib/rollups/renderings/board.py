"""The board of a running campaign: few figures, large, for a screen at the branch.

The page with figures is whole without its script. The script fetches it anew with the token that was typed
once, and puts the fresh figures in the place of the old; the page that asks for the token has no figures.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path

from chalicelib.languages import Language
from chalicelib.rollups.renderings import charts, narrative
from chalicelib.rollups.renderings.i18n import Localizer
from chalicelib.rollups.renderings.markup import Markup, element, verbatim
from chalicelib.rollups.renderings.report_data import Group, ReportData, build_report_data
from chalicelib.rollups.report import Report

_SECONDS_BETWEEN_LOOKS = 30
# More would not be read from across a room.
_MOST_DEVICES = 6

_HERE = Path(__file__).parent
# From the asking page, and from the board itself: each is refreshed from the same place.
_FROM_DOOR, _FROM_BOARD = "v1/campaigns/{campaign_id}/board", "../{campaign_id}/board"


def render_board(report: Report, language: Language) -> str:
    """The board, as it stands."""
    figures, speech = build_report_data(report), Localizer(language)
    title = speech.translate("board", campaign=figures.campaign.name)
    return _document(title, _figures(figures, speech), speech, address=_FROM_BOARD)


def render_sign_in(language: Language) -> str:
    """The page that asks for a campaign and a token, and then shows its board."""
    speech = Localizer(language)
    return _document(speech.translate("board_plain"), _form(speech), speech, address=_FROM_DOOR)


@cache
def get_script_hash() -> str:
    """What a content security policy knows the script by."""
    return f"sha256-{b64encode(sha256(_read('board.js').encode()).digest()).decode()}"


@cache
def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _document(title: str, main: Markup, speech: Localizer, *, address: str) -> str:
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


def _form(speech: Localizer) -> Markup:
    fields = {"campaign": ("board_campaign", "text"), "token": ("board_token", "password")}
    return element(
        "main",
        element("header", element("h1", speech.translate("board_plain"))),
        element(
            "form",
            [
                element(
                    "label",
                    speech.translate(words),
                    element("input", name=name, type=kind, required=True, autocomplete="off"),
                )
                for name, (words, kind) in fields.items()
            ],
            element("button", speech.translate("board_open")),
            element("p", speech.translate("board_token_kept")),
            _note("refused", speech),
            _note("stale", speech),
            element("noscript", element("p", speech.translate("board_scripts"))),
        ),
    )


def _note(name: str, speech: Localizer) -> Markup:
    words = speech.translate(f"board_{name}")
    return element("p", words, class_="alarm", role="status", data_note=name, hidden=True)


def _figures(figures: ReportData, speech: Localizer) -> Markup:
    campaign = figures.campaign
    return element(
        "main",
        element(
            "header",
            element("h1", campaign.name),
            element("p", f"{campaign.place} · {speech.format_day(figures.day)}"),
        ),
        element("div", _today(figures, speech), _beside(figures, speech), class_="halves"),
        element(
            "footer",
            element(
                "p",
                speech.translate("board_last", time=speech.format_time(figures.counted_at, campaign.zone)),
            ),
            _note("stale", speech),
        ),
    )


def _today(figures: ReportData, speech: Localizer) -> Markup:
    counted_on = figures.campaign.local_day(figures.counted_at)
    words = (
        speech.translate("board_today")
        if counted_on == figures.day
        else speech.translate("board_on", day=speech.format_day_without_year(figures.day))
    )
    return element(
        "section",
        element("span", speech.format_number(figures.created), class_="huge"),
        element("p", words, class_="what"),
    )


def _beside(figures: ReportData, speech: Localizer) -> Markup:
    share = figures.share_of_target
    return element(
        "div",
        element(
            "section",
            element("h2", speech.translate("board_in_all")),
            element("p", narrative.describe_progress(figures, speech), class_="sum"),
            charts.bar(share, kind="rail") if share is not None else None,
            element("p", narrative.describe_remaining(figures, speech)),
        ),
        _devices(figures.group("by_client"), figures, speech),
        _hours(figures.group("by_hour"), figures, speech),
        class_="stack",
    )


def _devices(group: Group, figures: ReportData, speech: Localizer) -> Markup | None:
    if not group.cells:
        return None
    return element(
        "table",
        element("caption", speech.get_group_label(group.name, figures.campaign.zone)),
        element(
            "tbody",
            [
                element(
                    "tr",
                    element("th", cell.key, scope="row"),
                    element("td", speech.format_number(cell.count), class_="number"),
                    element("td", charts.bar(cell.count / group.max_count), class_="length"),
                )
                for cell in group.cells[:_MOST_DEVICES]
            ],
        ),
    )


def _hours(group: Group, figures: ReportData, speech: Localizer) -> Markup | None:
    if not group.cells:
        return None
    name = speech.get_group_label(group.name, figures.campaign.zone)
    told = ", ".join(f"{speech.get_cell_label(group.name, cell.key)}: {cell.count}" for cell in group.cells)
    return element("section", element("h2", name), charts.columns(group, f"{name}. {told}"))
