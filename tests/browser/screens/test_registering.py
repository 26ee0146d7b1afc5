"""A registration by an officer, on a phone and on a tablet, by the test ids alone."""

from datetime import date
from typing import Any

import pytest
from playwright.sync_api import expect

from chalicelib.contributions.model import format_month
from chalicelib.registrations.worker import Worker
from tests.browser.screens.conftest import PHONE_WIDTH, TABLET_WIDTH, OpenBrowser
from tests.browser.screens.walker import NAME, OFFICER, PHONE, Walker
from tests.support.app_stage import AppStage
from tests.support.payloads import make_nik

# A second for a tap with a finger, a quarter for a key, and the text of the consent read aloud.
TAP_SECONDS, KEY_SECONDS, CONSENT_SECONDS, THINKING_SECONDS = 1.1, 0.3, 25, 1.4


@pytest.mark.parametrize(
    ("width", "language"), [(PHONE_WIDTH, "id"), (PHONE_WIDTH, "en"), (TABLET_WIDTH, "id")]
)
def test_a_porter_is_registered(
    stage: AppStage, open_browser: OpenBrowser, width: int, language: str
) -> None:
    walker = open_browser(width)
    # On a tablet the form is one screen, which is checked at its end.
    check_question = walker.check_screen if width == PHONE_WIDTH else lambda name: None
    walker.open(stage.app_url)
    walker.check_screen("enrol")
    walker.enrol(stage.app_url, stage.make_code())
    walker.find(f"language-{language}").click()
    walker.check_screen("sign-on")
    walker.sign_on()
    walker.check_screen("start")
    walker.begin()
    walker.fill("nik", make_nik())
    assert "12 April 1985" in walker.find("nik-echo").inner_text()
    check_question("nik")
    walker.fill("name", NAME)
    check_question("name")
    walker.fill("phone", PHONE)
    check_question("phone")
    walker.fill("address", "Jalan Contoh 7")
    check_question("address")
    walker.fill("postal-code", "10250")
    walker.choose("occupation-option", id="porter")
    check_question("occupation")
    walker.choose("income-option", amount=2_500_000)
    check_question("income")
    walker.choose("programme-jht")
    walker.choose("months-3")
    check_question("coverage")
    walker.choose("payer-self")
    check_question("payer")
    walker.choose("consent")
    check_question("consent")
    quoted = walker.reach("quote-total").get_attribute("data-amount")
    walker.reach("save")
    walker.check_screen("review")
    walker.save()
    item = walker.wait_for_state("accepted")
    walker.check_screen("receipt")
    walker.find("queue").click(position={"x": 5, "y": 5})

    (registration,) = stage.list_registrations()
    expect(item.locator('[data-testid="item-reference"]')).to_have_text(registration.reference)
    assert isinstance(registration.worker, Worker)
    assert (registration.worker.name, registration.worker.birth_date) == (NAME, date(1985, 4, 12))
    made = registration.capture_metadata
    assert (made.officer, made.device_sequence) == (OFFICER, 1)
    assert registration.quote.total == int(quoted or 0)
    assert registration.quote.months[0].month == format_month(made.day)
    assert (registration.coverage.months, set(registration.coverage.programmes)) == (3, {"JKK", "JKM", "JHT"})
    expect(walker.find("queue-count")).to_have_text("0")
    assert walker.page.evaluate("[location.hash, history.length <= 2, history.state]") == ["", True, None]
    assert (walker.problems, walker.errors) == ([], [])


def test_a_porter_takes_less_than_90_seconds_and_40_taps(stage: AppStage, open_browser: OpenBrowser) -> None:
    walker = open_browser(has_touch=True)
    walker.enrol(stage.app_url, stage.make_code())
    walker.sign_on()
    page, taps, keys, questions = walker.page, 0, 0, 0

    def tap(testid: str, **data: Any) -> None:
        nonlocal taps
        taps += 1
        walker.find(testid, **data).tap()

    def type_in(testid: str, text: str) -> None:
        nonlocal keys, questions
        questions += 1
        tap(testid)
        page.keyboard.type(text)
        keys += len(text)

    tap("new-registration")
    for digit in make_nik():
        page.locator(".keypad").get_by_role("button", name=digit, exact=True).tap()
        taps += 1
    type_in("name", NAME)
    type_in("phone", PHONE.replace("-", ""))
    tap("occupation-option", id="porter")
    tap("income-option", amount=2_500_000)
    tap("consent")
    tap("save")
    walker.find("saved-code").wait_for()

    # The digits of the phone are taps too, on the keyboard of the tablet.
    assert taps + len(PHONE.replace("-", "")) < 40
    seconds = taps * TAP_SECONDS + keys * KEY_SECONDS + (questions + 5) * THINKING_SECONDS + CONSENT_SECONDS
    assert seconds < 90
    walker.wait_for_state("accepted")
    worker = stage.list_registrations()[0].worker
    assert isinstance(worker, Worker)
    assert worker.nik == make_nik()


def test_a_letter_makes_no_format_of_dates_and_no_review(officer: Walker) -> None:
    officer.begin()
    officer.fill("nik", make_nik())
    officer.page.evaluate(
        """() => {
          window.made = 0;
          const Format = Intl.DateTimeFormat;
          Intl.DateTimeFormat = class extends Format {
            constructor(...given) { super(...given); window.made += 1; }
          };
          new MutationObserver((changes) => { window.made += changes.length; })
            .observe(document.querySelector(".review"), { childList: true });
        }"""
    )
    officer.find("name").press_sequentially(NAME)
    officer.page.wait_for_timeout(0)
    assert officer.page.evaluate("window.made") == 0


def test_a_form_is_filled_in_by_keyboard_alone(stage: AppStage, open_browser: OpenBrowser) -> None:
    walker = open_browser(PHONE_WIDTH)
    walker.enrol(stage.app_url, stage.make_code())
    walker.sign_on()
    keyboard = walker.page.keyboard

    def tab_to(testid: str, **data: Any) -> None:
        for _ in range(40):
            if walker.find(testid, **data).evaluate("element => element === document.activeElement"):
                return
            keyboard.press("Tab")
        raise AssertionError(f"{testid} is not reached by Tab")

    tab_to("new-registration")
    keyboard.press("Enter")
    for testid, text in (("nik", make_nik()), ("name", NAME), ("phone", PHONE), ("address", "")):
        walker.find(testid).wait_for()
        tab_to(testid)
        keyboard.type(text)
        keyboard.press("Enter")
    walker.find("occupation-search").wait_for()
    tab_to("occupation-search")
    keyboard.type("panggul")
    tab_to("occupation-option", id="porter")
    keyboard.press("Space")
    tab_to("next")
    keyboard.press("Enter")
    keyboard.press("Tab")
    keyboard.press("Space")
    for _ in range(3):
        tab_to("next")
        keyboard.press("Enter")
    tab_to("consent")
    keyboard.press("Space")
    tab_to("next")
    keyboard.press("Enter")
    tab_to("save")
    keyboard.press("Enter")
    walker.find("saved-code").wait_for()


def test_what_is_missing_is_named_and_keeps_the_form_from_being_saved(officer: Walker) -> None:
    officer.begin()
    officer.fill("nik", "3171")
    officer.choose("save")
    alert = officer.page.get_by_role("alert").filter(has_text="Periksa dulu")
    alert.wait_for()
    for question in ("NIK", "Nama", "Nomor HP", "Pekerjaan", "Penghasilan sebulan", "Persetujuan"):
        expect(alert.get_by_role("button", name=question)).to_be_visible()
    expect(officer.find("nik")).to_be_focused()
    expect(officer.page.get_by_text("NIK harus 16 angka. Yang diketik 4 angka.")).to_be_visible()
    officer.check_screen("missing")
    officer.answer(make_nik(), phone=None)
    expect(alert).to_be_hidden()
    officer.save()
    assert officer.problems == []


def test_a_birth_date_unlike_the_nik_wants_the_nik_twice(officer: Walker, stage: AppStage) -> None:
    officer.begin()
    officer.answer(make_nik())
    officer.page.get_by_label("Tanggal lahir di KTP berbeda").click()
    for label, value in (("Tanggal", "13"), ("Bulan", "4"), ("Tahun", "1985")):
        officer.page.get_by_label(label, exact=True).fill(value)
    officer.find("save").click()
    again = officer.page.get_by_label("NIK sekali lagi")
    expect(again).to_be_focused()
    again.fill(make_nik(7002))
    officer.find("save").click()
    expect(officer.page.get_by_text("Tidak sama dengan NIK di atas")).to_be_visible()
    officer.check_screen("second-nik")
    again.fill(make_nik())
    officer.save()
    officer.wait_for_state("accepted")
    (registration,) = stage.list_registrations()
    assert isinstance(registration.worker, Worker)
    assert registration.worker.birth_date.isoformat() == "1985-04-13"
    assert registration.worker.checks == ("birth_date_differs_from_nik",)
    assert officer.problems == []


def test_the_second_nik_is_not_asked_for_before_its_turn(officer: Walker) -> None:
    officer.begin()
    officer.fill("nik", make_nik())
    officer.page.get_by_label("Tanggal lahir di KTP berbeda").click()
    for label, value in (("Tanggal", "13"), ("Bulan", "4"), ("Tahun", "1985")):
        officer.page.get_by_label(label, exact=True).fill(value)
    officer.find("nik").fill(make_nik()[:-1])
    officer.find("nik").blur()
    expect(officer.page.get_by_text("Yang diketik 15 angka.")).to_be_visible()
    officer.find("nik").fill(make_nik())
    expect(officer.page.get_by_label("NIK sekali lagi")).to_be_visible()
    expect(officer.page.get_by_text("Wajib diisi.")).to_have_count(0)


def test_the_same_nik_again_is_told_at_once(officer: Walker) -> None:
    officer.register(make_nik())
    officer.wait_for_state("accepted")
    officer.begin()
    officer.fill("nik", make_nik())
    officer.page.get_by_text("NIK ini sudah didata di perangkat ini").wait_for()


def test_the_price_changes_with_every_choice(officer: Walker) -> None:
    def read_price() -> int:
        return int(officer.find("quote-total").get_attribute("data-amount") or 0)

    officer.begin()
    assert read_price() == 0
    officer.choose("occupation-option", id="porter")
    officer.choose("income-option", amount=2_500_000)
    one_month = read_price()
    officer.choose("months-2")
    assert read_price() > one_month
    officer.choose("months-1")
    officer.choose("programme-jht")
    assert read_price() == one_month + 52_000
    officer.choose("programme-jht")
    officer.page.get_by_label("Punya pekerja sendiri").click()
    assert read_price() == one_month + 52_000
    expect(officer.find("programme-jht")).to_be_disabled()


def test_a_draft_is_continued(officer: Walker) -> None:
    officer.begin()
    officer.fill("name", NAME)
    officer.find("back").click()
    officer.wait_for_state("draft").locator('[data-testid="fix"]').click()
    officer.find("name").wait_for()
    assert officer.find("name").input_value() == NAME


def test_the_last_letter_is_in_the_draft_however_soon_the_form_is_left(officer: Walker) -> None:
    officer.begin()
    officer.fill("name", NAME)
    officer.page.evaluate(
        """name => {
          const input = document.querySelector('[data-testid="name"]');
          input.value = name;
          input.dispatchEvent(new Event("input", { bubbles: true }));
          document.querySelector('[data-testid="back"]').click();
        }""",
        NAME + " Ayu",
    )
    officer.wait_for_state("draft").locator('[data-testid="fix"]').click()
    assert officer.reach("name").input_value() == NAME + " Ayu"


def test_the_form_keeps_its_answers_in_another_language(officer: Walker) -> None:
    officer.begin()
    officer.fill("name", NAME)
    officer.find("language-en").click()
    officer.page.get_by_role("heading", name="Registration of a worker").wait_for()
    assert officer.find("name").input_value() == NAME
    assert officer.page.locator("html").get_attribute("lang") == "en"
