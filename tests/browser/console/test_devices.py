"""The devices of a campaign: what is known of each, a code with QR codes for the next one, and a lost one."""

import pytest
from playwright.sync_api import expect

from chalicelib.callers import Channel, Role
from chalicelib.clients.schemas import EnrolClient
from tests.browser.console.branch import OTHER_CAMPAIGN, Branch
from tests.browser.console.conftest import DESK_WIDTH, PHONE_WIDTH, OpenTab
from tests.browser.console.person import Person
from tests.support.app_stage import CAMPAIGN, MANAGER

PAGE = f"#/campaigns/{CAMPAIGN}/devices"


@pytest.mark.parametrize(("width", "scheme"), [(PHONE_WIDTH, "light"), (DESK_WIDTH, "dark")])
def test_a_device_is_enrolled_again_by_a_code_and_a_lost_one_is_revoked(
    branch: Branch, open_tab: OpenTab, width: int, scheme: str
) -> None:
    branch.register()
    person = open_tab(width, color_scheme=scheme)
    person.sign_in(branch.stage.manager_token, PAGE)
    device = person.find("device-row", client_id="van-7")
    expect(device).to_contain_text("Dipakai")
    device.locator('[data-testid="device-enrol"]').click()
    code = device.locator('[data-testid="device-code"]').inner_text()
    expect(device.get_by_role("img")).to_have_count(2)
    person.check_page("devices")
    enrolled = branch.send("POST", "/v1/enrolments", {"code": code}, token="none")
    assert enrolled["client_id"] == "van-7"
    device.locator('[data-testid="device-revoke"]').click()
    device.locator('[data-testid="device-revoke-confirm"]').click()
    expect(person.find("device-row", client_id="van-7", state="revoked")).to_be_visible()
    assert branch.stage.container.clients.get("van-7").revoked_by == "branch-office"
    assert (person.problems, person.errors) == ([], [])


@pytest.mark.parametrize(("width", "scheme"), [(PHONE_WIDTH, "dark"), (DESK_WIDTH, "light")])
def test_a_new_device_is_enrolled_with_a_code_for_the_web_app_and_one_for_odk(
    branch: Branch, open_tab: OpenTab, width: int, scheme: str
) -> None:
    person = open_tab(width, color_scheme=scheme)
    person.sign_in(branch.stage.manager_token, PAGE)
    person.find("add-device").click()
    person.find("new-device-client_id").fill("Van 12")
    person.find("new-device-submit").click()
    expect(person.page.locator(".field.invalid")).to_contain_text("ID perangkat")
    person.find("new-device-client_id").fill("van-12")
    person.find("new-device-channel").select_option("van")
    person.find("new-device-submit").click()
    code = person.find("device-code").inner_text()
    expect(person.page.get_by_role("img")).to_have_count(2)
    expect(person.find("device-row", client_id="van-12")).to_be_visible()
    person.check_page("new-device")
    enrolled = branch.send("POST", "/v1/enrolments", {"code": code}, token="none")
    assert (enrolled["client_id"], enrolled["channel"]) == ("van-12", "van")
    assert [each["campaign_id"] for each in enrolled["campaigns"]] == [CAMPAIGN]
    assert (person.problems, person.errors) == ([], [])


def test_a_screen_is_in_the_list_and_can_be_revoked(branch: Branch, manager: Person) -> None:
    screen, _ = branch.stage.container.enrolments.make_screen(CAMPAIGN, caller=MANAGER)
    manager.go(PAGE)
    row = manager.find("device-row", client_id=screen.client_id)
    expect(row).to_contain_text("layar papan pantau")
    expect(row).not_to_contain_text("Nomor yang belum terkirim")
    row.locator('[data-testid="device-revoke"]').click()
    row.locator('[data-testid="device-revoke-confirm"]').click()
    expect(manager.find("device-row", client_id=screen.client_id, state="revoked")).to_be_visible()
    assert manager.errors == []


def test_the_code_of_workers_own_phones_is_a_link(branch: Branch, manager: Person) -> None:
    client = EnrolClient(client_id="poster", roles=(Role.BOT,), channel=Channel.WEB, campaigns=(CAMPAIGN,))
    branch.stage.container.clients.enrol(client)
    manager.go(PAGE)
    row = manager.find("device-row", client_id="poster")
    row.locator('[data-testid="device-enrol"]').click()
    expect(row.locator('[data-testid="device-link"]')).to_contain_text("#self=")
    expect(row.get_by_role("img", name="QR untuk HP pekerja")).to_be_visible()
    assert row.locator('[data-testid="device-code"]').count() == 0
    assert manager.errors == []


def test_the_devices_of_another_campaign_are_not_shown(branch: Branch, open_tab: OpenTab) -> None:
    person = open_tab()
    person.sign_in(branch.enrol("senen-manager", Role.MANAGER, OTHER_CAMPAIGN), PAGE)
    expect(person.page.get_by_role("heading", name="Halaman tidak dapat ditampilkan")).to_be_visible()
    assert "van-7" not in person.page.content()
