"""An officer and a capture that the server refused: it is corrected, or discarded and taken back."""

import json

from playwright.sync_api import Route, expect

from tests.browser.screens.conftest import OpenBrowser
from tests.browser.screens.walker import NAME, Walker
from tests.support.app_stage import AppStage
from tests.support.payloads import make_nik

# The key of the device is another one now: as after the browser has lost a part of what it stored.
LOSE_CONTENT = """id => new Promise((resolve) => {
  indexedDB.open("daftar").onsuccess = ({ target }) => {
    const captures = target.result.transaction("captures", "readwrite").objectStore("captures");
    captures.get(id).onsuccess = (found) => {
      const record = found.target.result;
      new Uint8Array(record.sealed.ciphertext)[3] ^= 1;
      captures.put(record);
    };
    captures.transaction.oncomplete = () => { target.result.close(); resolve(null); };
  };
})"""


def refuse_at_the_server(walker: Walker) -> None:
    """Have the device hold the rules of another day: it takes a province that the server refuses."""

    def answer(route: Route) -> None:
        response = route.fetch()
        if response.status != 200:
            return route.fulfill(response=response)
        bundle = response.json()
        bundle["limits"]["nik"]["provinces"].append("99")
        return route.fulfill(response=response, body=json.dumps(bundle))

    walker.page.route("**/bundle", answer)


def test_a_refused_capture_is_mended_and_accepted(stage: AppStage, open_browser: OpenBrowser) -> None:
    walker = open_browser()
    refuse_at_the_server(walker)
    walker.enrol(stage.app_url, stage.make_code())
    walker.sign_on()
    walker.register(make_nik(district_code="997107"))
    refused = walker.wait_for_state("needs_fix")
    assert "Kode provinsi pada NIK salah" in refused.locator('[data-testid="item-error"]').inner_text()
    walker.check_screen("refused")
    capture_id = refused.get_attribute("data-capture-id")
    refused.locator('[data-testid="fix"]').click()
    expect(walker.page.get_by_text("Kode provinsi pada NIK salah")).to_be_visible()
    assert walker.find("name").input_value() == NAME
    walker.check_screen("mend")
    walker.fill("nik", make_nik())
    walker.save()
    assert walker.wait_for_state("accepted").get_attribute("data-capture-id") == capture_id
    assert len(stage.list_registrations()) == 1
    assert (walker.problems, walker.errors) == ([], [])


def test_a_refused_capture_is_discarded_with_a_reason(stage: AppStage, open_browser: OpenBrowser) -> None:
    walker = open_browser()
    walker.page.clock.install()
    refuse_at_the_server(walker)
    walker.enrol(stage.app_url, stage.make_code())
    walker.sign_on()
    walker.register(make_nik(district_code="997107"))
    walker.wait_for_state("needs_fix").locator('[data-testid="discard"]').click()
    discarded = walker.wait_for_state("discarded")
    expect(walker.find("queue-count")).to_have_text("0")
    expect(walker.find("discard-undo")).to_be_focused()
    discarded.get_by_label("Pekerja batal mendaftar").click()
    walker.check_screen("discard")
    walker.page.clock.fast_forward("00:31")
    expect(walker.find("discard-undo")).to_have_count(0)
    assert "Pekerja batal mendaftar" in walker.wait_for_state("discarded").inner_text()
    assert walker.problems == []


def test_a_discard_is_taken_back(stage: AppStage, open_browser: OpenBrowser) -> None:
    walker = open_browser()
    refuse_at_the_server(walker)
    walker.enrol(stage.app_url, stage.make_code())
    walker.sign_on()
    walker.register(make_nik(district_code="997107"))
    walker.wait_for_state("needs_fix").locator('[data-testid="discard"]').click()
    walker.find("discard-undo").click()
    walker.wait_for_state("needs_fix").locator('[data-testid="fix"]').click()
    assert walker.reach("name").input_value() == NAME
    walker.fill("nik", make_nik())
    walker.save()
    walker.wait_for_state("accepted")
    assert walker.errors == []


def test_a_discarded_draft_is_taken_back(officer: Walker) -> None:
    officer.begin()
    officer.fill("name", NAME)
    officer.find("back").click()
    officer.wait_for_state("draft").locator('[data-testid="discard"]').click()
    officer.find("discard-undo").click()
    officer.wait_for_state("draft").locator('[data-testid="fix"]').click()
    assert officer.reach("name").input_value() == NAME


def test_a_capture_that_cannot_be_opened_is_said_so(stage: AppStage, open_browser: OpenBrowser) -> None:
    walker = open_browser()
    refuse_at_the_server(walker)
    walker.enrol(stage.app_url, stage.make_code())
    walker.sign_on()
    walker.register(make_nik(district_code="997107"))
    refused = walker.wait_for_state("needs_fix")
    walker.page.evaluate(LOSE_CONTENT, refused.get_attribute("data-capture-id"))
    refused.locator('[data-testid="fix"]').click()
    message = walker.page.get_by_role("alert").filter(has_text="Data ini tidak dapat dibuka di sini.")
    message.wait_for()
    walker.check_screen("unreadable")
    walker.find("new-registration").click()
    walker.find("nik").wait_for()
    expect(message).to_be_hidden()
    assert walker.problems == []
