"""A new release of the app: it comes while a device holds captures, and takes none of them away."""

import shutil
from pathlib import Path

from chalicelib.web.site import STATIC_DIRECTORY
from tests.browser.offline.device_page import DevicePage, make_content
from tests.support.app_stage import AppStage
from tests.support.chromium import Session


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
    device.call("device.update.check()")
    device.call("new Promise((resolve) => setTimeout(resolve, 500))")
    assert device.call("device.update.available") is False
    stage.link.cut()
    device.page.close()
    assert DevicePage.open(tablet, stage).count()["waiting"] == 0, "the old release still opens"
