"""Sending what was saved: every capture is registered once, and ticked when the server has said so."""

from datetime import timedelta

import pytest

from tests.browser.offline.device_page import OFFICER, DevicePage, make_content, reopen
from tests.support.app_stage import DEVICE, AppStage
from tests.support.chromium import Chromium, Session
from tests.support.dynamodb_faults import Fault, run_faulty_proxy
from tests.support.payloads import make_nik

# Scripts that make a browser's clock wrong: the page's own, not that of its timers.
SHIFT_CLOCK = """(seconds) => {
  const RealDate = Date;
  globalThis.Date = class extends RealDate {
    constructor(...given) { given.length ? super(...given) : super(RealDate.now() + seconds * 1000); }
    static now() { return RealDate.now() + seconds * 1000; }
  };
}"""


def list_arrived(stage: AppStage) -> list[tuple[int | None, str | None]]:
    """Return number and officer of every registration, by the time of capture."""
    return [
        (each.capture_metadata.device_sequence, each.capture_metadata.officer)
        for each in stage.list_registrations()
    ]


def test_a_market_day_without_a_network_and_with_a_browser_that_dies_loses_nothing(
    killable_device: DevicePage, killable_tablet: Chromium, stage: AppStage
) -> None:
    device = killable_device
    stage.link.cut()
    device.call("device.sender.start()")

    # Killed while captures are saved, one of which may be on the disk without the officer knowing.
    device.save(*(make_content(number) for number in range(1, 61)))
    device.begin_saving(*(make_content(number) for number in range(61, 66)))
    device = reopen(killable_tablet, stage)
    saved = len(device.list())
    assert saved >= 60
    device.sign_on("ofc-13")
    device.save(*(make_content(number) for number in range(100, 300 - saved)))
    assert device.count()["waiting"] == 200
    assert stage.list_registrations() == []

    # Killed while a batch is on its way, and between the server's answer and its arrival.
    stage.link.restore()
    stage.link.loses_answers = True
    device.page.evaluate("() => { device.sender.start() }")
    stage.wait_until(lambda: len(stage.list_registrations()) >= 5)
    device = reopen(killable_tablet, stage)
    numbers = device.count()
    assert (numbers["accepted"], numbers["waiting"] + numbers["sending"]) == (0, 200)

    stage.link.restore()
    device.send()
    # On a busy machine the server may ask for the rest of a batch once more.
    stage.wait_until(lambda: device.count()["unsent"] == 0, seconds=90)
    assert device.count()["accepted"] == 200
    arrived = list_arrived(stage)
    assert arrived == [(number, OFFICER if number <= saved else "ofc-13") for number in range(1, 201)]
    assert stage.list_missing_numbers() == []


def test_a_capture_is_ticked_when_the_server_has_said_so_and_not_when_it_was_sent(
    device: DevicePage, stage: AppStage
) -> None:
    device.save(make_content(1))
    stage.link.loses_answers = True
    device.page.evaluate("() => { device.sender.start() }")
    stage.wait_until(lambda: len(stage.list_registrations()) == 1)
    assert device.count()["accepted"] == 0

    stage.link.cut()
    stage.link.restore()
    assert device.send()["accepted"] == 1
    assert len(stage.list_registrations()) == 1
    [capture] = device.list()
    assert capture["reference"] == stage.list_registrations()[0].reference


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Type": "text/html"}, b"<title>Masuk ke Wi-Fi Pasar</title>"),
        (200, {"Content-Type": "application/json"}, b"{}"),
        (401, {"Content-Type": "text/html"}, b"sign in"),
        (502, {"Content-Type": "application/json"}, b'{"message": null}'),
        (
            200,
            {"Content-Type": "application/json"},
            b'{"results": [{"capture_id": "another", "outcome": "created"}]}',
        ),
    ],
)
def test_an_answer_of_something_else_than_the_api_is_no_tick(
    device: DevicePage, stage: AppStage, answer: tuple[int, dict[str, str], bytes]
) -> None:
    device.save(make_content(1))
    stage.server.fault = answer
    assert device.send()["waiting"] == 1
    assert device.call("device.session.state") == "enrolled"

    stage.server.fault = None
    assert device.send()["accepted"] == 1


def test_personal_fields_are_wiped_once_the_server_has_the_capture(device: DevicePage) -> None:
    device.save(make_content(7001))
    stored = "(async () => (await device.outbox.listRecords(['waiting', 'accepted']))[0].sealed === null)()"
    assert device.call(stored) is False
    device.send()
    assert device.call(stored) is True
    [capture] = device.list()
    assert capture["reference"]
    held = device.call("device.outbox.holdsNik(argument)", make_nik(7001))
    assert (held["state"], held["reference"]) == ("accepted", capture["reference"])

    device.call("device.shift.signOff()")
    device.sign_on()
    assert device.list() == []
    assert device.call("device.outbox.holdsNik(argument)", make_nik(7001))["reference"] is None


def test_batches_are_compressed_and_say_which_release_sent_them(device: DevicePage, stage: AppStage) -> None:
    device.save(*(make_content(number) for number in range(1, 31)))
    device.send()
    batches = [headers for path, headers in stage.server.sent_headers if path == "/v1/registrations/batch"]
    assert [headers["content-encoding"] for headers in batches] == ["gzip", "gzip"]
    assert sum(int(headers["content-length"]) for headers in batches) / 30 < 150
    assert {headers["app-version"] for headers in batches} == {device.call("device.release")}


def test_a_draft_does_not_wake_the_sender(device: DevicePage) -> None:
    device.send()
    device.call("device.sender.running")
    looked = device.page.evaluate(
        """async () => {
          const { outbox, sender } = device;
          let looked = 0;
          const list = outbox.listRecords.bind(outbox);
          outbox.listRecords = (states) => { looked += 1; return list(states); };
          const id = outbox.newCaptureId();
          for (const name of ["M", "Me", "Mel"]) await outbox.saveDraft(id, { name });
          await sender.running;
          return looked;
        }"""
    )
    assert looked == 0


def test_two_tabs_send_every_capture_once(device: DevicePage, tablet: Session, stage: AppStage) -> None:
    device.save(*(make_content(number) for number in range(1, 31)))
    other = DevicePage.open(tablet, stage)
    for page in (device, other):
        page.page.evaluate("() => { device.sender.start() }")
    stage.wait_until(lambda: device.count()["accepted"] == 30)
    assert stage.server.requests["POST /v1/registrations/batch"] == 2
    assert other.count()["accepted"] == 30


def test_a_tab_takes_over_when_the_one_that_sends_is_closed(
    device: DevicePage, tablet: Session, stage: AppStage
) -> None:
    other = DevicePage.open(tablet, stage)
    other.page.evaluate("() => { device.sender.start() }")
    stage.link.loses_answers = True
    device.page.evaluate("() => { device.sender.start() }")
    device.save(make_content(1))
    stage.wait_until(lambda: len(stage.list_registrations()) == 1)
    device.page.close()
    stage.link.cut()
    stage.link.restore()
    other.send()
    assert other.count()["accepted"] == 1
    assert len(stage.list_registrations()) == 1


def test_a_refused_capture_is_mended_and_accepted_under_its_own_number(
    device: DevicePage, stage: AppStage
) -> None:
    wrong = make_content(1, worker={"birth_date": "2020-04-12"})
    [saved, *_] = device.save(wrong, make_content(2))
    assert device.send()["needs_fix"] == 1
    refused = next(capture for capture in device.list() if capture["state"] == "needs_fix")
    assert refused["captureId"] == saved["captureId"]
    assert [error["code"] for error in refused["problem"]["errors"]] == ["age_too_young"]
    assert refused["mendable"]
    assert device.call("device.outbox.read(argument)", saved["captureId"]) == wrong

    mended = device.page.evaluate(
        "([id, content]) => device.outbox.mend(id, content)", [saved["captureId"], make_content(1)]
    )
    assert (mended["state"], mended["captureId"]) == ("waiting", saved["captureId"])
    assert device.send()["accepted"] == 2
    assert [number for number, _ in list_arrived(stage)] == [1, 2]
    assert stage.list_missing_numbers() == []


def test_a_refused_capture_is_discarded_with_a_reason_and_owes_no_number(
    device: DevicePage, stage: AppStage
) -> None:
    [saved, *_] = device.save(make_content(1, worker={"birth_date": "2020-04-12"}), make_content(2))
    device.send()
    device.page.evaluate("(id) => device.outbox.discard(id, 'withdrawn')", saved["captureId"])
    [discarded, _] = device.list()
    assert (discarded["state"], discarded["discardReason"]) == ("discarded", "withdrawn")
    device.call("device.outbox.finishDiscards()")
    assert device.count()["unsent"] == 0
    assert stage.list_missing_numbers() == []
    assert device.call("device.outbox.holdsNik(argument)", make_nik(1)) is None


def test_a_number_that_the_server_could_not_read_is_reported_when_it_is_given_up(
    device: DevicePage, stage: AppStage
) -> None:
    unreadable = make_content(1, worker={"address": 7})
    [saved, *_] = device.save(unreadable, make_content(2))
    assert device.send()["needs_fix"] == 1
    assert stage.list_missing_numbers() == [(1, 1)]

    # What somebody wrote might name the worker: neither the device nor the server keeps it.
    device.page.evaluate("(id) => device.outbox.discard(id, 'Siti pulang')", saved["captureId"])
    assert [capture["discardReason"] for capture in device.list()] == ["other", None]
    device.call("device.sender.sendNow()")
    assert stage.list_missing_numbers() == [(1, 1)], "it can still be taken back"
    device.call("device.outbox.finishDiscards()")
    device.call("device.sender.sendNow()")
    assert stage.list_missing_numbers() == []
    assert [(each.device_sequence, each.reason) for each in stage.container.discards.list_latest(DEVICE)] == [
        (1, "other")
    ]
    device.call("device.sender.sendNow()")
    assert stage.server.requests["POST /v1/device/discards"] == 1


def test_an_id_that_the_server_knows_with_other_content_loses_nothing(
    device: DevicePage, stage: AppStage
) -> None:
    # As when an officer mends what another copy of this device's storage has sent already.
    [saved] = device.save(make_content(1))
    device.send()
    device.page.evaluate(
        """async ([id, content]) => {
          const { outbox } = device;
          const sealed = await outbox.vault.seal(`content ${id}`, content);
          const [record] = await outbox.listRecords(["accepted"]);
          await outbox.update([record], (stored) => ({ ...stored, sealed, state: "waiting" }));
        }""",
        [saved["captureId"], make_content(2)],
    )
    assert device.send()["needs_fix"] == 1
    [refused] = device.list()
    assert refused["problem"]["code"] == "capture_reused"

    content = device.call("device.outbox.read(argument)", saved["captureId"])
    assert content == make_content(2)
    device.page.evaluate("([id, content]) => device.outbox.mend(id, content)", [saved["captureId"], content])
    assert device.send()["accepted"] == 1
    assert sorted(list_arrived(stage)) == [(1, OFFICER), (2, OFFICER)]


def test_what_the_server_could_not_do_now_is_sent_again_by_itself(
    device: DevicePage, stage: AppStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    device.save(*(make_content(number) for number in range(1, 9)))
    with run_faulty_proxy() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        stage.restart()
        proxy.faults.append(Fault("TransactWriteItems", "ThrottlingException", times=12))
        device.call("(device.sender.start(), device.sender.running)")
        numbers = device.count()
        assert 0 < numbers["waiting"] < 8
        assert numbers["accepted"] + numbers["waiting"] == 8
        proxy.faults.clear()
        stage.wait_until(lambda: device.count()["accepted"] == 8)
    assert [number for number, _ in sorted(list_arrived(stage))] == list(range(1, 9))


def test_what_a_kiosk_sends_too_fast_waits_for_the_next_minute(
    tablet: Session, stage: AppStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAFTAR_KIOSK_MINUTE_CAP", "3")
    stage.restart()
    # At the server a minute has just begun.
    stage.clock.ahead = timedelta(seconds=62 - stage.clock().second)
    device = DevicePage.open(tablet, stage)
    device.call("device.session.enrol(argument)", stage.make_code(mode="kiosk"))
    device.save(*(make_content(number) for number in range(1, 6)))
    numbers = device.send()
    assert (numbers["accepted"], numbers["waiting"], numbers["needs_fix"]) == (3, 2, 0)
    due = device.call("device.outbox.listRecords(['waiting'])")
    assert {each["problem"]["code"] for each in due} == {"kiosk_cap_reached"}
    pauses = [each["notBefore"] - device.call("Date.now()") for each in due]
    assert all(30_000 < pause <= 60_000 for pause in pauses), "they are sent by themselves, a minute later"

    stage.clock.ahead += timedelta(minutes=1)
    device.call("device.sender.sendNow()")
    assert device.count()["accepted"] == 5
    assert [number for number, _ in list_arrived(stage)] == [1, 2, 3, 4, 5]


def test_a_device_whose_token_is_revoked_keeps_what_it_holds(device: DevicePage, stage: AppStage) -> None:
    device.save(make_content(1))
    device.send()
    stage.link.cut()
    device.save(make_content(2), make_content(3))
    stage.container.clients.revoke(DEVICE)
    stage.restart()
    stage.link.restore()
    device.call("device.sender.sendNow()")
    assert device.call("[device.session.state, device.sender.state]") == ["revoked", "refused"]
    assert device.count()["waiting"] == 2

    # Enrolled as another device, it sends its own captures and not those of the one that it was.
    stage.add_device("van-2")
    device.enrol(stage.make_code("van-2"))
    device.save(make_content(4))
    assert device.send()["waiting"] == 2
    metadata = [each.capture_metadata for each in stage.list_registrations()]
    assert [(each.client_id, each.device_sequence) for each in metadata] == [(DEVICE, 1), ("van-2", 1)]


@pytest.mark.parametrize("seconds", [3600, -3600])
def test_a_clock_that_is_an_hour_wrong_is_measured_and_sent_along(
    tablet: Session, stage: AppStage, seconds: int
) -> None:
    page = tablet.new_page(stage.blank_url)
    page.evaluate(SHIFT_CLOCK, seconds)
    device = DevicePage.set_up(page)
    device.enrol(stage.make_code())
    assert abs(device.call("device.session.clockSkewSeconds") - seconds) <= 3

    given_at = device.call("new Date().toISOString()")
    device.save(make_content(1, consent={"given_at": given_at}))
    assert device.send()["accepted"] == 1
    [registration] = stage.list_registrations()
    ahead = registration.capture_metadata.captured_at - stage.clock()
    assert abs(ahead.total_seconds() - seconds) < 30
    [headers] = [headers for path, headers in stage.server.sent_headers if path.endswith("/batch")]
    assert abs(int(headers["device-clock-skew"]) - seconds) <= 3
