"""The core system's page of corrections that wait for its decision."""

import pytest
from playwright.sync_api import expect

from tests.browser.console.branch import Branch
from tests.browser.console.conftest import DESK_WIDTH, PHONE_WIDTH, OpenTab
from tests.browser.console.person import Person
from tests.support.payloads import make_capture_id

RIGHT_NAME = "Melati Kusumawardani"


def request_correction(branch: Branch, number: int, core: str) -> str:
    """Let a manager ask for another name of a worker who has paid. Return the reference."""
    reference = branch.register(number)
    path = f"/v1/registrations/{reference}"
    payment = {"payment_id": f"p-{number}", "amount": 65_600, "months": 3, "paid_at": branch.now}
    branch.send("POST", f"{path}/payments", payment, token=core)
    correction = {
        "correction_id": make_capture_id(900 + number),
        "fields": {"name": RIGHT_NAME, "occupations": ["market_trader"]},
        "reason": "Nama di KTP lain",
    }
    branch.send("POST", f"{path}/corrections", correction, token=branch.stage.manager_token)
    return reference


@pytest.mark.parametrize(("width", "scheme"), [(PHONE_WIDTH, "light"), (DESK_WIDTH, "dark")])
def test_the_core_decides_on_what_waits_from_one_page(
    branch: Branch, open_tab: OpenTab, width: int, scheme: str
) -> None:
    core = branch.enrol_core()
    first, second = request_correction(branch, 1, core), request_correction(branch, 2, core)
    person = open_tab(width, color_scheme=scheme)
    person.sign_in(core)
    person.page.get_by_role("link", name="Koreksi").click()
    row = person.find("open-correction", reference=first)
    for shown in (RIGHT_NAME, "Pedagang pasar", "Nama di KTP lain", "branch-office"):
        expect(row).to_contain_text(shown)
    assert person.find("open-correction").first.get_attribute("data-reference") == first
    person.check_page("corrections")
    row.locator('[data-testid="decide-confirmed"]').click()
    expect(person.find("said")).to_have_text("Koreksi disetujui dan disimpan.")
    person.find("open-correction", reference=second).locator('[data-testid="decide-declined"]').click()
    expect(person.page.get_by_text("Tidak ada koreksi yang menunggu.")).to_be_visible()
    for reference, state in ((first, "confirmed"), (second, "declined")):
        person.go(f"#/registrations/{reference}")
        expect(person.find("correction", state=state)).to_be_visible()
    assert (person.problems, person.errors) == ([], [])


def test_a_manager_has_no_page_of_decisions(branch: Branch, manager: Person) -> None:
    request_correction(branch, 1, branch.enrol_core())
    assert manager.page.get_by_role("link", name="Koreksi").count() == 0
    manager.go("#/corrections")
    expect(manager.page.get_by_role("heading", name="Halaman tidak dapat ditampilkan")).to_be_visible()
    assert RIGHT_NAME not in manager.page.content()
