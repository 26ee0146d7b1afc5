"""A worker's own phone: one registration by a link, a neutral answer, the state in words."""

import pytest

from chalicelib.callers import Channel, Role
from chalicelib.clients.schemas import EnrolClient
from chalicelib.enrolments.schemas import MakeCode
from tests.browser.screens.conftest import PHONE_WIDTH, OpenBrowser
from tests.browser.screens.walker import NAME, PHONE, Walker
from tests.support.app_stage import CAMPAIGN, MANAGER, AppStage
from tests.support.payloads import make_nik

ACCEPTED = "Data Anda sudah kami terima"


@pytest.fixture
def link(stage: AppStage) -> str:
    """Return a link for workers' own phones, as a poster has it."""
    poster = EnrolClient(client_id="poster", roles=(Role.BOT,), channel=Channel.WEB, campaigns=(CAMPAIGN,))
    stage.container.clients.enrol(poster)
    made = stage.container.enrolments.make_code("poster", MakeCode(reusable=True), caller=MANAGER)
    return f"{stage.app_url}#self={made.code}"


@pytest.fixture
def phone(open_browser: OpenBrowser, link: str) -> Walker:
    """Return a worker's own phone on which the link was opened."""
    walker = open_browser(PHONE_WIDTH)
    walker.open(link)
    walker.page.locator('[data-testid="new-registration"]:enabled').wait_for()
    return walker


def test_a_worker_registers_once_by_a_link(phone: Walker, stage: AppStage) -> None:
    assert phone.page.evaluate("location.hash") == ""
    phone.check_screen("self")
    phone.register(make_nik())
    phone.page.get_by_text(ACCEPTED).wait_for()
    phone.check_screen("self-done")
    assert phone.find("new-registration").count() == 0
    (registration,) = stage.list_registrations()
    assert (registration.worker.name, registration.capture_metadata.client_id) == (NAME, "poster")
    assert registration.reference not in phone.page.content()
    phone.page.reload()
    phone.page.get_by_text(ACCEPTED).wait_for()
    assert phone.find("new-registration").count() == 0
    assert (phone.problems, phone.errors) == ([], [])


def test_a_worker_who_is_known_gets_the_same_answer(
    phone: Walker, open_browser: OpenBrowser, link: str, stage: AppStage
) -> None:
    phone.register(make_nik())
    phone.page.get_by_text(ACCEPTED).wait_for()
    again = open_browser(PHONE_WIDTH)
    again.open(link)
    again.page.locator('[data-testid="new-registration"]:enabled').wait_for()
    again.register(make_nik())
    again.page.get_by_text(ACCEPTED).wait_for()
    assert len(stage.list_registrations()) == 1


def test_the_state_is_told_by_reference_and_phone(phone: Walker, stage: AppStage) -> None:
    phone.register(make_nik())
    phone.page.get_by_text(ACCEPTED).wait_for()
    phone.page.get_by_role("link", name="Lihat status").click()
    (registration,) = stage.list_registrations()
    phone.page.get_by_label("Nomor pendaftaran").fill(registration.reference)
    phone.page.get_by_label("Nomor HP").fill(PHONE)
    phone.page.get_by_role("button", name="Lihat status").click()
    answer = phone.page.locator("form .notice")
    answer.wait_for()
    found = answer.inner_text()
    phone.check_screen("status")
    phone.page.get_by_label("Nomor HP").fill("0824-5550-7999")
    phone.page.get_by_role("button", name="Lihat status").click()
    phone.page.wait_for_function(
        "text => document.querySelector('form .notice')?.textContent !== text", arg=found
    )
    phone.page.locator("form .notice").wait_for()
    assert found not in phone.page.locator("form .notice").inner_text()
    assert (phone.problems, phone.errors) == ([], [])


def test_a_link_that_is_unknown_says_so(stage: AppStage, open_browser: OpenBrowser) -> None:
    walker = open_browser(PHONE_WIDTH)
    walker.open(f"{stage.app_url}#self=AAAAAAAAAAAAAAAAAAAAAA")
    walker.page.get_by_role("button", name="Coba lagi").wait_for()
    walker.page.get_by_text("Tautan ini salah atau sudah dipakai.").wait_for()
    assert walker.page.evaluate("location.hash") == ""
    walker.check_screen("self-link")
    assert walker.problems == []


def test_a_devices_link_fills_in_its_code(stage: AppStage, open_browser: OpenBrowser) -> None:
    walker = open_browser()
    walker.open(f"{stage.app_url}#enrol={stage.make_code()}")
    assert walker.page.evaluate("location.hash") == ""
    walker.find("enrol-submit").click()
    walker.find("officer").wait_for()
