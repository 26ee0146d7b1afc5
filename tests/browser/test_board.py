"""The board in a browser: the token is typed once, the figures change by themselves, no address tells it."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Route

from chalicelib.endpoints import build_page_headers
from chalicelib.rollups.model import Counts
from chalicelib.rollups.renderings import board
from tests.browser.conftest import BrowserPage
from tests.rollups.reports import make_report

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
def service(shown: BrowserPage) -> Service:
    service = Service()
    shown.page.route("**/*", service.answer)
    shown.page.clock.install()
    return service


def log_in(page: Page, token: str = TOKEN) -> None:
    page.goto(f"{STAGE}/board#tanah-abang-2024")
    page.get_by_label("Token manajer").fill(token)
    page.get_by_role("button", name="Tampilkan papan").click()


def told(page: Page) -> str:
    page.locator(".huge").wait_for()
    return page.locator(".huge").inner_text()


def test_the_board_is_shown_once_a_token_is_typed(shown: BrowserPage, service: Service) -> None:
    log_in(shown.page)

    assert told(shown.page) == "157"
    assert shown.page.title() == "Papan Aktivasi Pasar Tanah Abang"
    assert shown.find_violations() == []
    assert shown.errors == []


def test_the_figures_change_without_the_page_being_loaded_again(shown: BrowserPage, service: Service) -> None:
    log_in(shown.page)
    told(shown.page)
    shown.page.evaluate("window.isStillTheSamePage = true")
    service.created = 158

    shown.page.clock.fast_forward("00:31")
    shown.page.get_by_text("158", exact=True).wait_for()

    assert shown.page.evaluate("window.isStillTheSamePage")
    assert shown.errors == []


def test_a_token_is_in_no_address_and_is_gone_with_the_tab(shown: BrowserPage, service: Service) -> None:
    log_in(shown.page)
    told(shown.page)

    assert not [request.url for request in service.asked if TOKEN in request.url]
    assert TOKEN not in shown.page.url
    assert TOKEN not in shown.page.content()
    assert shown.page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    assert shown.page.evaluate("sessionStorage.getItem('token')") == TOKEN


def test_the_tab_knows_the_token_when_the_page_is_loaded_again(shown: BrowserPage, service: Service) -> None:
    log_in(shown.page)
    told(shown.page)
    service.created = 159

    shown.page.reload()

    assert told(shown.page) == "159"


def test_a_token_that_is_not_good_is_forgotten_and_asked_for_again(
    shown: BrowserPage, service: Service
) -> None:
    log_in(shown.page, token="daftar_wrong")

    shown.page.get_by_text("Token atau kegiatan tidak diterima.").wait_for()
    assert shown.page.evaluate("sessionStorage.getItem('token')") is None
    assert shown.page.get_by_label("Token manajer").is_visible()


def test_a_token_that_is_revoked_later_takes_the_figures_off_the_screen(
    shown: BrowserPage, service: Service
) -> None:
    log_in(shown.page)
    told(shown.page)
    service.refuses = True

    shown.page.clock.fast_forward("00:31")
    shown.page.get_by_label("Token manajer").wait_for()

    assert shown.page.locator(".huge").count() == 0


def test_a_lost_connection_is_said_and_mends_itself(shown: BrowserPage, service: Service) -> None:
    log_in(shown.page)
    told(shown.page)
    service.is_gone = True
    shown.page.clock.fast_forward("00:31")
    shown.page.get_by_text("Sambungan terputus").wait_for()
    assert told(shown.page) == "157"

    service.is_gone, service.created = False, 160
    shown.page.clock.fast_forward("00:31")
    shown.page.get_by_text("160", exact=True).wait_for()

    assert not shown.page.get_by_text("Sambungan terputus").is_visible()
