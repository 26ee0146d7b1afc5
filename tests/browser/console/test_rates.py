"""What each device and officer registered on a day, and the device that is far above the others."""

import pytest
from playwright.sync_api import expect

from chalicelib.callers import Role
from tests.browser.console.branch import Branch
from tests.browser.console.conftest import DESK_WIDTH, PHONE_WIDTH, OpenTab
from tests.browser.console.person import Person
from tests.support.app_stage import CAMPAIGN


def register_at_three_vans(branch: Branch) -> list[str]:
    """Register four workers at one van and one at each of two others. Return the references."""
    others = [branch.enrol(f"van-{number}", Role.KIOSK) for number in (8, 9)]
    references = [branch.register(number) for number in range(1, 5)]
    return references + [
        branch.register(number, token=token, officer="ofc-30") for number, token in enumerate(others, start=5)
    ]


def read_row(person: Person, name: str) -> list[str]:
    header = person.page.get_by_role("rowheader", name=name)
    return person.page.get_by_role("row").filter(has=header).get_by_role("cell").all_inner_texts()


@pytest.mark.parametrize(("width", "scheme"), [(PHONE_WIDTH, "light"), (DESK_WIDTH, "dark")])
def test_a_manager_compares_devices_and_officers_by_what_was_paid_and_cancelled(
    branch: Branch, open_tab: OpenTab, width: int, scheme: str
) -> None:
    paid, cancelled, *_ = register_at_three_vans(branch)
    payment = {"payment_id": "p-1", "amount": 65_600, "months": 3, "paid_at": branch.now}
    branch.send("POST", f"/v1/registrations/{paid}/payments", payment, token=branch.enrol_core())
    branch.send(
        "POST",
        f"/v1/registrations/{cancelled}/cancellation",
        {"reason": "duplicate"},
        token=branch.stage.manager_token,
    )
    branch.count()
    person = open_tab(width, color_scheme=scheme)
    person.sign_in(branch.stage.manager_token, f"#/campaigns/{CAMPAIGN}/days/{branch.today}")
    person.page.get_by_role("link", name="Per perangkat dan petugas").click()
    expect(person.find("above-peers")).to_have_text("jauh di atas yang lain: 4, biasanya 1")
    assert read_row(person, "van-7") == ["3", "1 (33%)", "1 (25%)"]
    assert read_row(person, "van-8") == ["1", "0 (0%)", "0 (0%)"]
    assert read_row(person, "ofc-30") == ["2", "0 (0%)", "0 (0%)"]
    person.check_page("rates")
    assert (person.problems, person.errors) == ([], [])


def test_a_device_above_its_peers_is_marked_in_the_list_of_devices_until_it_was_looked_at(
    branch: Branch, manager: Person
) -> None:
    register_at_three_vans(branch)
    branch.count()
    manager.go(f"#/campaigns/{CAMPAIGN}/devices")
    marked = manager.find("device-row", client_id="van-7").locator('[data-testid="device-unusual"]')
    expect(marked).to_contain_text("Perangkat jauh di atas yang lain")
    expect(manager.find("device-unusual")).to_have_count(1)
    marked.click()
    item = manager.find("review-item", kind="client_above_peers")
    item.locator('[data-testid="review-judge"]').click()
    manager.find("review-looked_at").click()
    expect(manager.find("said")).to_have_text("Ditandai sudah dilihat.")
    manager.go(f"#/campaigns/{CAMPAIGN}/devices")
    expect(manager.find("device-row", client_id="van-7")).to_be_visible()
    assert manager.find("device-unusual").count() == 0
    assert manager.errors == []


def test_a_day_that_was_not_counted_has_rates_all_the_same(branch: Branch, manager: Person) -> None:
    branch.register()
    manager.go(f"#/campaigns/{CAMPAIGN}/days/{branch.today}/rates")
    expect(manager.find("rates")).to_contain_text("van-7")
    assert manager.errors == []
