"""The rescue file: whatever happens to the account or the network, what a device holds reaches the server."""

from typing import Any

from tests.browser.offline.device_page import OFFICER, DevicePage, make_content
from tests.support.app_stage import DEVICE, AppStage

_EXPORT = """(async () => {
  const file = await device.exportRescueFile();
  return { ...file, text: await file.blob.text() };
})()"""
TYPED = ["317107520485", "Melati", "5550", "Jalan Contoh"]


def export(device: DevicePage) -> dict[str, Any]:
    """Return the rescue file that an officer saves, with its text."""
    file: dict[str, Any] = device.call(_EXPORT)
    return file


def take_in(stage: AppStage, file: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the verdicts on a file that a manager hands in."""
    status, answer = stage.send_as_manager("POST", "/v1/rescues", file["text"].encode())
    assert status == 200, answer
    results: list[dict[str, Any]] = answer["results"]
    return results


def test_a_device_that_can_send_no_more_hands_over_what_it_holds(device: DevicePage, stage: AppStage) -> None:
    stage.link.cut()
    device.save(make_content(1), make_content(2))
    device.call("device.shift.signOff()")
    device.sign_on("ofc-13")
    device.save(make_content(3))
    stage.container.clients.revoke(DEVICE)
    stage.restart()
    stage.link.restore()
    device.send()

    file = export(device)
    assert file["count"] == 3
    assert not [value for value in TYPED if value in file["text"] + file["filename"]]
    assert [verdict["outcome"] for verdict in take_in(stage, file)] == ["created"] * 3

    metadata = [each.capture_metadata for each in stage.list_registrations()]
    assert [(each.client_id, each.device_sequence, each.officer) for each in metadata] == [
        (DEVICE, 1, OFFICER),
        (DEVICE, 2, OFFICER),
        (DEVICE, 3, "ofc-13"),
    ]
    assert stage.list_missing_numbers() == []


def test_a_file_that_is_taken_in_twice_registers_nobody_twice(device: DevicePage, stage: AppStage) -> None:
    stage.link.cut()
    device.save(make_content(1), make_content(2))
    file = export(device)
    first = take_in(stage, file)
    assert take_in(stage, file) == first
    assert take_in(stage, export(device)) == first
    assert len(stage.list_registrations()) == 2

    # The device sends them all the same once it can, and gets the same answers.
    stage.link.restore()
    assert device.send()["accepted"] == 2
    assert [capture["reference"] for capture in device.list()] == [each["reference"] for each in first]
    assert len(stage.list_registrations()) == 2


def test_an_export_changes_nothing_on_the_device(device: DevicePage, stage: AppStage) -> None:
    stage.link.cut()
    device.save(make_content(1))
    before = device.list()
    export(device)
    assert device.list() == before
    assert device.call("device.exportRescueFile().then((file) => device.dropRescued(file))") is None
    assert device.list() == before, "what it can still send stays"


def test_what_was_handed_over_is_dropped_when_the_device_is_another_one(
    device: DevicePage, stage: AppStage
) -> None:
    stage.link.cut()
    device.save(make_content(1))
    stage.link.restore()
    stage.add_device("van-2")
    device.enrol(stage.make_code("van-2"))
    assert device.count()["unsent"] == 1

    device.call("device.exportRescueFile().then((file) => device.dropRescued(file))")
    assert device.count()["unsent"] == 0
    assert [capture["discardReason"] for capture in device.list()] == ["rescued"]
