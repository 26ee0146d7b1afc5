"""The wall board: opened from the console, and paired with a screen by a short code."""

import pytest
from playwright.sync_api import expect

from chalicelib.callers import Role
from tests.browser.conftest import BrowserPage
from tests.browser.console.branch import Branch
from tests.browser.console.conftest import OpenTab
from tests.browser.console.person import Person
from tests.support.app_stage import CAMPAIGN, MANAGER


def make_screen_code(manager: Person) -> str:
    manager.go(f"#/campaigns/{CAMPAIGN}/screens")
    manager.find("make-screen").click()
    return manager.find("screen-code").inner_text()


def open_board(person: Person, fragment: str = "") -> BrowserPage:
    """Open the board in a tab of another machine."""
    person.page.goto(f"{person.url.removesuffix('console')}board{fragment}")
    return person.browser_page


def test_a_screen_is_paired_by_a_code_and_may_read_the_figures_only(
    branch: Branch, manager: Person, open_tab: OpenTab
) -> None:
    branch.register()
    code = make_screen_code(manager)
    manager.check_page("screen")
    screen = open_tab(locale="id-ID")
    board = open_board(screen)
    screen.page.get_by_label("Kode layar").fill(code.lower())
    screen.page.get_by_role("button", name="Pasangkan layar").click()
    expect(screen.page.locator(".huge")).to_have_text("1")
    token = screen.page.evaluate("sessionStorage.getItem('token')")
    assert branch.send("GET", "/v1/caller", token=token)["roles"] == ["viewer"]
    assert token != branch.stage.manager_token
    assert (manager.problems, manager.errors, board.errors) == ([], [], [])


def test_the_board_is_opened_in_a_new_window_without_typing(branch: Branch, manager: Person) -> None:
    branch.register()
    make_screen_code(manager)
    with manager.page.context.expect_page() as opened:
        manager.find("open-board").click()
    board = opened.value
    expect(board.locator(".huge")).to_have_text("1")
    assert "pair" not in board.url
    board.reload()
    expect(board.locator(".huge")).to_have_text("1")
    assert board.evaluate("sessionStorage.getItem('console-token')") is None


@pytest.mark.parametrize("kind", ["made up", "used", "a device's"])
def test_a_code_that_is_not_good_at_a_screen_is_refused(
    branch: Branch, manager: Person, open_tab: OpenTab, kind: str
) -> None:
    code = "K7M2Q4XP"
    if kind == "used":
        code = make_screen_code(manager)
        branch.send("POST", "/v1/enrolments", {"code": code, "for_screen": True}, token="none")
    if kind == "a device's":
        code = branch.stage.make_code()
    screen = open_tab(locale="id-ID")
    open_board(screen, f"#pair={code.replace('-', '')}")
    expect(screen.page.get_by_text("Kode salah, sudah dipakai, atau sudah tidak berlaku.")).to_be_visible()
    assert screen.page.evaluate("sessionStorage.getItem('token')") is None
    screen.page.get_by_label("Kode kegiatan").fill(CAMPAIGN)
    screen.page.get_by_label("Token layar").fill(branch.enrol("wall", Role.VIEWER))
    screen.page.get_by_role("button", name="Tampilkan papan").click()
    expect(screen.page.locator(".huge")).to_be_visible()


def test_a_screens_code_is_no_code_for_the_web_app(branch: Branch, open_tab: OpenTab) -> None:
    _, made = branch.stage.container.enrolments.make_screen(CAMPAIGN, caller=MANAGER)
    device = open_tab(locale="id-ID")
    device.page.goto(f"{device.url.removesuffix('console')}app")
    device.page.locator('[data-testid="enrol-code"]').fill(made.code)
    device.page.locator('[data-testid="enrol-submit"]').click()
    expect(device.page.locator(".error:not(:empty)")).to_be_visible()
