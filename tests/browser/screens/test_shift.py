"""The shift on a device: PIN and lock, the next officer, the end of the day, the receipt."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.screens.conftest import PHONE_WIDTH, OpenBrowser
from tests.browser.screens.walker import NAME, OFFICER, Walker
from tests.support.app_stage import AppStage
from tests.support.payloads import make_nik

PIN = "493021"
REFUSES_STORAGE = "indexedDB.open = () => { throw new DOMException('denied', 'SecurityError'); };"
POINTS_PER_MM = 72 / 25.4


def cut_off(walker: Walker) -> None:
    """Let no request reach the server from now on."""
    walker.page.route("**/v1/**", lambda route: route.abort())


def restore(walker: Walker) -> None:
    """Let requests through again."""
    walker.page.unroute_all()


def open_second_tab(walker: Walker, stage: AppStage) -> Walker:
    """Return another tab of the same device, in which the officer has unlocked the shift."""
    tab = Walker(walker.page.context.new_page())
    cut_off(tab)
    tab.open(stage.app_url)
    tab.page.locator("input[type=password]").fill(PIN)
    tab.page.get_by_role("button", name="Buka").click()
    return tab


def end_shift(walker: Walker) -> None:
    """End the shift from the start screen, or from a receipt."""
    start = walker.page.get_by_role("button", name="Ke daftar")
    end = walker.page.get_by_role("button", name="Selesai bertugas")
    start.or_(end).first.wait_for()
    if start.is_visible():
        start.click()
    end.click()
    walker.page.get_by_role("button", name="Akhiri tugas").click()


def sign_on_with_pin(walker: Walker, officer: str) -> None:
    # A locked screen has a field for the PIN too.
    walker.find("officer").wait_for()
    walker.page.locator("input[type=password]").fill(PIN)
    walker.sign_on(officer)


def test_a_browser_that_stores_nothing_says_what_to_do(stage: AppStage, open_browser: OpenBrowser) -> None:
    walker = open_browser()
    walker.page.add_init_script(REFUSES_STORAGE)
    walker.open(stage.app_url)
    walker.page.get_by_role("heading", name="Aplikasi tidak dapat dibuka").wait_for()
    walker.check_screen("no-storage")
    assert walker.problems == []


def test_a_locked_screen_opens_with_the_pin_and_keeps_the_form(
    stage: AppStage, open_browser: OpenBrowser
) -> None:
    walker = open_browser(PHONE_WIDTH)
    walker.enrol(stage.app_url, stage.make_code())
    sign_on_with_pin(walker, OFFICER)
    walker.begin()
    walker.fill("nik", make_nik())
    walker.fill("name", NAME)
    walker.page.get_by_role("button", name="Kunci").click()
    walker.page.get_by_role("heading", name="Layar terkunci").wait_for()
    walker.check_screen("locked")
    assert NAME not in walker.page.content()
    walker.page.locator("input[type=password]").fill("112233")
    walker.page.get_by_role("button", name="Buka").click()
    walker.page.get_by_text("Salah.").wait_for()
    walker.page.locator("input[type=password]").fill(PIN)
    walker.page.get_by_role("button", name="Buka").click()
    walker.find("name").wait_for()
    assert walker.find("name").input_value() == NAME
    assert (walker.problems, walker.errors) == ([], [])


def test_the_next_officer_sees_how_many_are_unsent_and_no_people(officer: Walker) -> None:
    cut_off(officer)
    code = officer.register(make_nik())
    officer.page.get_by_role("button", name="Ke daftar").click()
    expect(officer.find("queue-count")).to_have_text("1")
    officer.page.get_by_role("button", name="Selesai bertugas").click()
    officer.page.get_by_text("Perangkat ini masih menyimpan 1 pendaftaran.").wait_for()
    officer.check_screen("close")
    officer.page.get_by_role("button", name="Akhiri tugas").click()
    officer.page.get_by_text("masih ada 1 pendaftaran yang belum terkirim").wait_for()
    officer.sign_on("ofc-13")
    expect(officer.find("queue-count")).to_have_text("1")
    assert officer.find("queue-item").count() == 0
    assert code not in officer.page.content()
    assert officer.problems == []


@pytest.mark.parametrize("way", ["end", "another officer", "another tab"])
def test_no_receipt_outlives_the_shift(stage: AppStage, open_browser: OpenBrowser, way: str) -> None:
    walker = open_browser()
    walker.enrol(stage.app_url, stage.make_code())
    sign_on_with_pin(walker, OFFICER)
    cut_off(walker)
    walker.register(make_nik())
    if way == "another officer":
        walker.page.get_by_role("button", name="Kunci").click()
        walker.page.get_by_role("button", name="Ganti petugas").click()
    else:
        end_shift(walker if way == "end" else open_second_tab(walker, stage))
    sign_on_with_pin(walker, OFFICER)
    restore(walker)
    walker.find("sync-now").click()
    walker.wait_for_state("accepted").get_by_role("button", name="Tanda terima").click()
    expect(walker.page.get_by_text("hanya dapat ditampilkan sampai halaman ditutup")).to_be_visible()


def test_what_waits_is_exported_as_a_rescue_file(officer: Walker) -> None:
    cut_off(officer)
    officer.register(make_nik())
    with officer.page.expect_download() as download:
        officer.find("rescue-export").click()
    text = download.value.path().read_text(encoding="utf-8")
    assert "daftar-rescue-1" in text
    assert NAME not in text
    officer.page.get_by_text(re.compile("1 pendaftaran ada di file")).wait_for()
    officer.check_screen("rescue")
    assert officer.problems == []


@pytest.mark.parametrize("width", [58, 80])
def test_the_receipt_is_printed_on_a_roll(officer: Walker, width: int) -> None:
    code = officer.register(make_nik())
    receipt = officer.page.locator(".slip").inner_text()
    assert "Belum terlindungi sebelum iuran dibayar." in receipt
    assert "M***** K*********" in receipt
    assert NAME not in officer.page.content()
    officer.page.evaluate("window.print = () => undefined")
    officer.page.get_by_role("button", name=f"Cetak {width} mm").click()
    officer.page.emulate_media(media="print")
    shown = officer.page.locator("body").inner_text()
    assert code in shown
    assert "Daftarkan pekerja" not in shown
    pdf = officer.page.pdf(prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox ?\[ ?0 0 ([0-9.]+) ([0-9.]+)", pdf)
    assert [round(float(each[0]) / POINTS_PER_MM) for each in boxes] == [width]


def test_the_reference_is_shown_when_the_server_has_answered(officer: Walker, stage: AppStage) -> None:
    officer.register(make_nik())
    reference = officer.wait_for_state("accepted").locator('[data-testid="item-reference"]').inner_text()
    expect(officer.page.locator(".news").get_by_text(reference)).to_be_visible()
    officer.page.get_by_role("button", name="Kirim SMS lagi").click()
    expect(officer.page.locator(".news").get_by_role("status")).to_have_text("SMS dikirim.")
    assert [each.reference for each in stage.list_registrations()] == [reference]
