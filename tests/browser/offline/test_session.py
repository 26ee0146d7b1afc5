"""The device's enrolment: its token, its bundle and its campaign, with a network and without."""

from datetime import timedelta

import pytest

from tests.browser.offline.device_page import DevicePage, make_content
from tests.support.app_stage import CAMPAIGN, AppStage
from tests.support.chromium import Chromium, Session

CATCH = (
    "(async () => { try { %s; return null } catch (error) { return [error.name, error.code ?? null] } })()"
)
ENROL = CATCH % "await device.session.enrol(argument)"
STATE = "[device.session.state, Math.round(device.session.daysLeft)]"


def test_a_code_is_good_once_and_a_lost_answer_costs_nothing(tablet: Session, stage: AppStage) -> None:
    device = DevicePage.open(tablet, stage)
    code = stage.make_code()
    stage.link.loses_answers = True
    device.page.evaluate(
        "(code) => { window.lost = device.session.enrol(code).catch((error) => error.name) }", code
    )
    stage.wait_until(lambda: stage.server.requests["POST /v1/enrolments"] == 1)
    stage.link.cut()
    assert device.call("lost") == "Unreachable"
    assert device.call("device.session.state") == "none"

    stage.link.restore()
    assert device.call(ENROL, code) is None
    assert device.call("device.session.state") == "enrolled"

    other = DevicePage.open(tablet, stage)
    assert other.call(ENROL, code) == ["ApiProblem", "enrolment_code_unknown"]
    assert other.call(ENROL, "WRONGONE") == ["ApiProblem", "enrolment_code_unknown"]


def test_the_bundle_is_there_without_a_network_and_loaded_again_when_it_has_changed(
    killable_device: DevicePage, killable_tablet: Chromium, stage: AppStage
) -> None:
    stage.link.cut()
    killable_tablet.kill()
    killable_tablet.open()
    device = DevicePage.open(killable_tablet, stage)
    assert device.call("device.session.bundle.campaign.name") == "Aktivasi Pasar Tanah Abang"
    device.call("device.session.refresh()")

    stage.link.restore()
    before = stage.link.bytes_down
    device.call("device.session.refresh()")
    assert stage.link.bytes_down - before < 4_000, "the same bundle was sent again"

    stage.container.campaigns.change(CAMPAIGN, {"name": "Pasar Pagi"})
    device.call("device.session.refresh()")
    assert device.call("device.session.bundle.campaign.name") == "Pasar Pagi"


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null", b'{"campaigns": null}'])
def test_an_answer_of_something_else_than_the_api_changes_nothing(
    device: DevicePage, stage: AppStage, body: bytes
) -> None:
    kept = "[device.session.device, device.session.bundle.campaign.name, device.session.state]"
    before = device.call(kept)
    stage.server.fault = (200, {"Content-Type": "application/json"}, body)

    assert device.call(CATCH % "await device.session.refresh()") is None
    assert device.call(kept) == before

    stage.clock.ahead = timedelta(days=device.call("device.session.daysLeft") - 3)
    assert device.call(CATCH % "await device.session.refresh()") is None
    assert device.call(kept)[:2] == before[:2]
    assert device.call(ENROL, "ABCDEFGH") == ["Unreachable", None]


def test_the_token_is_renewed_by_itself_in_its_last_week(device: DevicePage, stage: AppStage) -> None:
    state, days = device.call(STATE)
    assert state == "enrolled"
    stage.clock.ahead = timedelta(days=days - 3)
    device.save(make_content(1))
    device.send()
    assert device.call(STATE) == ["expiring", 3]

    device.call("device.session.refresh()")
    assert device.call(STATE) == ["enrolled", days]
    device.call("device.sender.sendNow()")
    assert device.call("device.session.state") == "enrolled"


def test_a_token_that_has_ended_is_said_and_nothing_is_lost(device: DevicePage, stage: AppStage) -> None:
    _, days = device.call(STATE)
    stage.link.cut()
    device.save(make_content(1))
    stage.clock.ahead = timedelta(days=days + 1)
    stage.link.restore()
    device.send()
    assert device.call("[device.session.state, device.sender.state]") == ["expired", "refused"]

    stage.clock.ahead = timedelta()
    device.enrol(stage.make_code())
    assert device.send()["accepted"] == 1


def test_numbers_go_on_after_the_browser_has_lost_its_database(
    killable_device: DevicePage, killable_tablet: Chromium, stage: AppStage
) -> None:
    device = killable_device
    device.save(make_content(1))
    device.send()
    stage.link.cut()
    device.save(make_content(2), make_content(3))
    device.page.close()
    page = killable_tablet.new_page("about:blank")
    origin = stage.app_url.removesuffix("/api/app")
    page.context.new_cdp_session(page).send(
        "Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "indexeddb"}
    )

    stage.link.restore()
    device = DevicePage.open(killable_tablet, stage)
    assert device.call("device.session.state") == "none"
    device.enrol(stage.make_code())
    device.save(make_content(4))
    device.send()
    assert stage.list_missing_numbers() == [(2, 3)], "what was lost must be seen"


def test_a_kiosk_is_one_from_its_enrolment_until_its_code_is_typed(tablet: Session, stage: AppStage) -> None:
    device = DevicePage.open(tablet, stage)
    device.call("device.session.enrol(argument)", stage.make_code(mode="kiosk"))
    again = DevicePage.open(tablet, stage)
    for page in (device, again):
        assert page.call("[device.kiosk.active, device.session.device.mode]") == [True, "kiosk"]
    [saved] = device.save(make_content(1))
    assert saved["officer"] is None
    assert device.list() == [], "a kiosk shows nobody"

    leave = CATCH % "await device.kiosk.leave(argument)"
    assert device.call(leave, "000000") == ["WrongPin", None]
    assert device.call(leave, stage.exit_code) is None
    assert device.call("device.kiosk.active") is False


def test_what_a_browser_throws_away_as_broken_is_restored_from_the_spare(
    killable_device: DevicePage, killable_tablet: Chromium, stage: AppStage
) -> None:
    stage.link.cut()
    saved = killable_device.save(*(make_content(number) for number in range(1, 6)))
    killable_tablet.kill()
    # As a kill in the middle of a write leaves it: Chromium deletes a database with such a log.
    [log] = (killable_tablet.profile / "Default" / "IndexedDB").glob("*/*.log")
    content = bytearray(log.read_bytes())
    content[len(content) // 2] ^= 0xFF
    log.write_bytes(content)
    killable_tablet.open()

    stage.link.restore()
    device = DevicePage.open(killable_tablet, stage)
    assert device.call("device.session.state") == "enrolled"
    assert device.list() == saved
    device.save(make_content(6))
    assert device.send()["accepted"] == 6
    assert stage.list_missing_numbers() == []
    assert len(stage.list_registrations()) == 6
