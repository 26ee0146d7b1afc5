"""The page, the mail and the board in a real browser."""

from collections.abc import Callable
from itertools import pairwise
from typing import Literal

import pytest

from chalicelib.languages import LANGUAGES, Language
from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.renderings import board, html, mail
from chalicelib.rollups.report import Report
from tests.browser.conftest import BrowserPage
from tests.support.report_builders import make_report

RENDERERS: dict[str, Callable[[Report, Language], str]] = {
    "page": html.render_html,
    "mail": lambda report, language: mail.compose(report, language).html,
    "board": board.render_board,
    "sign_in": lambda report, language: board.render_sign_in(language),
}
WIDTHS = (320, 360, 412, 768, 1024, 1280, 1440)
LONG = "Aktivasi-Pasar-Tanah-Abang-" * 4


@pytest.mark.parametrize(
    ("rendering", "language", "colours"),
    [
        *(("page", language, colours) for language in LANGUAGES for colours in ("light", "dark")),
        *(("mail", language, "light") for language in LANGUAGES),
        *((rendering, "id", "dark") for rendering in ("board", "sign_in")),
    ],
)
def test_a_document_is_accessible_and_has_no_script_error(
    browser_page: BrowserPage, rendering: str, language: Language, colours: Literal["light", "dark"]
) -> None:
    browser_page.page.emulate_media(color_scheme=colours)
    browser_page.page.set_content(RENDERERS[rendering](make_report(), language))

    assert browser_page.find_violations() == []
    assert browser_page.errors == []


@pytest.mark.parametrize("rendering", ["page", "mail"])
def test_a_final_day_is_accessible_too(browser_page: BrowserPage, rendering: str) -> None:
    report = make_report(summary={"state": SummaryState.FINAL, "version": 1, "changes": [], "notes": []})
    browser_page.page.set_content(RENDERERS[rendering](report, "id"))

    assert browser_page.find_violations() == []


@pytest.mark.parametrize("rendering", RENDERERS)
@pytest.mark.parametrize("name", ["Aktivasi Pasar Tanah Abang", LONG])
def test_a_document_is_never_wider_than_the_window(
    browser_page: BrowserPage, rendering: str, name: str
) -> None:
    officers = {"o" * 40: 150, "p" * 40: 7}
    report = make_report(
        campaign={"name": name, "place": name},
        summary={"by_officer": officers, "by_client": {"c" * 40: 12_157}},
    )
    for width in WIDTHS:
        browser_page.page.set_viewport_size({"width": width, "height": 800})
        browser_page.page.set_content(RENDERERS[rendering](report, "id"))
        assert browser_page.measure_overflow() == 0, f"at {width} pixels"


def test_the_page_needs_neither_scripts_nor_the_network(browser_page: BrowserPage) -> None:
    requested = []
    browser_page.page.on("request", lambda request: requested.append(request.url))
    browser_page.page.set_content(html.render_html(make_report(), "id"))

    assert browser_page.page.get_by_role("heading", level=1).inner_text().endswith("Kamis, 10 Oktober 2024")
    assert browser_page.page.get_by_role("table", name="Menurut pekerjaan").get_by_role("row").count() == 6
    assert browser_page.page.get_by_role("rowheader", name="Porter").is_visible()
    assert requested == []


def test_folded_rows_are_shown_on_request_without_a_script(browser_page: BrowserPage) -> None:
    browser_page.page.set_content(html.render_html(make_report(), "id"))
    folded = browser_page.page.get_by_role("rowheader", name="Pemulung")
    assert not folded.is_visible()

    browser_page.page.get_by_text("7 lainnya: Menurut pekerjaan").click()
    assert folded.is_visible()
    assert browser_page.find_violations() == []


def test_folded_rows_are_printed(browser_page: BrowserPage) -> None:
    browser_page.page.set_content(html.render_html(make_report(), "id"))
    browser_page.page.emulate_media(media="print")
    rows = browser_page.page.locator("tbody tr")

    assert rows.count() > 50
    assert [row.inner_text() for row in rows.all() if not row.is_visible()] == []
    assert browser_page.page.locator("summary:visible").count() == 0


def test_the_columns_of_folded_rows_stand_under_those_that_are_shown(browser_page: BrowserPage) -> None:
    browser_page.page.set_content(html.render_html(make_report(), "id"))
    browser_page.page.get_by_text("7 lainnya: Menurut pekerjaan").click()
    cells = browser_page.page.get_by_role("table", name="Menurut pekerjaan").locator("tbody .number")
    boxes = [cell.bounding_box() for cell in cells.all()]

    assert len(boxes) == 12
    assert len({(box["x"], box["width"]) for box in boxes if box}) == 1


def test_no_heading_level_is_skipped(browser_page: BrowserPage) -> None:
    for render_document in RENDERERS.values():
        browser_page.page.set_content(render_document(make_report(), "id"))
        levels = browser_page.page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3')].map(h => +h.tagName[1])"
        )
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


def test_a_printed_page_is_dark_on_white_in_dark_mode_too(browser_page: BrowserPage) -> None:
    for rendering in ("page", "board"):
        browser_page.page.emulate_media(media="print", color_scheme="dark")
        browser_page.page.set_content(RENDERERS[rendering](make_report(), "id"))
        paper = browser_page.page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        assert browser_page.find_violations() == []


def test_the_whole_board_fits_a_branch_screen(browser_page: BrowserPage) -> None:
    for width, height in ((1280, 720), (1366, 768), (1920, 1080)):
        browser_page.page.set_viewport_size({"width": width, "height": height})
        browser_page.page.set_content(board.render_board(make_report(), "id"))
        assert browser_page.page.evaluate("document.documentElement.scrollHeight") <= height
        large = browser_page.page.locator(".huge").evaluate(
            "each => parseFloat(getComputedStyle(each).fontSize)"
        )
        assert large > height / 4
