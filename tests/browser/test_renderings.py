"""The page, the mail and the board in a real browser."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from chalicelib.languages import LANGUAGES
from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.renderings import board, html, mail
from tests.browser.conftest import BrowserPage
from tests.support.report_builders import make_report

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
    browser_page: BrowserPage, rendering: str, language: str, colours: str
) -> None:
    browser_page.page.emulate_media(color_scheme=colours)
    browser_page.page.set_content(RENDERED[rendering](make_report(), language))

    assert browser_page.find_violations() == []
    assert browser_page.errors == []


@pytest.mark.parametrize("rendering", ["page", "mail"])
def test_a_final_day_is_accessible_too(browser_page: BrowserPage, rendering: str) -> None:
    report = make_report(summary={"state": SummaryState.FINAL, "version": 1, "changes": [], "notes": []})
    browser_page.page.set_content(RENDERED[rendering](report, "id"))

    assert browser_page.find_violations() == []


@pytest.mark.parametrize("rendering", RENDERED)
@pytest.mark.parametrize("name", ["Aktivasi Pasar Tanah Abang", LONG])
def test_a_rendering_is_never_wider_than_the_window(
    browser_page: BrowserPage, rendering: str, name: str
) -> None:
    report = make_report(campaign={"name": name, "place": name}, summary={"by_officer": {"o" * 40: 157}})
    for width in WIDTHS:
        browser_page.page.set_viewport_size({"width": width, "height": 800})
        browser_page.page.set_content(RENDERED[rendering](report, "id"))
        assert browser_page.measure_overflow() == 0, f"at {width} pixels"


def test_the_page_is_whole_without_scripts_and_without_the_network(browser_page: BrowserPage) -> None:
    asked = []
    browser_page.page.on("request", lambda request: asked.append(request.url))
    browser_page.page.set_content(html.render_html(make_report(), "id"))

    assert browser_page.page.get_by_role("heading", level=1).inner_text().endswith("Kamis, 10 Oktober 2024")
    assert browser_page.page.get_by_role("table", name="Menurut pekerjaan").get_by_role("row").count() == 13
    assert browser_page.page.get_by_role("rowheader", name="Porter").is_visible()
    assert asked == []


def test_headings_follow_one_another(browser_page: BrowserPage) -> None:
    for rendering in RENDERED.values():
        browser_page.page.set_content(rendering(make_report(), "id"))
        levels = browser_page.page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])"
        )
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_printed_page_is_dark_on_white_whatever_the_screen_is_like(browser_page: BrowserPage) -> None:
    for rendering in ("page", "board"):
        browser_page.page.emulate_media(media="print", color_scheme="dark")
        browser_page.page.set_content(RENDERED[rendering](make_report(), "id"))
        paper = browser_page.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        assert browser_page.find_violations() == []


def test_a_screen_at_the_branch_shows_the_whole_board_at_once(browser_page: BrowserPage) -> None:
    for width, height in ((1280, 720), (1366, 768), (1920, 1080)):
        browser_page.page.set_viewport_size({"width": width, "height": height})
        browser_page.page.set_content(board.render_board(make_report(), "id"))
        assert browser_page.page.evaluate("document.documentElement.scrollHeight") <= height
        large = browser_page.page.locator(".huge").evaluate(
            "each => parseFloat(getComputedStyle(each).fontSize)"
        )
        assert large > height / 4
