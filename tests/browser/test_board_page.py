"""The board in a browser: the token is typed once, the figures refresh, no address contains the token."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Route

from chalicelib.http.endpoints import build_page_headers
from chalicelib.rollups.model import Counts
from chalicelib.rollups.renderings import board
from chalicelib.rollups.report import Report
from tests.browser.conftest import BrowserPage
from tests.support.report_builders import make_report

# Every request of the page is answered here. The path begins with API Gateway's stage, `/api`.
STAGE = "http://daftar.localhost/api"
TOKEN = "daftar_typed-once"


@dataclass
class FakeBoardApi:
    """Answers as the API does, and records the requests."""

    created: int = 157
    is_token_revoked: bool = False
    is_unreachable: bool = False
    requests: list[Request] = field(default_factory=list)

    def answer(self, route: Route) -> None:
        self.requests.append(route.request)
        path = urlsplit(route.request.url).path
        if self.is_unreachable:
            route.abort()
        elif path == "/api/board":
            self._fulfill_page(route, board.render_sign_in("id"))
        elif self.is_token_revoked or route.request.headers.get("authorization") != f"Bearer {TOKEN}":
            route.fulfill(status=401, content_type="application/problem+json", body="{}")
        elif path == "/api/v1/campaigns/tanah-abang-2024/board":
            self._fulfill_page(route, board.render_board(self._build_report(), "id"))
        else:
            route.fulfill(status=404, body="")

    def _build_report(self) -> Report:
        counts = Counts(captures=0, created=self.created, already_registered=0, reactivated=0, refused=0)
        return make_report(summary={"counts": counts})

    def _fulfill_page(self, route: Route, page: str) -> None:
        headers = build_page_headers(board.get_script_hash())
        route.fulfill(status=200, content_type="text/html; charset=utf-8", headers=headers, body=page)


@pytest.fixture
def board_api(browser_page: BrowserPage) -> FakeBoardApi:
    board_api = FakeBoardApi()
    browser_page.page.route("**/*", board_api.answer)
    browser_page.page.clock.install()
    return board_api


def log_in(page: Page, token: str = TOKEN) -> None:
    page.goto(f"{STAGE}/board#tanah-abang-2024")
    page.get_by_label("Token manajer").fill(token)
    page.get_by_role("button", name="Tampilkan papan").click()


def read_total(page: Page) -> str:
    page.locator(".huge").wait_for()
    return page.locator(".huge").inner_text()


def test_the_board_is_shown_once_a_token_is_typed(browser_page: BrowserPage, board_api: FakeBoardApi) -> None:
    log_in(browser_page.page)

    assert read_total(browser_page.page) == "157"
    assert browser_page.page.title() == "Papan Aktivasi Pasar Tanah Abang"
    assert browser_page.find_violations() == []
    assert browser_page.errors == []


def test_the_figures_refresh_without_a_reload(browser_page: BrowserPage, board_api: FakeBoardApi) -> None:
    log_in(browser_page.page)
    read_total(browser_page.page)
    browser_page.page.evaluate("window.isStillTheSamePage = true")
    board_api.created = 158

    browser_page.page.clock.fast_forward("00:31")
    browser_page.page.get_by_text("158", exact=True).wait_for()

    assert browser_page.page.evaluate("window.isStillTheSamePage")
    assert browser_page.errors == []


def test_the_token_is_in_no_address_and_only_in_session_storage(
    browser_page: BrowserPage, board_api: FakeBoardApi
) -> None:
    log_in(browser_page.page)
    read_total(browser_page.page)

    assert not [request.url for request in board_api.requests if TOKEN in request.url]
    assert TOKEN not in browser_page.page.url
    assert TOKEN not in browser_page.page.content()
    assert browser_page.page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    assert browser_page.page.evaluate("sessionStorage.getItem('token')") == TOKEN


def test_a_reload_in_the_same_tab_keeps_the_token(browser_page: BrowserPage, board_api: FakeBoardApi) -> None:
    log_in(browser_page.page)
    read_total(browser_page.page)
    board_api.created = 159

    browser_page.page.reload()

    assert read_total(browser_page.page) == "159"


def test_a_refused_token_is_removed_and_asked_for_again(
    browser_page: BrowserPage, board_api: FakeBoardApi
) -> None:
    log_in(browser_page.page, token="daftar_wrong")

    browser_page.page.get_by_text("Token atau kegiatan tidak diterima.").wait_for()
    assert browser_page.page.evaluate("sessionStorage.getItem('token')") is None
    assert browser_page.page.get_by_label("Token manajer").is_visible()


def test_a_token_revoked_later_removes_the_figures_from_the_screen(
    browser_page: BrowserPage, board_api: FakeBoardApi
) -> None:
    log_in(browser_page.page)
    read_total(browser_page.page)
    board_api.is_token_revoked = True

    browser_page.page.clock.fast_forward("00:31")
    browser_page.page.get_by_label("Token manajer").wait_for()

    assert browser_page.page.locator(".huge").count() == 0


def test_a_lost_connection_is_reported_until_it_is_back(
    browser_page: BrowserPage, board_api: FakeBoardApi
) -> None:
    log_in(browser_page.page)
    read_total(browser_page.page)
    board_api.is_unreachable = True
    browser_page.page.clock.fast_forward("00:31")
    browser_page.page.get_by_text("Sambungan terputus").wait_for()
    assert read_total(browser_page.page) == "157"

    board_api.is_unreachable, board_api.created = False, 160
    browser_page.page.clock.fast_forward("00:31")
    browser_page.page.get_by_text("160", exact=True).wait_for()

    assert not browser_page.page.get_by_text("Sambungan terputus").is_visible()
