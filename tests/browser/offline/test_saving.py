"""Saving on the device: what was said to be saved is on the disk, whatever happens to the browser."""

import pytest
from playwright.sync_api import Error

from tests.browser.offline.device_page import DevicePage, make_content, reopen
from tests.support.app_stage import AppStage
from tests.support.chromium import Chromium, Session
from tests.support.payloads import make_nik

# Platforms that fail, as scripts that run before the app's. Each is what a real browser or disk may do.
LOSES_WRITES = """
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (value, key) {
    const isLost = this.name === "captures" && value.state !== "draft";
    return isLost ? this.get("nothing") : put.call(this, value, key);
  };
"""
CHANGES_WRITES = """
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = function (value, key) {
    if (this.name === "captures" && value.sealed) new Uint8Array(value.sealed.ciphertext)[5] ^= 1;
    return put.call(this, value, key);
  };
"""
REFUSES_STORAGE = "indexedDB.open = () => { throw new DOMException('denied', 'SecurityError'); };"

CATCH = (
    "(async () => { try { %s; return null } catch (error) { return [error.name, error.isFull ?? null] } })()"
)

SAVE = CATCH % "await device.outbox.save(device.outbox.newCaptureId(), argument)"


def test_a_saved_capture_is_there_after_the_browser_was_killed(
    killable_device: DevicePage, killable_tablet: Chromium, stage: AppStage
) -> None:
    [saved] = killable_device.save(make_content(1))
    device = reopen(killable_tablet, stage)

    assert device.list() == [saved]
    assert saved["state"] == "waiting"
    assert saved["sequence"] == 1
    assert saved["officer"] == "ofc-12"


def test_a_browser_killed_while_it_saves_leaves_no_number_out_and_gives_none_twice(
    killable_device: DevicePage, killable_tablet: Chromium, stage: AppStage
) -> None:
    device, announced = killable_device, 0
    for first in (1, 101):
        device.begin_saving(*(make_content(number) for number in range(first, first + 89)))
        announced += device.wait_until_saved(12)
        device = reopen(killable_tablet, stage)

    numbers = [capture["sequence"] for capture in device.list()]
    assert len(numbers) >= announced
    assert len(numbers) < 178, "it was killed after it had saved everything"
    assert numbers == list(range(1, len(numbers) + 1))


def test_two_tabs_number_their_captures_together(
    device: DevicePage, tablet: Session, stage: AppStage
) -> None:
    other = DevicePage.open(tablet, stage)
    save_many = """(contents) => {
      const { outbox } = device;
      window.saving = Promise.all(contents.map((content) => outbox.save(outbox.newCaptureId(), content)));
    }"""
    device.page.evaluate(save_many, [make_content(number) for number in range(20)])
    other.page.evaluate(save_many, [make_content(number) for number in range(20, 40)])
    device.call("saving")
    other.call("saving")

    assert sorted(capture["sequence"] for capture in device.list()) == list(range(1, 41))


def test_a_capture_that_is_saved_twice_at_once_is_one(device: DevicePage) -> None:
    content = make_content(1)
    both = device.page.evaluate(
        """(content) => {
          const { outbox } = device;
          const captureId = outbox.newCaptureId();
          return Promise.all([outbox.save(captureId, content), outbox.save(captureId, content)]);
        }""",
        content,
    )
    assert both[0] == both[1]
    [next_one] = device.save(make_content(2))
    assert next_one["sequence"] == 2


def test_an_id_that_was_used_takes_no_other_content(device: DevicePage) -> None:
    [saved] = device.save(make_content(1))
    save_again = CATCH % f"await device.outbox.save('{saved['captureId']}', argument)"
    assert device.call(save_again, make_content(2)) == ["CaptureKnown", None]


@pytest.mark.parametrize("fault", [LOSES_WRITES, CHANGES_WRITES])
def test_a_capture_that_cannot_be_read_back_is_not_said_to_be_saved(device: DevicePage, fault: str) -> None:
    device.page.evaluate(f"() => {{ {fault} }}")
    assert device.call(SAVE, make_content(1)) == ["StorageFailed", False]


def test_a_full_disk_is_said_and_takes_no_number(tablet: Session, stage: AppStage) -> None:
    page = tablet.new_page(stage.blank_url)
    quota = page.context.new_cdp_session(page)
    origin = stage.app_url.removesuffix("/api/app")
    # Chromium 156 needs more than 120,000 bytes for an empty database; 300,000 leave room for captures.
    quota.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 300_000})
    device = DevicePage.set_up(page)
    device.enrol(stage.make_code())
    saved = 0
    while (error := device.call(SAVE, make_content(saved + 1))) is None:
        saved += 1
        assert saved < 1_000, "the disk is never full"
    assert error == ["StorageFailed", True]
    assert device.call("device.checkSpace()")["low"]

    quota.send("Storage.overrideQuotaForOrigin", {"origin": origin})
    device.save(make_content(saved + 1))
    assert [capture["sequence"] for capture in device.list()] == list(range(1, saved + 2))


def test_a_browser_that_stores_nothing_is_no_device(tablet: Session, stage: AppStage) -> None:
    page = tablet.new_page(stage.blank_url)
    page.evaluate(f"() => {{ {REFUSES_STORAGE} }}")
    with pytest.raises(Error, match="StorageFailed"):
        DevicePage.set_up(page)


def test_the_browser_is_asked_to_keep_what_is_stored(device: DevicePage) -> None:
    asked = device.page.evaluate(
        """async () => {
          let asked = 0;
          const persist = StorageManager.prototype.persist;
          StorageManager.prototype.persist = function () { asked += 1; return persist.call(this); };
          await device.checkSpace();
          return asked + ((await navigator.storage.persisted()) ? 1 : 0);
        }"""
    )
    assert asked >= 1


def test_a_draft_is_found_again_and_becomes_the_capture(
    killable_device: DevicePage, killable_tablet: Chromium, stage: AppStage
) -> None:
    capture_id = killable_device.call("device.outbox.newCaptureId()")
    for name in ("Me", "Melati"):
        killable_device.page.evaluate(
            "([id, name]) => device.outbox.saveDraft(id, { worker: { name } })", [capture_id, name]
        )
    device = reopen(killable_tablet, stage)

    assert [capture["state"] for capture in device.list()] == ["draft"]
    assert device.call("device.outbox.readDraft(argument)", capture_id) == {"worker": {"name": "Melati"}}
    saved = device.page.evaluate(
        "([id, content]) => device.outbox.save(id, content)", [capture_id, make_content(1)]
    )
    assert device.list() == [saved]
    assert saved["sequence"] == 1


def test_the_next_officer_sees_how_many_are_unsent_and_never_whose(device: DevicePage) -> None:
    [saved] = device.save(make_content(1))
    device.page.evaluate(
        "(id) => device.outbox.saveDraft(id, {})", device.call("device.outbox.newCaptureId()")
    )
    owed = device.call("device.shift.signOff()")
    assert owed["unsent"] == 1

    device.sign_on("ofc-13")
    assert device.list() == []
    assert device.count()["unsent"] == 1
    for method in ("read", "readDraft"):
        answer = device.call(CATCH % f"return await device.outbox.{method}(argument)", saved["captureId"])
        assert answer == ["NotReadable", None]


def test_nothing_is_saved_without_an_officer_on_shift(device: DevicePage) -> None:
    device.call("device.shift.signOff()")
    assert device.call(SAVE, make_content(1)) == ["ShiftNeeded", None]


def test_a_nik_that_this_device_holds_is_known_however_it_is_typed(device: DevicePage) -> None:
    [saved] = device.save(make_content(7001))
    spaced = " ".join(make_nik(7001)[start : start + 4] for start in range(0, 16, 4))
    assert device.call("device.outbox.holdsNik(argument)", spaced)["captureId"] == saved["captureId"]
    assert device.call("device.outbox.holdsNik(argument)", make_nik(7002)) is None
