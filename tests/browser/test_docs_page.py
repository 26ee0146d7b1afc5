"""The page at `GET /docs` in a browser, under its policy: search, roles, copying and the menu."""

import re
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, Route, ViewportSize

from chalicelib.http.headers import build_page_headers
from ops.openapi.page import build_page
from ops.openapi.page_content import build_content
from tests.browser.conftest import BrowserPage
from tests.support.openapi import load_document

# The path begins with API Gateway's stage, `/api`.
URL = "http://daftar.localhost/api/docs"
# On plain HTTP a page has no clipboard, except on the own machine.
URL_WITHOUT_CLIPBOARD = "http://daftar.example/api/docs"
WIDTHS = (320, 360, 412, 768, 959, 960, 1280, 1920)
PHONE = ViewportSize(width=360, height=800)
DESK = ViewportSize(width=1280, height=800)

PAGE = build_page()
CONTENT = build_content(load_document())
OPERATIONS = [operation for _, operations in CONTENT.tags for operation in operations]


def serve_page(route: Route) -> None:
    """Answer as the API does."""
    (script,) = re.findall(r"<script>(.*?)</script>", PAGE, re.DOTALL)
    headers = build_page_headers(f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}")
    route.fulfill(status=200, content_type="text/html; charset=utf-8", headers=headers, body=PAGE)


@pytest.fixture
def docs(browser_page: BrowserPage) -> BrowserPage:
    """Return the page, opened at desk width."""
    browser_page.page.route("**/*", serve_page)
    browser_page.page.goto(URL)
    return browser_page


@pytest.fixture
def page_without_scripts(browser: Browser) -> Iterator[Page]:
    page = browser.new_page(viewport=PHONE, java_script_enabled=False)
    page.route("**/*", serve_page)
    page.goto(URL)
    yield page
    page.close()


def list_shown(page: Page) -> set[str]:
    """Return the ids of the operations that are shown, and check that the menu lists the same."""
    shown = set(page.locator(".operation:visible").evaluate_all("each => each.map(one => one.id)"))
    listed = page.locator("nav li[data-for]:visible").evaluate_all("each => each.map(one => one.dataset.for)")
    assert shown == set(listed)
    return shown


def test_the_page_begins_with_registering_a_worker(docs: BrowserPage) -> None:
    page = docs.page

    assert page.get_by_role("heading", level=2).first.inner_text() == "Register your first worker"
    assert page.get_by_role("heading", name="Register your first worker").is_visible()
    first_command = page.locator("#first-worker .sample code").first.inner_text()
    assert first_command.startswith("export DAFTAR_URL=http://daftar.localhost/api\n")
    assert list_shown(page) == {operation.id for operation in OPERATIONS}
    assert docs.errors == []


@pytest.mark.parametrize(("size", "colours"), [(PHONE, "dark"), (DESK, "light")], ids=["phone", "desk"])
def test_the_page_is_accessible(
    docs: BrowserPage, size: ViewportSize, colours: Literal["light", "dark"]
) -> None:
    docs.page.emulate_media(color_scheme=colours)
    docs.page.set_viewport_size(size)
    docs.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    assert docs.find_violations() == []

    if size is PHONE:
        docs.page.get_by_role("button", name="Menu").click()
    docs.page.get_by_label("Search").fill("no such thing")
    assert docs.page.get_by_text("No operation, schema or code matches.").is_visible()
    assert docs.find_violations() == []


def test_the_page_is_never_wider_than_the_window(docs: BrowserPage) -> None:
    docs.page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    for width in WIDTHS:
        docs.page.set_viewport_size({"width": width, "height": 800})
        assert docs.measure_overflow() == 0, f"at {width} pixels"


def test_the_page_requests_nothing_else(browser_page: BrowserPage) -> None:
    requested: list[str] = []
    browser_page.page.on("request", lambda request: requested.append(request.url))
    browser_page.page.route("**/*", serve_page)
    browser_page.page.goto(URL)
    browser_page.page.get_by_label("Search").fill("payment")

    assert requested == [URL]


def test_a_search_shows_what_has_every_word(docs: BrowserPage) -> None:
    page = docs.page
    page.get_by_label("Search").fill("PAYMENT_REUSED 409")

    assert list_shown(page) == {"take_payment"}
    assert page.get_by_role("status").inner_text() == f"1 of {len(OPERATIONS)} operations"
    assert page.locator("#code-payment_reused").is_visible()
    assert not page.locator("#code-campaign_unknown").is_visible()
    assert page.locator("nav .group:visible").count() == 1

    page.get_by_label("Search").fill("")
    assert len(list_shown(page)) == len(OPERATIONS)


def test_a_code_is_found_with_the_operations_that_answer_it(docs: BrowserPage) -> None:
    docs.page.get_by_label("Search").fill("capture_reused")

    assert list_shown(docs.page) == {"submit_registration", "submit_odk_form"}
    assert docs.page.locator("#code-capture_reused").is_visible()


@pytest.mark.parametrize("role", [*CONTENT.roles, "public"])
def test_a_role_shows_what_it_may_call(docs: BrowserPage, role: str) -> None:
    label = "without a token" if role == "public" else role
    docs.page.get_by_label("Role").select_option(label=label)

    assert list_shown(docs.page) == {
        operation.id for operation in OPERATIONS if role in operation.roles or not operation.roles
    }


def test_a_link_to_what_the_search_hides_clears_the_search(docs: BrowserPage) -> None:
    page = docs.page
    page.get_by_label("Search").fill("submit one capture")
    page.get_by_label("Role").select_option("kiosk")
    page.evaluate("location.hash = 'code-summary_unknown'")

    page.locator("#code-summary_unknown").wait_for()
    assert page.get_by_label("Search").input_value() == ""
    assert page.get_by_label("Role").input_value() == ""


def test_every_command_can_be_copied(docs: BrowserPage) -> None:
    page = docs.page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    for operation in OPERATIONS:
        button = page.locator(f"#{operation.id}").get_by_role("button", name="Copy")
        button.click()
        page.locator(f"#{operation.id}").get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()") == operation.curl


def test_a_command_can_be_copied_without_a_clipboard_api(browser_page: BrowserPage) -> None:
    page = browser_page.page
    page.route("**/*", serve_page)
    page.goto(URL_WITHOUT_CLIPBOARD)
    assert page.evaluate("navigator.clipboard === undefined")

    page.locator("#show_health").get_by_role("button", name="Copy").click()
    page.get_by_label("Search").focus()
    page.keyboard.press("Control+V")

    assert page.get_by_label("Search").input_value() == 'curl "$DAFTAR_URL/healthz"'


def test_on_a_phone_the_menu_opens_and_closes(docs: BrowserPage) -> None:
    page = docs.page
    page.set_viewport_size(PHONE)
    button = page.get_by_role("button", name="Menu")
    link = page.locator("nav a[href='#submit_batch']")
    assert not link.is_visible()
    assert button.get_attribute("aria-expanded") == "false"

    button.click()
    assert button.get_attribute("aria-expanded") == "true"
    link.click()

    assert not link.is_visible()
    assert button.get_attribute("aria-expanded") == "false"
    heading = page.locator("#submit_batch h3").bounding_box()
    bar = page.locator("nav").bounding_box()
    assert heading is not None
    assert bar is not None
    # Under the bar, not behind it.
    assert bar["height"] <= heading["y"] < PHONE["height"] / 2


def test_without_scripts_everything_is_shown_and_nothing_is_dead(page_without_scripts: Page) -> None:
    page = page_without_scripts

    assert page.locator(".operation:visible").count() == len(OPERATIONS)
    assert page.locator("nav li[data-for]:visible").count() == len(OPERATIONS)
    assert page.locator("button:visible, input:visible, select:visible").count() == 0
