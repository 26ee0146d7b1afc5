"""Officers and their PINs, which never leave the device."""

from typing import Any

import pytest

from tests.browser.offline.device_page import DevicePage, make_content
from tests.support.app_stage import AppStage
from tests.support.chromium import Chromium, Session

TRY = """(async () => {
  try { await device.shift[argument[0]](...argument.slice(1)); return null }
  catch (error) { return [error.name, error.waitSeconds ?? null] }
})()"""


def attempt(device: DevicePage, method: str, *arguments: str) -> Any:
    """Return the error of a call of the shift, or None."""
    return device.call(TRY, [method, *arguments])


@pytest.fixture
def signed_off(device: DevicePage) -> DevicePage:
    """Return an enrolled device without an officer."""
    device.call("device.shift.signOff()")
    return device


def test_the_first_pin_is_demanded_from_then_on(signed_off: DevicePage) -> None:
    assert attempt(signed_off, "signOn", "ofc-20", "493021") is None
    signed_off.call("device.shift.signOff()")
    assert attempt(signed_off, "signOn", "ofc-20", "493022") == ["WrongPin", 0]
    assert attempt(signed_off, "signOn", "ofc-20", "") == ["WrongPin", 0]
    assert attempt(signed_off, "signOn", "ofc-20", "493021") is None


@pytest.mark.parametrize("pin", ["12345", "111111", "123456", "654321", "49302a"])
def test_a_pin_that_is_soon_guessed_is_refused(signed_off: DevicePage, pin: str) -> None:
    assert attempt(signed_off, "signOn", "ofc-20", pin) == ["PinTooWeak", None]


@pytest.mark.parametrize("officer", ["", "-x", "Siti Aminah", "x" * 41])
def test_an_id_that_the_server_would_refuse_begins_no_shift(signed_off: DevicePage, officer: str) -> None:
    assert attempt(signed_off, "signOn", officer, "") == ["OfficerMalformed", None]


def test_a_pin_that_is_guessed_has_to_wait_longer_each_time(signed_off: DevicePage) -> None:
    attempt(signed_off, "signOn", "ofc-20", "493021")
    signed_off.call("device.shift.signOff()")
    answers = [attempt(signed_off, "signOn", "ofc-20", "500000") for _ in range(5)]
    assert answers == [["WrongPin", 0]] * 4 + [["WrongPin", 30]]
    name, seconds = attempt(signed_off, "signOn", "ofc-20", "493021")
    assert name == "WrongPin"
    assert 25 <= seconds <= 30


def test_a_shift_with_a_pin_is_locked_after_a_restart_and_when_nobody_is_there(
    killable_device: DevicePage, killable_tablet: Chromium, stage: AppStage
) -> None:
    killable_device.call("device.shift.signOff()")
    assert attempt(killable_device, "signOn", "ofc-20", "493021") is None
    killable_tablet.kill()
    killable_tablet.open()
    device = DevicePage.open(killable_tablet, stage)
    assert device.call("[device.shift.current.officer, device.shift.current.locked]") == ["ofc-20", True]
    assert device.list() == []
    assert attempt(device, "unlock", "493020") == ["WrongPin", 0]
    assert attempt(device, "unlock", "493021") is None


def test_a_shift_locks_itself_after_five_idle_minutes(tablet: Session, stage: AppStage) -> None:
    page = tablet.new_page(stage.blank_url)
    page.clock.install()
    device = DevicePage.set_up(page)
    device.call("device.session.enrol(argument)", stage.make_code())
    attempt(device, "signOn", "ofc-20", "493021")
    page.clock.fast_forward("04:00")
    device.call("device.shift.touch()")
    page.clock.fast_forward("04:00")
    assert device.call("device.shift.current.locked") is False
    page.clock.fast_forward("01:01")
    assert device.call("device.shift.current.locked") is True


def test_a_shift_is_one_for_all_tabs(device: DevicePage, tablet: Session, stage: AppStage) -> None:
    other = DevicePage.open(tablet, stage)
    device.call("device.shift.signOff()")
    other.page.wait_for_function("device.shift.current === null")
    device.sign_on("ofc-14")
    other.page.wait_for_function("device.shift.current?.officer === 'ofc-14'")
    [saved] = other.save(make_content(1))
    assert saved["officer"] == "ofc-14"
