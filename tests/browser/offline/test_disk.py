"""What a thief finds on the disk of a tablet after a shift."""

from collections.abc import Iterator
from pathlib import Path

from tests.browser.offline.device_page import enrol_device, make_content
from tests.browser.screens.walker import Walker
from tests.support.app_stage import AppStage
from tests.support.chromium import Chromium

NIK, NAME, PHONE, ADDRESS = (
    "3171075204857777",
    "Sekarwangi Puspitaningrum",
    "0824-5550-7777",
    "Gang Kenanga 77",
)
TYPED = make_content(7777, worker={"nik": NIK, "name": NAME, "phone": PHONE, "address": ADDRESS})
VALUES = (NIK, NAME, PHONE, ADDRESS)
# What a device keeps in the clear: the scan has to find it.
CAMPAIGN = "Aktivasi Pasar Tanah Abang"
# Waits until the sealed draft has so many bytes, and returns their number.
MEASURE_DRAFT = """atLeast => new Promise((resolve) => {
  indexedDB.open("daftar").onsuccess = ({ target }) => {
    const drafts = target.result.transaction("captures").objectStore("captures").index("state").get("draft");
    drafts.onsuccess = () => {
      target.result.close();
      const size = drafts.result?.sealed.ciphertext.byteLength ?? 0;
      resolve(size >= atLeast && size);
    };
  };
})"""

# A build that stores what it should seal: with it, the scan has to find something.
SEALS = b"const ciphertext = await crypto.subtle.encrypt("
OPENS = b"const plain = await crypto.subtle.decrypt("


def work_a_shift(chromium: Chromium, stage: AppStage) -> str:
    """Save a draft and captures, send some, close the browser, and return the token."""
    device = enrol_device(chromium, stage)
    device.save(TYPED)
    device.send()
    stage.link.cut()
    device.save(make_content(7778, worker={"name": NAME, "address": ADDRESS}))
    draft = device.call("device.outbox.newCaptureId()")
    device.page.evaluate("([id, fields]) => device.outbox.saveDraft(id, fields)", [draft, TYPED])
    token: str = device.call("device.session.token")
    chromium.close()
    return token


def find_on_disk(profile: Path, values: tuple[str, ...]) -> set[str]:
    """Return the values that a file of a profile holds, in any of the ways in which Chromium writes text."""
    found = set()
    for path in _iter_files(profile):
        content = path.read_bytes()
        for value in values:
            spellings = (value.encode(), value.encode("utf-16-le"), value.encode("utf-16-be"))
            if any(spelling in content for spelling in spellings):
                found.add(value)
    return found


def _iter_files(profile: Path) -> Iterator[Path]:
    return (path for path in profile.rglob("*") if path.is_file() and not path.is_symlink())


def test_nothing_that_was_typed_is_on_the_disk(killable_tablet: Chromium, stage: AppStage) -> None:
    token = work_a_shift(killable_tablet, stage)
    assert find_on_disk(killable_tablet.profile, (*VALUES, token, CAMPAIGN)) == {CAMPAIGN}


def test_the_scan_finds_what_a_build_without_encryption_leaves(
    killable_tablet: Chromium, stage: AppStage
) -> None:
    stage.server.replace_in_file(
        "store/vault.js",
        lambda script: script.replace(
            SEALS, b"if (1) return { iv, ciphertext: encode(JSON.stringify(value)).buffer };\n" + SEALS
        ).replace(OPENS, b"if (1) return JSON.parse(new TextDecoder().decode(ciphertext));\n" + OPENS),
    )
    token = work_a_shift(killable_tablet, stage)
    assert find_on_disk(killable_tablet.profile, (*VALUES, token)) == {*VALUES, token}


def test_nothing_that_was_typed_into_the_form_is_on_the_disk(
    killable_tablet: Chromium, stage: AppStage
) -> None:
    officer = Walker(killable_tablet.context.new_page())
    officer.page.set_viewport_size({"width": 1280, "height": 800})  # All questions on one page.
    officer.enrol(stage.app_url, stage.make_code())
    officer.sign_on()
    officer.page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    officer.register(NIK, name=NAME, phone=PHONE)
    officer.wait_for_state("accepted")
    stage.link.cut()
    # And one half typed, which the browser would restore with its tabs.
    officer.begin()
    officer.answer(NIK[:-1] + "8", name=NAME, phone=PHONE)
    before = officer.page.wait_for_function(MEASURE_DRAFT, arg=1).json_value()
    officer.fill("address", ADDRESS)
    officer.page.wait_for_function(MEASURE_DRAFT, arg=before + len(ADDRESS))
    killable_tablet.close()

    spaced = " ".join(NIK[start : start + 4] for start in range(0, 16, 4))
    values = (*VALUES, NIK[:-1] + "8", spaced, PHONE.replace("-", ""), PHONE.replace("-", "")[1:])
    assert find_on_disk(killable_tablet.profile, (*values, CAMPAIGN)) == {CAMPAIGN}
