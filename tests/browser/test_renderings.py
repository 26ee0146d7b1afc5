"""The page, the mail and the board in a real browser."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.renderings import board, html, mail
from chalicelib.rollups.renderings.words import LANGUAGES
from tests.browser.conftest import BrowserPage
from tests.rollups.reports import make_report

RENDERED: dict[str, Callable[..., str]] = {
    "page": html.render_html,
    "mail": lambda report, language: mail.compose(report, language).html,
    "board": board.render_board,
    "door": lambda report, language: board.render_sign_in(language),
}
WIDTHS = (320, 360, 412, 768, 1024, 1280, 1440)
LONG = "Aktivasi-Pasar-Tanah-Abang-" * 4


@pytest.mark.parametrize(
    ("rendering", "language", "colours"),
    [
        *(("page", language, colours) for language in LANGUAGES for colours in ("light", "dark")),
        *(("mail", language, "light") for language in LANGUAGES),
        *((rendering, "id", "dark") for rendering in ("board", "door")),
    ],
)
def test_a_rendering_is_accessible_and_runs_without_an_error(
    shown: BrowserPage, rendering: str, language: str, colours: str
) -> None:
    shown.page.emulate_media(color_scheme=colours)
    shown.page.set_content(RENDERED[rendering](make_report(), language))

    assert shown.find_violations() == []
    assert shown.errors == []


@pytest.mark.parametrize("rendering", ["page", "mail"])
def test_a_final_day_is_accessible_too(shown: BrowserPage, rendering: str) -> None:
    report = make_report(summary={"state": SummaryState.FINAL, "version": 1, "changes": [], "notes": []})
    shown.page.set_content(RENDERED[rendering](report, "id"))

    assert shown.find_violations() == []


@pytest.mark.parametrize("rendering", RENDERED)
@pytest.mark.parametrize("name", ["Aktivasi Pasar Tanah Abang", LONG])
def test_a_rendering_is_never_wider_than_the_window(shown: BrowserPage, rendering: str, name: str) -> None:
    report = make_report(campaign={"name": name, "place": name}, summary={"by_officer": {"o" * 40: 157}})
    for width in WIDTHS:
        shown.page.set_viewport_size({"width": width, "height": 800})
        shown.page.set_content(RENDERED[rendering](report, "id"))
        assert shown.measure_overflow() == 0, f"at {width} pixels"


def test_the_page_is_whole_without_scripts_and_without_the_network(shown: BrowserPage) -> None:
    asked = []
    shown.page.on("request", lambda request: asked.append(request.url))
    shown.page.set_content(html.render_html(make_report(), "id"))

    assert shown.page.get_by_role("heading", level=1).inner_text().endswith("Kamis, 10 Oktober 2024")
    assert shown.page.get_by_role("table", name="Menurut pekerjaan").get_by_role("row").count() == 13
    assert shown.page.get_by_role("rowheader", name="Porter").is_visible()
    assert asked == []


def test_headings_follow_one_another(shown: BrowserPage) -> None:
    for rendering in RENDERED.values():
        shown.page.set_content(rendering(make_report(), "id"))
        levels = shown.page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_printed_page_is_dark_on_white_whatever_the_screen_is_like(shown: BrowserPage) -> None:
    for rendering in ("page", "board"):
        shown.page.emulate_media(media="print", color_scheme="dark")
        shown.page.set_content(RENDERED[rendering](make_report(), "id"))
        paper = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        assert shown.find_violations() == []


def test_a_screen_at_the_branch_shows_the_whole_board_at_once(shown: BrowserPage) -> None:
    for width, height in ((1280, 720), (1366, 768), (1920, 1080)):
        shown.page.set_viewport_size({"width": width, "height": height})
        shown.page.set_content(board.render_board(make_report(), "id"))
        assert shown.page.evaluate("document.documentElement.scrollHeight") <= height
        large = shown.page.locator(".huge").evaluate("each => parseFloat(getComputedStyle(each).fontSize)")
        assert large > height / 4
