"""The devices of a campaign: what is known of each, a code with QR codes for the next one, and a lost one."""

import pytest
from playwright.sync_api import expect

from chalicelib.callers import Role
from tests.browser.console.branch import OTHER_CAMPAIGN, Branch
from tests.browser.console.conftest import DESK_WIDTH, PHONE_WIDTH, OpenTab
from tests.support.app_stage import CAMPAIGN

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


def test_the_devices_of_another_campaign_are_not_shown(branch: Branch, open_tab: OpenTab) -> None:
    person = open_tab()
    person.sign_in(branch.enrol("senen-manager", Role.MANAGER, OTHER_CAMPAIGN), PAGE)
    expect(person.page.get_by_role("heading", name="Halaman tidak dapat ditampilkan")).to_be_visible()
    assert "van-7" not in person.page.content()
