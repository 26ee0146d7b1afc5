"""The page, the mail and the board in a real browser."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from chalicelib.rollups.model import State
from chalicelib.rollups.renderings import board, html, mail
from chalicelib.rollups.renderings.words import LANGUAGES
from tests.browser.conftest import Shown
from tests.rollups.reports import a_report

RENDERED: dict[str, Callable[..., str]] = {
    "page": html.page,
    "mail": lambda report, language: mail.compose(report, language).html,
    "board": board.page,
    "door": lambda report, language: board.door(language),
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
    shown: Shown, rendering: str, language: str, colours: str
) -> None:
    shown.page.emulate_media(color_scheme=colours)
    shown.page.set_content(RENDERED[rendering](a_report(), language))

    assert shown.violations() == []
    assert shown.wrong == []


@pytest.mark.parametrize("rendering", ["page", "mail"])
def test_a_final_day_is_accessible_too(shown: Shown, rendering: str) -> None:
    report = a_report(summary={"state": State.FINAL, "version": 1, "changes": [], "notes": []})
    shown.page.set_content(RENDERED[rendering](report, "id"))

    assert shown.violations() == []


@pytest.mark.parametrize("rendering", RENDERED)
@pytest.mark.parametrize("name", ["Aktivasi Pasar Tanah Abang", LONG])
def test_a_rendering_is_never_wider_than_the_window(shown: Shown, rendering: str, name: str) -> None:
    report = a_report(campaign={"name": name, "place": name}, summary={"by_officer": {"o" * 40: 157}})
    for width in WIDTHS:
        shown.page.set_viewport_size({"width": width, "height": 800})
        shown.page.set_content(RENDERED[rendering](report, "id"))
        assert shown.overflow() == 0, f"at {width} pixels"


def test_the_page_is_whole_without_scripts_and_without_the_network(shown: Shown) -> None:
    asked = []
    shown.page.on("request", lambda request: asked.append(request.url))
    shown.page.set_content(html.page(a_report(), "id"))

    assert shown.page.get_by_role("heading", level=1).inner_text().endswith("Kamis, 10 Oktober 2024")
    assert shown.page.get_by_role("table", name="Menurut pekerjaan").get_by_role("row").count() == 13
    assert shown.page.get_by_role("rowheader", name="Porter").is_visible()
    assert asked == []


def test_headings_follow_one_another(shown: Shown) -> None:
    for rendering in RENDERED.values():
        shown.page.set_content(rendering(a_report(), "id"))
        levels = shown.page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])")
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_printed_page_is_dark_on_white_whatever_the_screen_is_like(shown: Shown) -> None:
    for rendering in ("page", "board"):
        shown.page.emulate_media(media="print", color_scheme="dark")
        shown.page.set_content(RENDERED[rendering](a_report(), "id"))
        paper = shown.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        assert shown.violations() == []


def test_a_screen_at_the_branch_shows_the_whole_board_at_once(shown: Shown) -> None:
    for width, height in ((1280, 720), (1366, 768), (1920, 1080)):
        shown.page.set_viewport_size({"width": width, "height": height})
        shown.page.set_content(board.page(a_report(), "id"))
        assert shown.page.evaluate("document.documentElement.scrollHeight") <= height
        large = shown.page.locator(".huge").evaluate("each => parseFloat(getComputedStyle(each).fontSize)")
        assert large > height / 4
