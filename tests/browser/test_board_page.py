"""The board in a browser: the token is typed once, the figures refresh, no address contains the token."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Route

from chalicelib.http.headers import build_page_headers
from chalicelib.languages import Language
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
    is_silent: bool = False
    status: int = 200
    page: str | None = None
    language: Language = "id"
    requests: list[Request] = field(default_factory=list)

    def answer(self, route: Route) -> None:
        self.requests.append(route.request)
        path = urlsplit(route.request.url).path
        if path == "/api/board":
            self._fulfill_page(route, board.render_sign_in(self.language))
        elif self.is_unreachable:
            route.abort()
        elif self.is_silent:
            pass  # The request hangs.
        elif self.is_token_revoked or route.request.headers.get("authorization") != f"Bearer {TOKEN}":
            route.fulfill(status=401, content_type="application/problem+json", body="{}")
        elif self.status != 200:
            route.fulfill(status=self.status, content_type="application/problem+json", body="{}")
        elif path == "/api/v1/campaigns/tanah-abang-2024/board":
            page = self.page or board.render_board(self._build_report(), self.language)
            self._fulfill_page(route, page)
        else:
            route.fulfill(status=404, body="")

    def count_board_requests(self) -> int:
        return sum("/v1/campaigns/" in request.url for request in self.requests)

    def _build_report(self) -> Report:
        counts = Counts(
            captures=0,
            created=self.created,
            already_registered=0,
            reactivated=0,
            refused=0,
            registered=self.created,
        )
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


def log_in(page: Page, token: str = TOKEN, fragment: str = "tanah-abang-2024") -> None:
    page.goto(f"{STAGE}/board#{fragment}")
    submit_token(page, token)


def submit_token(page: Page, token: str = TOKEN) -> None:
    page.locator("input[name=token]").fill(token)
    page.locator("[data-form=token] button").click()


def let_refresh(page: Page) -> None:
    page.clock.fast_forward("00:31")


def pass_time_and_look(page: Page) -> bool:
    """Let a refresh come, and say whether a board is shown: an earlier answer may still be on its way."""
    page.clock.run_for("00:31")
    return page.locator(".huge").is_visible()


def wait_until(page: Page, is_reached: Callable[[], bool]) -> None:
    """Wait for something outside the page; fails after five seconds."""
    for _ in range(100):
        if is_reached():
            return
        page.evaluate("fetch('board')")  # A real round trip: the page's clock is a fake.
    raise AssertionError("not reached")


def read_total(page: Page) -> str:
    page.locator(".huge").wait_for()
    return page.locator(".huge").inner_text()


def test_the_board_is_shown_once_a_token_is_typed(browser_page: BrowserPage, board_api: FakeBoardApi) -> None:
    log_in(browser_page.page)

    assert read_total(browser_page.page) == "157"
    assert browser_page.page.title() == "Papan pantau Aktivasi Pasar Tanah Abang"
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

    browser_page.page.get_by_text("Token tidak dikenal atau sudah tidak berlaku.").wait_for()
    assert browser_page.page.evaluate("sessionStorage.getItem('token')") is None
    assert browser_page.page.get_by_label("Token layar").is_visible()


def test_a_token_revoked_later_removes_the_figures_from_the_screen(
    browser_page: BrowserPage, board_api: FakeBoardApi
) -> None:
    log_in(browser_page.page)
    read_total(browser_page.page)
    board_api.is_token_revoked = True

    browser_page.page.clock.fast_forward("00:31")
    browser_page.page.get_by_label("Token layar").wait_for()

    assert browser_page.page.locator(".huge").count() == 0


# Each way in which a request can fail that does not mean that the token is refused.
FAILURES: dict[str, Callable[[FakeBoardApi], None]] = {
    "unreachable": lambda api: setattr(api, "is_unreachable", True),
    "silent": lambda api: setattr(api, "is_silent", True),
    **{
        f"status {status}": lambda api, status=status: setattr(api, "status", status)  # type: ignore[misc]
        for status in (403, 404, 429, 500, 503)
    },
    "another page": lambda api: setattr(api, "page", "<!doctype html><title>Wi-Fi</title><main>Login</main>"),
    "an empty page": lambda api: setattr(api, "page", " "),
}
STALE = {"id": "Data pukul 22.00 WIB, sambungan terputus.", "en": "Data of 22:00 WIB, connection lost."}
TIME_LIMIT = "00:26"


@pytest.mark.parametrize(("failure", "language"), [*((each, "id") for each in FAILURES), ("silent", "en")])
def test_the_first_failure_is_shown_with_the_time_of_the_data_until_an_answer_comes(
    browser_page: BrowserPage, board_api: FakeBoardApi, failure: str, language: Language
) -> None:
    page, board_api.language = browser_page.page, language
    log_in(page)
    read_total(page)
    FAILURES[failure](board_api)

    let_refresh(page)
    wait_until(page, lambda: board_api.count_board_requests() == 2)
    page.clock.fast_forward(TIME_LIMIT)
    notice = page.get_by_text(STALE[language], exact=True)
    notice.wait_for()
    assert read_total(page) == "157"
    assert page.evaluate("sessionStorage.getItem('token')") == TOKEN
    # The time stands there once.
    assert len(re.findall(r"22[.:]00 WIB", page.locator("footer").inner_text())) == 1

    board_api.is_unreachable = board_api.is_silent = False
    board_api.status, board_api.page, board_api.created = 200, None, 160
    let_refresh(page)
    page.get_by_text("160", exact=True).wait_for()
    assert not notice.is_visible()


def test_a_board_with_a_lost_connection_is_accessible(
    browser_page: BrowserPage, board_api: FakeBoardApi
) -> None:
    log_in(browser_page.page)
    read_total(browser_page.page)
    board_api.is_unreachable = True
    let_refresh(browser_page.page)
    browser_page.page.get_by_text(STALE["id"]).wait_for()

    assert browser_page.find_violations() == []


@pytest.mark.parametrize(
    ("language", "label", "dated"),
    [
        ("id", "terdaftar hari ini", "terdaftar Kamis, 10 Oktober"),
        ("en", "registered today", "registered on Thursday, 10 October"),
    ],
)
def test_a_board_without_a_connection_names_its_day_instead_of_calling_it_today(
    browser_page: BrowserPage, board_api: FakeBoardApi, language: Language, label: str, dated: str
) -> None:
    board_api.language = language
    log_in(browser_page.page)
    browser_page.page.get_by_text(label).wait_for()
    board_api.is_unreachable = True
    let_refresh(browser_page.page)
    browser_page.page.get_by_text(dated).wait_for()
    assert not browser_page.page.get_by_text(label).is_visible()

    board_api.is_unreachable = False
    let_refresh(browser_page.page)
    browser_page.page.get_by_text(label).wait_for()
    assert not browser_page.page.get_by_text(dated).is_visible()


@pytest.mark.parametrize(
    ("failure", "message"),
    [
        ("unreachable", "Sambungan terputus, belum ada data"),
        ("silent", "Sambungan terputus, belum ada data"),
        ("status 503", "Sambungan terputus, belum ada data"),
        ("another page", "Sambungan terputus, belum ada data"),
        ("status 403", "Token ini tidak dapat membuka kegiatan ini"),
        ("status 404", "Token ini tidak dapat membuka kegiatan ini"),
    ],
)
def test_the_sign_in_page_says_what_failed_and_tries_again_by_itself(
    browser_page: BrowserPage, board_api: FakeBoardApi, failure: str, message: str
) -> None:
    page = browser_page.page
    FAILURES[failure](board_api)
    log_in(page)
    wait_until(page, lambda: board_api.count_board_requests() == 1)
    if failure == "silent":
        page.clock.fast_forward(TIME_LIMIT)
    page.get_by_text(message).wait_for()
    assert page.evaluate("sessionStorage.getItem('token')") == TOKEN

    board_api.is_unreachable, board_api.is_silent, board_api.status = False, False, 200
    board_api.page = None
    let_refresh(page)

    assert read_total(page) == "157"


@pytest.mark.parametrize("failure", ["silent", "unreachable", "status 503"])
def test_a_second_submit_does_not_start_a_second_loop(
    browser_page: BrowserPage, board_api: FakeBoardApi, failure: str
) -> None:
    page = browser_page.page
    FAILURES[failure](board_api)
    log_in(page)
    wait_until(page, lambda: board_api.count_board_requests() == 1)
    submit_token(page)
    submit_token(page)
    wait_until(page, lambda: board_api.count_board_requests() == 3)
    board_api.is_unreachable, board_api.is_silent, board_api.status = False, False, 200
    wait_until(page, lambda: pass_time_and_look(page))
    page.clock.run_for(1_000)
    before = board_api.count_board_requests()

    for number in range(1, 4):
        board_api.created = 200 + number
        page.clock.run_for("00:30")
        page.get_by_text(str(200 + number), exact=True).wait_for()
        assert board_api.count_board_requests() == before + number


def test_an_answer_to_an_earlier_submit_is_not_shown_after_a_later_one(
    browser_page: BrowserPage, board_api: FakeBoardApi
) -> None:
    page = browser_page.page
    board_api.is_silent = True
    log_in(page, token="daftar_wrong")
    wait_until(page, lambda: board_api.count_board_requests() == 1)
    board_api.is_silent = False
    submit_token(page)

    assert read_total(page) == "157"
    page.clock.fast_forward(TIME_LIMIT)
    assert page.evaluate("sessionStorage.getItem('token')") == TOKEN
    assert not page.get_by_text("sambungan terputus").is_visible()


@pytest.mark.parametrize("fragment", ["%", "%E0%A4%A", "tanah%zz", "%00", "<b>&amp;"])
def test_any_text_in_the_fragment_leaves_the_page_working(
    browser_page: BrowserPage, board_api: FakeBoardApi, fragment: str
) -> None:
    page = browser_page.page
    page.goto(f"{STAGE}/board#{fragment}")
    page.locator("input[name=campaign]").fill("tanah-abang-2024")
    submit_token(page)

    assert read_total(page) == "157"
    assert browser_page.errors == []


def test_an_encoded_fragment_names_the_campaign(browser_page: BrowserPage, board_api: FakeBoardApi) -> None:
    log_in(browser_page.page, fragment="%74anah-abang%2D2024")

    assert read_total(browser_page.page) == "157"


@pytest.mark.parametrize(
    "token", ["daftar_\N{RIGHT SINGLE QUOTATION MARK}", "daftar two", "daftar_\u200b", "é"]
)
def test_a_token_that_no_header_can_hold_is_refused_without_a_request(
    browser_page: BrowserPage, board_api: FakeBoardApi, token: str
) -> None:
    log_in(browser_page.page, token=token)

    browser_page.page.get_by_text("Token tidak dikenal atau sudah tidak berlaku.").wait_for()
    assert board_api.count_board_requests() == 0


def test_a_token_that_was_refused_is_not_sent_again(
    browser_page: BrowserPage, board_api: FakeBoardApi
) -> None:
    page = browser_page.page
    log_in(page, token="daftar_wrong")
    page.get_by_text("Token tidak dikenal atau sudah tidak berlaku.").wait_for()

    page.clock.fast_forward("05:00")
    submit_token(page)

    assert read_total(page) == "157"
    assert board_api.count_board_requests() == 2


def test_only_the_script_of_the_page_may_run(browser_page: BrowserPage, board_api: FakeBoardApi) -> None:
    log_in(browser_page.page)
    read_total(browser_page.page)

    browser_page.page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {text: 'window.foreign = 1'}))"
    )

    assert browser_page.page.evaluate("window.foreign") is None
    assert any("Content Security Policy" in error for error in browser_page.errors)
