"""Who is signed in at the console, for how long, and where the token is."""

import re

import pytest
from playwright.sync_api import expect

from chalicelib.callers import Role
from tests.browser.console.branch import OTHER_CAMPAIGN, Branch
from tests.browser.console.conftest import OpenTab
from tests.browser.console.person import Person
from tests.support.app_stage import CAMPAIGN

IDLE_NOTICE = "Anda keluar secara otomatis"
REFUSED = "Token tidak dikenal atau sudah tidak berlaku."


def is_signed_in(person: Person) -> bool:
    return person.page.evaluate("sessionStorage.getItem('console-token')") is not None


def test_the_token_is_in_this_tab_alone_and_in_no_address(branch: Branch, manager: Person) -> None:
    token = branch.stage.manager_token
    manager.go(f"#/campaigns/{CAMPAIGN}")
    addresses = [path for path, _ in branch.stage.server.sent_headers]
    assert any(token in headers.get("authorization", "") for _, headers in branch.stage.server.sent_headers)
    assert not [each for each in addresses if token in each]
    assert token not in manager.page.url
    assert token not in manager.page.content()
    assert manager.page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    other = manager.page.context.new_page()
    other.goto(branch.url)
    expect(other.get_by_label("Token Anda")).to_be_visible()


def test_a_reload_keeps_the_person_signed_in_and_the_page(branch: Branch, manager: Person) -> None:
    manager.go(f"#/campaigns/{CAMPAIGN}")
    manager.page.reload()
    expect(manager.page.get_by_role("heading", name="Aktivasi Pasar Tanah Abang")).to_be_visible()


def test_signing_out_leaves_nothing_on_the_screen(branch: Branch, manager: Person) -> None:
    branch.register()
    manager.go(f"#/campaigns/{CAMPAIGN}")
    manager.find("sign-out").click()
    expect(manager.find("console-token")).to_be_visible()
    assert not is_signed_in(manager)
    assert "Tanah Abang" not in manager.page.content()
    assert "#" not in manager.page.url
    manager.page.go_back()
    expect(manager.find("console-token")).to_be_visible()
    assert "Tanah Abang" not in manager.page.content()


def test_half_an_hour_without_a_touch_signs_out(branch: Branch, open_tab: OpenTab) -> None:
    person = open_tab()
    person.page.clock.install()
    person.sign_in(branch.stage.manager_token, f"#/campaigns/{CAMPAIGN}")
    # From here time stands still between the steps, however slow they are.
    person.page.clock.pause_at(person.page.evaluate("Date.now()") / 1000 + 1)
    person.page.keyboard.press("Tab")
    person.page.clock.fast_forward("29:00")
    assert is_signed_in(person)
    person.page.keyboard.press("Tab")
    person.page.clock.fast_forward("29:50")
    assert is_signed_in(person)
    person.page.clock.fast_forward("00:20")
    expect(person.page.get_by_text(IDLE_NOTICE)).to_be_visible()
    assert not is_signed_in(person)
    assert "Tanah Abang" not in person.page.content()
    person.page.clock.resume()
    person.check_page("idle")
    person.find("console-token").fill(branch.stage.manager_token)
    person.find("console-sign-in").click()
    expect(person.page.get_by_role("heading", name="Aktivasi Pasar Tanah Abang")).to_be_visible()
    assert person.problems == []


def test_a_tab_that_comes_back_after_half_an_hour_is_signed_out(branch: Branch, open_tab: OpenTab) -> None:
    """A computer that slept, or a browser that restores its tabs, runs no timer meanwhile."""
    person = open_tab()
    person.page.clock.install()
    person.sign_in(branch.stage.manager_token)
    person.page.clock.pause_at(person.page.evaluate("Date.now()") / 1000 + 1)
    seen_at = person.page.evaluate("Date.now()") - 31 * 60_000
    person.page.evaluate("at => sessionStorage.setItem('console-seen-at', at)", str(seen_at))
    person.page.reload()
    expect(person.find("console-token")).to_be_visible()
    assert not is_signed_in(person)


def test_a_token_that_is_revoked_signs_out_at_the_next_request(branch: Branch, open_tab: OpenTab) -> None:
    person = open_tab()
    person.sign_in(branch.enrol("second-manager", Role.MANAGER))
    branch.stage.container.clients.revoke("second-manager")
    person.go(f"#/campaigns/{CAMPAIGN}")
    expect(person.page.get_by_text(REFUSED)).to_be_visible()
    assert not is_signed_in(person)
    assert "Tanah Abang" not in person.page.content()


def test_a_page_that_the_person_may_not_open_signs_nobody_out(branch: Branch, manager: Person) -> None:
    manager.go(f"#/campaigns/{OTHER_CAMPAIGN}")
    expect(manager.page.get_by_role("heading", name="Halaman tidak dapat ditampilkan")).to_be_visible()
    manager.check_page("refused")
    assert is_signed_in(manager)
    manager.page.get_by_role("link", name="Kegiatan").click()
    expect(manager.find("campaign-row", campaign_id=CAMPAIGN)).to_be_visible()
    assert (manager.problems, manager.errors) == ([], [])


@pytest.mark.parametrize("answer", ["a sign-in page", "another 401", "nothing"])
def test_what_is_no_answer_of_the_server_signs_nobody_out(
    branch: Branch, manager: Person, answer: str
) -> None:
    page = b"<!doctype html><title>Wi-Fi</title>"
    match answer:
        case "a sign-in page":
            branch.stage.server.fault = (200, {"Content-Type": "text/html"}, page)
        case "another 401":
            branch.stage.server.fault = (401, {"Content-Type": "text/html"}, page)
        case _:
            manager.page.route("**/v1/**", lambda route: route.abort())
    manager.go(f"#/campaigns/{CAMPAIGN}")
    expect(manager.page.get_by_text("Server tidak menjawab.")).to_be_visible()
    assert is_signed_in(manager)
    branch.stage.server.fault = None
    manager.page.unroute_all()
    manager.page.get_by_role("button", name="Coba lagi").click()
    expect(manager.page.get_by_role("heading", name="Aktivasi Pasar Tanah Abang")).to_be_visible()


@pytest.mark.parametrize("token", ["daftar_wrong", "daftar two", "daftar_\u2019", "é"])
def test_a_token_that_is_none_is_refused_and_not_kept(branch: Branch, open_tab: OpenTab, token: str) -> None:
    person = open_tab()
    person.open()
    person.find("console-token").fill(token)
    person.find("console-sign-in").click()
    expect(person.page.get_by_text(REFUSED)).to_be_visible()
    assert not is_signed_in(person)


def test_a_devices_token_opens_no_console(branch: Branch, open_tab: OpenTab) -> None:
    person = open_tab()
    person.open()
    person.find("console-token").fill(branch.enrol("van-8", Role.KIOSK))
    person.find("console-sign-in").click()
    expect(person.page.get_by_text("Ini token perangkat atau bot.")).to_be_visible()
    assert not is_signed_in(person)


def test_the_language_is_chosen_and_stays(branch: Branch, manager: Person) -> None:
    manager.find("language-en").click()
    expect(manager.page.get_by_role("heading", name="Campaigns")).to_be_visible()
    assert manager.page.locator("html").get_attribute("lang") == "en"
    manager.page.reload()
    expect(manager.page.get_by_role("heading", name="Campaigns")).to_be_visible()
    assert re.search("Daftar", manager.page.title())


@pytest.mark.parametrize(
    "fragment", ["#/campaigns/..", "#/campaigns/%2e%2e/days/x", "#/registrations/%", "#/%E0"]
)
def test_a_made_up_address_shows_a_refusal_or_the_first_page(
    branch: Branch, manager: Person, fragment: str
) -> None:
    manager.go(fragment)
    expect(manager.page.locator("h1")).to_be_visible()
    paths = {path for path, _ in branch.stage.server.sent_headers}
    known = r"/(v1/(caller|campaigns|occupations|registrations)|console)"
    assert not [path for path in paths if not re.match(known, path)]
    assert manager.errors == []
