"""A kiosk without an officer: one person after the other, and no trace of the last one."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.screens.conftest import OpenBrowser
from tests.browser.screens.walker import Walker
from tests.support.app_stage import AppStage
from tests.support.payloads import make_nik, make_phone

CODE = "493021"
# As many as this kiosk takes within a minute.
PEOPLE = 10


@pytest.fixture(autouse=True)
def _cap_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAFTAR_KIOSK_MINUTE_CAP", str(PEOPLE))


def start_kiosk(walker: Walker) -> None:
    """Have the officer on shift make a kiosk of the device."""
    walker.page.get_by_role("button", name="Mode kios").click()
    walker.check_screen("kiosk-start")
    for each in walker.page.locator("input[type=password]").all():
        each.fill(CODE)
    walker.page.get_by_role("button", name="Mulai mode kios").click()
    walker.page.get_by_role("heading", name="Daftar sendiri di sini").wait_for()


def read_everything(walker: Walker) -> str:
    """Return all that the page shows, holds in fields, and keeps in the stores that are not encrypted."""
    kept: str = walker.page.evaluate(
        """async () => {
          const fields = [...document.querySelectorAll("input, textarea")].map((each) => each.value);
          const caches_ = await Promise.all((await caches.keys()).map(async (name) =>
            (await (await caches.open(name)).keys()).map((each) => each.url)));
          return JSON.stringify([document.documentElement.outerHTML, fields, location.href, document.title,
            history.state, {...localStorage}, {...sessionStorage}, document.cookie, caches_]);
        }"""
    )
    return kept


def test_people_in_a_row_leave_no_trace(stage: AppStage, open_browser: OpenBrowser) -> None:
    officer = open_browser(service_workers="allow")
    officer.enrol(stage.app_url, stage.make_code())
    officer.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    officer.sign_on()
    now = datetime.now(UTC)
    officer.page.clock.set_fixed_time(now)
    start_kiosk(officer)
    officer.check_screen("kiosk")
    url, entries = officer.page.url, officer.page.evaluate("history.length")
    codes: set[str] = set()
    for number in range(PEOPLE):
        nik, phone = make_nik(7100 + number), make_phone(7100 + number)
        name = f"Melati {'ABCDEFGHIJ'[number]}wangi"
        codes.add(officer.register(nik, name=name, phone=phone))
        if number == 0:
            officer.check_screen("kiosk-receipt")
        officer.page.get_by_role("button", name="Selesai").click()
        if number == PEOPLE - 1:
            officer.find("new-registration").click()
            expect(officer.page.get_by_text("Tunggu sebentar")).to_be_visible()
            officer.check_screen("kiosk-busy")
            officer.page.clock.set_fixed_time(now + timedelta(minutes=2))
        officer.begin()
        kept = re.sub(r"[\s-]", "", read_everything(officer))
        assert "scripts/main.js" in kept, "the caches are looked at too"
        for typed in (nik, name, phone, *codes):
            assert re.sub(r"[\s-]", "", typed) not in kept
        officer.find("back").click()
        officer.find("new-registration").wait_for()
    assert len(codes) == PEOPLE
    assert (officer.page.url, officer.page.evaluate("history.length")) == (url, entries)
    for testid in ("queue", "queue-item", "sync-now", "rescue-export"):
        assert officer.find(testid).count() == 0
    stage.wait_until(lambda: len(stage.list_registrations()) == PEOPLE)
    registrations = stage.list_registrations()
    assert {each.capture_metadata.officer for each in registrations} == {None}
    assert {each.capture_metadata.device_sequence for each in registrations} == set(range(1, PEOPLE + 1))
    assert (officer.problems, officer.errors) == ([], [])


def test_a_kiosk_clears_itself_when_nobody_touches_it_for_a_minute(
    stage: AppStage, open_browser: OpenBrowser
) -> None:
    walker = open_browser()
    walker.page.clock.install()
    walker.enrol(stage.app_url, stage.make_code())
    walker.sign_on()
    start_kiosk(walker)
    walker.begin()
    walker.fill("nik", make_nik())
    walker.find("language-en").click()
    walker.page.get_by_role("heading", name="Registration", exact=True).wait_for()
    walker.page.clock.fast_forward("00:50")
    expect(walker.page.get_by_text("Still here?")).to_be_visible()
    # From here time stands still between the steps, however slow they are.
    walker.page.clock.pause_at(walker.page.evaluate("Date.now()") / 1000 + 2)
    walker.find("nik").press("Backspace")
    expect(walker.page.get_by_text("Still here?")).to_be_hidden()
    walker.page.clock.fast_forward("00:59")
    expect(walker.find("nik")).to_be_visible()
    walker.page.clock.fast_forward("00:02")
    walker.page.get_by_role("heading", name="Daftar sendiri di sini").wait_for()
    walker.page.clock.resume()
    walker.begin()
    assert walker.find("nik").input_value() == ""


def test_a_kiosk_is_left_by_the_code_alone(officer: Walker) -> None:
    start_kiosk(officer)
    officer.page.reload()
    officer.page.get_by_role("button", name="Tutup mode kios").click()
    officer.check_screen("kiosk-leave")
    officer.page.locator("input[type=password]").fill("112233")
    officer.page.get_by_role("button", name="Tutup").click()
    officer.page.get_by_text("Salah.").wait_for()
    officer.page.locator("input[type=password]").fill(CODE)
    officer.page.get_by_role("button", name="Tutup").click()
    officer.find("officer").wait_for()
    assert officer.problems == []


def test_a_kiosk_that_a_manager_made_needs_the_managers_code(
    stage: AppStage, open_browser: OpenBrowser
) -> None:
    walker = open_browser()
    walker.enrol(stage.app_url, stage.make_code(mode="kiosk"))
    walker.page.get_by_role("button", name="Tutup mode kios").click()
    walker.page.locator("input[type=password]").fill(stage.exit_code or "")
    walker.page.get_by_role("button", name="Tutup").click()
    walker.find("officer").wait_for()


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_worker_alone_is_spoken_to_and_not_spoken_of(
    stage: AppStage, open_browser: OpenBrowser, language: str
) -> None:
    walker = open_browser()
    walker.enrol(stage.app_url, stage.make_code(mode="kiosk"))
    walker.find(f"language-{language}").click()
    walker.begin()
    # All questions are in the form, also those that come later.
    walker.answer(make_nik(), phone=None)
    walker.page.get_by_role("heading", name={"id": "Persetujuan", "en": "Consent"}[language]).wait_for()
    said = walker.page.evaluate("document.body.textContent")
    for key, texts in walker.list_texts().items():
        if key.endswith(".own"):
            of_officers = walker.list_texts()[key.removesuffix(".own")][language]
            assert of_officers.partition("{")[0].strip() not in said.replace(texts[language], ""), key
    assert not re.search(r"[Bb]acakan|[Pp]ekerja ini|the worker|[Tt]he officer", said)


def test_the_consent_is_asked_again_in_the_language_that_a_worker_chooses_later(
    stage: AppStage, open_browser: OpenBrowser
) -> None:
    walker = open_browser()
    walker.enrol(stage.app_url, stage.make_code(mode="kiosk"))
    walker.begin()
    walker.answer(make_nik())
    expect(walker.find("consent")).to_be_checked()
    walker.find("language-en").click()
    expect(walker.find("consent")).not_to_be_checked()
    expect(walker.page.locator(".consent")).to_have_attribute("lang", "en")
    walker.choose("consent")
    walker.save()
    stage.wait_until(lambda: len(stage.list_registrations()) == 1)
    (registration,) = stage.list_registrations()
    assert registration.consent.language == "en"
    assert registration.worker.language == "en"
