"""What is given up is forgotten: a device keeps nothing of a worker whose capture it has dropped."""

from collections.abc import Callable

import pytest

from chalicelib.callers import Caller, Channel, Role
from chalicelib.data_requests.schemas import SubmitDataRequest
from tests.browser.offline.device_page import DevicePage, make_content
from tests.edge.conftest import create_bucket
from tests.support.app_stage import AppStage
from tests.support.payloads import make_nik

ADMIN = Caller("head-office", frozenset({Role.ADMIN}), Channel.OFFICE, frozenset())
ERASURE = '{"request_id": "01926f3e-7c00-7000-8000-0000000000ff", "nik": "%s", "reason": "worker_request"}'
REFUSED = make_content(1, worker={"birth_date": "2020-04-12"})
COUNT_NIKS = """new Promise((resolve) => {
  const niks = device.outbox.database.transaction("niks").objectStore("niks").count();
  niks.onsuccess = () => resolve(niks.result);
})"""


def erase_at_the_server(device: DevicePage, stage: AppStage) -> None:
    """Have the worker erased while the device does not know yet that the capture arrived."""
    device.save(make_content(1))
    stage.link.loses_answers = True
    device.page.evaluate("() => { device.sender.start() }")
    stage.wait_until(lambda: len(stage.list_registrations()) == 1)
    create_bucket("photos")
    request = SubmitDataRequest.model_validate_json(ERASURE % make_nik(1))
    stage.container.data_requests.erase(request, caller=ADMIN)
    stage.link.cut()
    stage.link.restore()
    device.call("device.sender.sendNow()")


def hand_over(device: DevicePage, stage: AppStage) -> None:
    """Have a manager take the capture in from a file of a device that is another one now."""
    device.save(make_content(1))
    stage.add_device("van-2")
    device.enrol(stage.make_code("van-2"))
    device.call("device.exportRescueFile().then((file) => device.dropRescued(file))")


def discard(device: DevicePage, stage: AppStage) -> None:
    """Have the officer discard what the server refused."""
    [saved] = device.save(REFUSED)
    device.send()
    device.page.evaluate("(id) => device.outbox.discard(id, 'withdrawn')", saved["captureId"])


@pytest.mark.parametrize("give_up", [erase_at_the_server, hand_over, discard])
def test_a_capture_that_is_dropped_takes_the_hash_of_its_nik_along(
    device: DevicePage, stage: AppStage, give_up: Callable[[DevicePage, AppStage], None]
) -> None:
    give_up(device, stage)
    assert (device.count()["discarded"], device.count()["unsent"]) == (1, 0)
    assert device.call(COUNT_NIKS) == 0
    assert device.call("device.outbox.holdsNik(argument)", make_nik(1)) is None


SEALED = "device.outbox.listRecords(['discarded']).then((each) => each.map(({ sealed }) => sealed !== null))"


@pytest.mark.parametrize(
    "end",
    ["device.outbox.finishDiscards()", "device.shift.signOff().then(() => device.sender.sendNow())", None],
)
def test_what_can_be_taken_back_no_more_is_wiped(
    device: DevicePage, stage: AppStage, end: str | None
) -> None:
    [saved] = device.save(REFUSED)
    device.send()
    draft = device.call("device.outbox.newCaptureId()")
    device.page.evaluate("(id) => device.outbox.saveDraft(id, { name: 'Melati' })", draft)
    for capture_id in (saved["captureId"], draft):
        device.page.evaluate("(id) => device.outbox.discard(id, 'withdrawn')", capture_id)
    device.call("device.outbox.finishDiscards(Date.now() - 30000)")
    assert device.call(SEALED) == [True, True], "they can be taken back for half a minute"
    if end is None:
        device.page.goto(stage.blank_url)
        device = DevicePage.set_up(device.page)
    else:
        device.call(end)
    assert device.call(SEALED) == [False], "nothing of a draft stays, and of a capture its number"


def test_what_was_taken_back_is_as_it_was(device: DevicePage, stage: AppStage) -> None:
    [saved] = device.save(REFUSED)
    device.send()
    before = device.list()
    device.page.evaluate("(id) => device.outbox.discard(id, 'withdrawn')", saved["captureId"])
    device.page.evaluate("(id) => device.outbox.takeBack(id)", saved["captureId"])
    assert device.list() == before
    assert device.call("device.outbox.holdsNik(argument)", make_nik(1))["captureId"] == saved["captureId"]
    device.call("device.sender.sendNow()")
    assert stage.server.requests["POST /v1/device/discards"] == 0
    device.call("device.outbox.finishDiscards()")
    assert device.count()["needs_fix"] == 1


def test_a_hash_that_an_earlier_release_left_is_deleted_at_the_next_start(
    device: DevicePage, stage: AppStage
) -> None:
    [saved] = device.save(REFUSED)
    device.send()
    device.page.evaluate("(id) => device.outbox.discard(id, 'twice')", saved["captureId"])
    device.page.evaluate(
        """async ([captureId, capturedAt]) => {
          const niks = device.outbox.database.transaction("niks", "readwrite").objectStore("niks");
          niks.put({ captureId, hash: "left", capturedAt });
          await new Promise((resolve) => { niks.transaction.oncomplete = resolve; });
        }""",
        [saved["captureId"], saved["capturedAt"]],
    )
    assert device.call(COUNT_NIKS) == 1
    device.page.goto(stage.blank_url)
    assert DevicePage.set_up(device.page).call(COUNT_NIKS) == 0


def test_an_own_draft_that_cannot_be_opened_is_said_so_and_not_begun_anew(device: DevicePage) -> None:
    draft = device.call("device.outbox.newCaptureId()")
    device.page.evaluate("(id) => device.outbox.saveDraft(id, { name: 'Melati' })", draft)
    device.page.evaluate(
        """async (id) => {
          const [record] = await device.outbox.listRecords(["draft"]);
          const sealed = await device.outbox.vault.seal("another label", { name: "Melati" });
          await device.outbox.update([record], (stored) => ({ ...stored, sealed }));
        }""",
        draft,
    )
    read = "device.outbox.readDraft(argument).then(() => null, (error) => error.name)"
    assert device.call(read, draft) == "NotReadable"
