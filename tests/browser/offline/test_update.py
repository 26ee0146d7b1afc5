"""A new release of the app: it comes while a device holds captures, and takes none of them away."""

import shutil
from pathlib import Path

from playwright.sync_api import expect

from chalicelib.web.site import STATIC_DIRECTORY
from tests.browser.offline.device_page import DevicePage, make_content
from tests.browser.screens.walker import Walker
from tests.support.app_stage import AppStage
from tests.support.chromium import Session
from tests.support.payloads import make_nik


def publish_next_release(stage: AppStage, directory: Path) -> str:
    """Serve a release in which one file differs. Return its name."""
    shutil.copytree(STATIC_DIRECTORY, directory)
    changed = directory / "scripts" / "errors.js"
    changed.write_text(changed.read_text() + "\n// The next release.\n")
    return stage.server.publish(directory)


def test_a_full_outbox_and_a_draft_outlive_an_update(
    device: DevicePage, tablet: Session, stage: AppStage, tmp_path: Path
) -> None:
    first_release = device.call("device.release")
    device.page.close()
    device = DevicePage.open(tablet, stage)  # Now by the service worker.
    stage.link.cut()
    saved = device.save(*(make_content(number) for number in range(1, 6)))
    draft = device.call("device.outbox.newCaptureId()")
    device.page.evaluate("(id) => device.outbox.saveDraft(id, { step: 3 })", draft)
    stage.link.restore()

    release = publish_next_release(stage, tmp_path / "next")
    assert release != first_release
    device.call("device.update.check()")
    device.page.wait_for_function("device.update.available")
    assert device.save(make_content(6))[0]["state"] == "waiting", "the old release works on"
    assert device.call("device.release") == first_release
    with device.page.expect_navigation():
        device.page.evaluate("() => { device.update.apply() }")

    device = DevicePage.set_up(device.page)
    device.sign_on()
    assert device.call("device.release") == release
    assert device.call("caches.keys()") == [f"daftar-{release}"]
    listed = device.list()
    assert [each for each in listed if each["state"] == "waiting"][:5] == saved
    assert device.call("device.outbox.readDraft(argument)", draft) == {"step": 3}
    assert device.send()["accepted"] == 6
    assert {
        headers["app-version"] for path, headers in stage.server.sent_headers if path.endswith("/batch")
    } == {release}


def test_a_release_of_which_a_file_is_missing_is_not_installed(
    device: DevicePage, tablet: Session, stage: AppStage, tmp_path: Path
) -> None:
    device.page.close()
    device = DevicePage.open(tablet, stage)
    publish_next_release(stage, tmp_path / "next")
    (tmp_path / "next" / "store" / "outbox.js").unlink()
    # The new worker is thrown away when a file of its release cannot be loaded.
    device.call(
        """new Promise((resolve) => {
          device.update.registration.addEventListener("updatefound", ({ target }) => {
            const { installing } = target;
            installing.addEventListener("statechange", () => installing.state === "redundant" && resolve());
          });
          void device.update.check();
        })"""
    )
    assert device.call("device.update.available") is False
    stage.link.cut()
    device.page.close()
    assert DevicePage.open(tablet, stage).count()["waiting"] == 0, "the old release still opens"


def wait_for_release(walker: Walker, release: str) -> None:
    """Wait until the screen says that it is of a release."""
    walker.page.locator("footer", has_text=release[:8]).wait_for()


def open_app(tablet: Session, stage: AppStage, mode: str | None = None) -> Walker:
    """Return an enrolled device whose screens come from the service worker."""
    walker = Walker(tablet.context.new_page())
    walker.enrol(stage.app_url, stage.make_code(mode=mode))
    walker.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    walker.page.reload()
    walker.page.wait_for_function("navigator.serviceWorker.controller !== null")
    return walker


def tell_of_network(walker: Walker) -> None:
    """Have the browser say that it is online again: then the app looks for a new release."""
    walker.page.evaluate("dispatchEvent(new Event('online'))")


def test_a_kiosk_puts_a_release_to_use_by_itself_between_two_people(
    tablet: Session, stage: AppStage, tmp_path: Path
) -> None:
    kiosk = open_app(tablet, stage, mode="kiosk")
    kiosk.begin()
    kiosk.fill("nik", make_nik())
    release = publish_next_release(stage, tmp_path / "next")
    tell_of_network(kiosk)
    kiosk.page.wait_for_function(
        "navigator.serviceWorker.getRegistration().then((each) => each.waiting !== null)"
    )
    expect(kiosk.page.get_by_text("Ada versi baru")).to_have_count(0)
    expect(kiosk.find("nik")).not_to_have_value("")
    kiosk.find("back").click()
    wait_for_release(kiosk, release)
    kiosk.page.get_by_role("heading", name="Daftar sendiri di sini").wait_for()
    expect(kiosk.page.get_by_text("Ada versi baru")).to_have_count(0)


def test_an_officer_is_told_of_a_release_when_no_form_is_open(
    tablet: Session, stage: AppStage, tmp_path: Path
) -> None:
    officer = open_app(tablet, stage)
    officer.sign_on()
    officer.begin()
    release = publish_next_release(stage, tmp_path / "next")
    tell_of_network(officer)
    officer.page.wait_for_function(
        "navigator.serviceWorker.getRegistration().then((each) => each.waiting !== null)"
    )
    expect(officer.page.get_by_text("Ada versi baru")).to_have_count(0)
    officer.find("back").click()
    officer.page.get_by_role("button", name="Pakai sekarang").click()
    wait_for_release(officer, release)
