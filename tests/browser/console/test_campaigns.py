"""Campaigns and their days at the console: lists, pages, versions, files, and how a campaign is changed."""

from io import BytesIO

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from chalicelib.callers import EVERY_CAMPAIGN, Role
from tests.browser.console.branch import OTHER_CAMPAIGN, Branch
from tests.browser.console.conftest import DESK_WIDTH, PHONE_WIDTH, OpenTab
from tests.browser.console.person import Person
from tests.support.app_stage import CAMPAIGN


@pytest.mark.parametrize(("width", "scheme"), [(PHONE_WIDTH, "light"), (DESK_WIDTH, "dark")])
def test_a_manager_finds_the_page_of_a_day(
    branch: Branch, open_tab: OpenTab, width: int, scheme: str
) -> None:
    branch.register()
    branch.count()
    person = open_tab(width, color_scheme=scheme)
    person.open()
    person.check_page("sign-in")
    person.sign_in(branch.stage.manager_token)
    person.check_page("campaigns")
    person.find("campaign-row", campaign_id=CAMPAIGN).click()
    person.find("day-row").first.wait_for()
    person.check_page("campaign")
    person.find("day-row", day=branch.today).click()
    expect(person.page.locator(".day-page .huge")).to_have_text("1")
    person.check_page("day")
    assert (person.problems, person.errors) == ([], [])


def test_every_version_of_a_day_can_be_read(branch: Branch, manager: Person) -> None:
    branch.register(1)
    branch.count()
    branch.register(2)
    manager.go(f"#/campaigns/{CAMPAIGN}/days/{branch.today}")
    manager.find("recount").click()
    expect(manager.page.locator(".day-page .huge")).to_have_text("2")
    manager.page.locator("summary", has_text="Semua versi (2)").click()
    for version, registered in ((2, "2"), (1, "1")):
        row = manager.page.get_by_role("row", name=f"Versi {version}")
        expect(row).to_contain_text("Sementara")
        expect(row.get_by_role("cell").last).to_have_text(registered)
    manager.check_page("versions")
    manager.page.get_by_role("link", name="Versi 1").click()
    expect(manager.page.locator(".day-page .huge")).to_have_text("1")
    assert (manager.problems, manager.errors) == ([], [])


def test_the_page_of_a_day_is_printed_without_what_is_only_for_the_screen(
    branch: Branch, manager: Person
) -> None:
    branch.register()
    branch.count()
    manager.page.evaluate("window.print = () => { window.printed = true; }")
    manager.go(f"#/campaigns/{CAMPAIGN}/days/{branch.today}")
    manager.page.get_by_role("button", name="Cetak").click()
    assert manager.page.evaluate("window.printed")
    manager.page.emulate_media(media="print")
    for hidden in (".top", ".above", ".tools", ".versions"):
        expect(manager.page.locator(hidden)).to_be_hidden()
    expect(manager.page.locator("h1")).to_be_visible()
    expect(manager.page.locator(".day-page .huge")).to_have_text("1")
    # A sheet of paper, less its margins.
    manager.page.set_viewport_size({"width": 720, "height": 1040})
    assert manager.browser_page.measure_overflow() <= 0
    assert manager.errors == []


@pytest.mark.parametrize("kind", ["a registration", "a campaign", "the rates"])
def test_every_page_can_be_printed(branch: Branch, manager: Person, kind: str) -> None:
    reference = branch.register()
    fragments = {
        "a registration": f"#/registrations/{reference}",
        "a campaign": f"#/campaigns/{CAMPAIGN}",
        "the rates": f"#/campaigns/{CAMPAIGN}/days/{branch.today}/rates",
    }
    manager.go(fragments[kind])
    manager.page.emulate_media(media="print", color_scheme="dark")
    manager.page.set_viewport_size({"width": 720, "height": 1040})
    expect(manager.page.locator("h1")).to_be_visible()
    for button in manager.page.get_by_role("button").all():
        expect(button).to_be_hidden()
    assert manager.browser_page.measure_overflow() <= 0
    background = manager.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background in {"rgb(255, 255, 255)", "rgba(0, 0, 0, 0)"}


def test_held_sms_are_seen_the_budget_is_raised_and_they_are_sent(branch: Branch, manager: Person) -> None:
    token = branch.stage.manager_token
    branch.send("PATCH", f"/v1/campaigns/{CAMPAIGN}", {"sms_budget": 0}, token=token)
    branch.stage.restart()
    reference = branch.register()
    assert branch.gateway.inbox.list_sms() == []
    manager.go(f"#/registrations/{reference}")
    expect(manager.find("sms-reason")).to_have_text("anggaran SMS hari itu habis")
    manager.go(f"#/campaigns/{CAMPAIGN}")
    expect(manager.page.get_by_text("1: anggaran SMS hari itu habis")).to_be_visible()
    manager.find("raise-budget").click()
    manager.find("budget-sms_budget").fill("250000")
    manager.check_page("budget")
    manager.find("budget-submit").click()
    expect(manager.find("said")).to_have_text("Anggaran disimpan.")
    assert branch.stage.container.campaigns.get_current(CAMPAIGN).sms_budget == 250_000
    manager.find("release-sms").click()
    manager.check_page("release")
    branch.send_due_sms()
    assert branch.gateway.inbox.list_sms() == []
    manager.find("release-sms-confirm").click()
    expect(manager.find("said")).to_have_text("1 SMS dilepas.")
    assert manager.find("release-sms").count() == 0
    branch.send_due_sms()
    assert len(branch.gateway.inbox.list_sms()) == 1
    assert (manager.problems, manager.errors) == ([], [])


@pytest.mark.parametrize("version", [None, 1])
def test_the_workbook_of_a_day_is_downloaded_by_a_click(
    branch: Branch, manager: Person, version: int | None
) -> None:
    branch.register()
    branch.count()
    rest = "" if version is None else f"/versions/{version}"
    manager.go(f"#/campaigns/{CAMPAIGN}/days/{branch.today}{rest}")
    with manager.page.expect_download() as download:
        manager.find("download-xlsx").click()
    assert download.value.suggested_filename == f"{CAMPAIGN}-{branch.today}.xlsx"
    assert load_workbook(BytesIO(download.value.path().read_bytes())).sheetnames
    expect(manager.page.get_by_text("diunduh")).to_be_visible()


@pytest.mark.parametrize("kind", ["download-csv", "download-csv-excel"])
def test_the_table_of_a_day_is_downloaded_by_a_click(branch: Branch, manager: Person, kind: str) -> None:
    branch.register()
    branch.count()
    manager.go(f"#/campaigns/{CAMPAIGN}")
    with manager.page.expect_download() as download:
        manager.find("day-row").locator(f'[data-testid="{kind}"]').click()
    assert branch.today in download.value.path().read_text(encoding="utf-8-sig")


def test_a_day_without_a_summary_is_counted_from_the_list(branch: Branch, manager: Person) -> None:
    branch.register()
    manager.go(f"#/campaigns/{CAMPAIGN}")
    assert manager.find("day-row").count() == 0
    manager.page.locator(f'[data-day="{branch.today}"]').get_by_role("button").click()
    expect(manager.find("day-row", day=branch.today)).to_contain_text("1 terdaftar")


def test_two_days_are_compared(branch: Branch, open_tab: OpenTab) -> None:
    branch.register()
    branch.count()
    branch.count(OTHER_CAMPAIGN)
    manager = open_tab()
    manager.sign_in(branch.enrol("head", Role.MANAGER, EVERY_CAMPAIGN))
    manager.go(f"#/compare/{CAMPAIGN}/{branch.today}/{OTHER_CAMPAIGN}/{branch.today}")
    row = manager.page.get_by_role("row", name="Pendaftaran baru")
    assert row.get_by_role("cell").all_inner_texts() == ["1", "0", "\u22121"]
    manager.check_page("compare")
    manager.find("compare-day_0").fill("")
    manager.find("compare-day_2").fill("")
    manager.find("compare-submit").click()
    expect(manager.page.get_by_role("row", name="Hari yang sudah dihitung")).to_be_visible()
    assert (manager.problems, manager.errors) == ([], [])


def test_a_campaign_is_changed_with_its_sponsors(branch: Branch, manager: Person) -> None:
    manager.go(f"#/campaigns/{CAMPAIGN}/change")
    manager.check_page("change")
    manager.find("campaign-form-sms_budget").fill("750000")
    manager.page.get_by_role("button", name="Tambah sponsor").click()
    for label, value in (("ID sponsor", "toko-maju"), ("Nama", "Toko Maju"), ("Kuota", "40")):
        manager.page.locator(f'.line:last-child input[aria-label="{label}"]').last.fill(value)
    manager.find("campaign-form-submit").click()
    expect(manager.page.get_by_role("row", name="Toko Maju")).to_contain_text("40")
    campaign = branch.stage.container.campaigns.get_current(CAMPAIGN)
    assert (campaign.sms_budget, campaign.sponsors[0].quota) == (750_000, 40)
    assert [each.email for each in campaign.managers] == ["kepala@cabang.example"]
    assert (manager.problems, manager.errors) == ([], [])


def test_a_campaign_is_opened_and_a_refusal_stands_at_its_field(branch: Branch, open_tab: OpenTab) -> None:
    person = open_tab()
    person.sign_in(branch.enrol("head", Role.MANAGER, EVERY_CAMPAIGN))
    person.page.get_by_role("link", name="Buka kegiatan baru").click()
    values = {
        "campaign_id": "pasar-baru-2030",
        "name": "Pasar Baru",
        "branch": "Jakarta",
        "place": "OTP",
        "first_day": "2030-01-07",
        "last_day": "2030-01-08",
        "accepts_until": "2030-02-01",
        "target": "200",
        "sms_budget": "100000",
    }
    for name, value in values.items():
        person.find(f"campaign-form-{name}").fill(value)
    person.find("campaign-form-submit").click()
    place = person.page.locator(".field.invalid")
    expect(place).to_contain_text("Tempat")
    assert branch.stage.container.campaigns.get(CAMPAIGN)
    person.find("campaign-form-place").fill("Pasar Baru")
    person.find("campaign-form-submit").click()
    expect(person.page.get_by_role("heading", name="Pasar Baru")).to_be_visible()
    assert branch.stage.container.campaigns.get_current("pasar-baru-2030").target == 200
    assert person.errors == []


def test_a_viewer_reads_the_figures_and_nothing_else(branch: Branch, open_tab: OpenTab) -> None:
    branch.register()
    branch.count()
    person = open_tab()
    person.sign_in(branch.enrol("screen", Role.VIEWER))
    person.find("campaign-row", campaign_id=CAMPAIGN).click()
    person.find("day-row", day=branch.today).click()
    expect(person.page.locator(".day-page .huge")).to_have_text("1")
    assert person.find("recount").count() == 0
    assert person.page.get_by_role("link", name="Cari").count() == 0
    assert person.errors == []
