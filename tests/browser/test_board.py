"""The board in a browser: the token is typed once, the figures change by themselves, no address tells it."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Route

from chalicelib.http.endpoints import build_page_headers
from chalicelib.rollups.model import Counts
from chalicelib.rollups.renderings import board
from tests.browser.conftest import BrowserPage
from tests.support.report_builders import make_report

# Nobody is asked: every request of the page is answered here. API Gateway puts a stage, `/api`, first.
STAGE = "http://daftar.localhost/api"
TOKEN = "daftar_typed-once"


@dataclass
class Service:
    """Answers as the API would, and remembers what it was asked."""

    created: int = 157
    refuses: bool = False
    is_gone: bool = False
    asked: list[Request] = field(default_factory=list)

    def answer(self, route: Route) -> None:
        self.asked.append(route.request)
        path = urlsplit(route.request.url).path
        if self.is_gone:
            route.abort()
        elif path == "/api/board":
            self._give(route, board.render_sign_in("id"))
        elif self.refuses or route.request.headers.get("authorization") != f"Bearer {TOKEN}":
            route.fulfill(status=401, content_type="application/problem+json", body="{}")
        elif path == "/api/v1/campaigns/tanah-abang-2024/board":
            self._give(route, board.render_board(self._report(), "id"))
        else:
            route.fulfill(status=404, body="")

    def _report(self) -> object:
        counts = Counts(captures=0, created=self.created, already_registered=0, reactivated=0, refused=0)
        return make_report(summary={"counts": counts})

    def _give(self, route: Route, page: str) -> None:
        headers = build_page_headers(board.get_script_hash())
        route.fulfill(status=200, content_type="text/html; charset=utf-8", headers=headers, body=page)


@pytest.fixture
def board_server(browser_page: BrowserPage) -> Service:
    board_server = Service()
    browser_page.page.route("**/*", board_server.answer)
    browser_page.page.clock.install()
    return board_server


def log_in(page: Page, token: str = TOKEN) -> None:
    page.goto(f"{STAGE}/board#tanah-abang-2024")
    page.get_by_label("Token manajer").fill(token)
    page.get_by_role("button", name="Tampilkan papan").click()


def told(page: Page) -> str:
    page.locator(".huge").wait_for()
    return page.locator(".huge").inner_text()


def test_the_board_is_shown_once_a_token_is_typed(browser_page: BrowserPage, board_server: Service) -> None:
    log_in(browser_page.page)

    assert told(browser_page.page) == "157"
    assert browser_page.page.title() == "Papan Aktivasi Pasar Tanah Abang"
    assert browser_page.find_violations() == []
    assert browser_page.errors == []


def test_the_figures_change_without_the_page_being_loaded_again(
    browser_page: BrowserPage, board_server: Service
) -> None:
    log_in(browser_page.page)
    told(browser_page.page)
    browser_page.page.evaluate("window.isStillTheSamePage = true")
    board_server.created = 158

    browser_page.page.clock.fast_forward("00:31")
    browser_page.page.get_by_text("158", exact=True).wait_for()

    assert browser_page.page.evaluate("window.isStillTheSamePage")
    assert browser_page.errors == []


def test_a_token_is_in_no_address_and_is_gone_with_the_tab(
    browser_page: BrowserPage, board_server: Service
) -> None:
    log_in(browser_page.page)
    told(browser_page.page)

    assert not [request.url for request in board_server.asked if TOKEN in request.url]
    assert TOKEN not in browser_page.page.url
    assert TOKEN not in browser_page.page.content()
    assert browser_page.page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    assert browser_page.page.evaluate("sessionStorage.getItem('token')") == TOKEN


def test_the_tab_knows_the_token_when_the_page_is_loaded_again(
    browser_page: BrowserPage, board_server: Service
) -> None:
    log_in(browser_page.page)
    told(browser_page.page)
    board_server.created = 159

    browser_page.page.reload()

    assert told(browser_page.page) == "159"


def test_a_token_that_is_not_good_is_forgotten_and_asked_for_again(
    browser_page: BrowserPage, board_server: Service
) -> None:
    log_in(browser_page.page, token="daftar_wrong")

    browser_page.page.get_by_text("Token atau kegiatan tidak diterima.").wait_for()
    assert browser_page.page.evaluate("sessionStorage.getItem('token')") is None
    assert browser_page.page.get_by_label("Token manajer").is_visible()


def test_a_token_that_is_revoked_later_takes_the_figures_off_the_screen(
    browser_page: BrowserPage, board_server: Service
) -> None:
    log_in(browser_page.page)
    told(browser_page.page)
    board_server.refuses = True

    browser_page.page.clock.fast_forward("00:31")
    browser_page.page.get_by_label("Token manajer").wait_for()

    assert browser_page.page.locator(".huge").count() == 0


def test_a_lost_connection_is_said_and_mends_itself(browser_page: BrowserPage, board_server: Service) -> None:
    log_in(browser_page.page)
    told(browser_page.page)
    board_server.is_gone = True
    browser_page.page.clock.fast_forward("00:31")
    browser_page.page.get_by_text("Sambungan terputus").wait_for()
    assert told(browser_page.page) == "157"

    board_server.is_gone, board_server.created = False, 160
    browser_page.page.clock.fast_forward("00:31")
    browser_page.page.get_by_text("160", exact=True).wait_for()

    assert not browser_page.page.get_by_text("Sambungan terputus").is_visible()
