"""A day's captures of a client and registrations of a phone number: flagged, then refused, never lost."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.callers import Caller, DailyCap, Role
from chalicelib.clients.errors import ClientCapReached
from chalicelib.refusals import RulesBroken
from chalicelib.registrations.errors import CaptureReused, PhoneCapReached
from chalicelib.registrations.intake import IntakeLimits, SubmissionResult
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import Flag, Outcome
from tests.registrations.conftest import RegistrationHarness
from tests.support.builders import (
    make_allowance,
    make_caller,
    make_capture_id,
    make_limits,
    make_nik,
    make_submission,
)
from tests.support.fakes import InMemoryDayCounts

VAN = make_caller()
BOT = make_caller(Role.BOT, client_id="whatsapp")
ONE_PHONE = "0824-5550-7001"


def a_send(number: int, *, phone: str | None = None, **changes: Any) -> SubmitRegistration:
    """A capture of a worker of their own, with a phone of their own unless one is given."""
    worker = {"nik": make_nik(7000 + number), "phone": phone or f"0824-5551-{1000 + number}"}
    own = {"capture_id": make_capture_id(number), **changes}
    return make_submission(**{**own, "worker": {**worker, **changes.get("worker", {})}})


@dataclass
class Capped:
    """A desk where devices and bots have 2 captures a day without a flag and 4 at all, and a phone number 1
    registration without a flag and 3 at all.
    """

    harness: RegistrationHarness
    counts: InMemoryDayCounts = field(default_factory=InMemoryDayCounts)

    def limits(self, client: DailyCap, phone: DailyCap) -> IntakeLimits:
        allowance = make_allowance(self.counts, self.harness.clock, kiosk=client, bot=client)
        return make_limits(self.counts, self.harness.clock, client_allowance=allowance, phone_cap=phone)

    def submit(self, command: SubmitRegistration, *, by: Caller = VAN) -> SubmissionResult:
        return self.harness.intake_service.submit(command, caller=by, correlation_id="c-1")

    def flags(self, command: SubmitRegistration, *, by: Caller = VAN) -> tuple[Flag, ...]:
        return self.harness.registrations.get(self.submit(command, by=by).answer.reference).flags


FEW, MANY = DailyCap(flag=2, cap=4), DailyCap(flag=1_000, cap=1_000)
ONE = DailyCap(flag=1, cap=3)


@pytest.fixture
def harness_with_client_caps(harness: RegistrationHarness) -> Capped:
    capped = Capped(harness)
    harness.limits = capped.limits(FEW, MANY)
    return capped


@pytest.fixture
def harness_with_phone_caps(harness: RegistrationHarness) -> Capped:
    capped = Capped(harness)
    harness.limits = capped.limits(MANY, ONE)
    return capped


@pytest.mark.parametrize("by", [VAN, BOT], ids=["van", "bot"])
def test_a_client_over_its_number_is_flagged_and_then_refused_until_tomorrow(
    harness_with_client_caps: Capped, by: Any
) -> None:
    flags = [harness_with_client_caps.flags(a_send(number), by=by) for number in range(4)]
    assert flags == [(), (), (Flag.CLIENT_BUSY,), (Flag.CLIENT_BUSY,)]

    with pytest.raises(ClientCapReached) as reached:
        harness_with_client_caps.submit(a_send(4), by=by)

    # It is noon in Jakarta.
    assert reached.value.retry_after_seconds == 12 * 3600
    harness_with_client_caps.harness.clock.advance(timedelta(hours=12))
    assert harness_with_client_caps.submit(a_send(4), by=by).answer.outcome is Outcome.CREATED


@pytest.mark.parametrize("by", [VAN, BOT], ids=["van", "bot"])
def test_what_was_accepted_is_answered_as_before_to_a_client_at_its_cap(
    harness_with_client_caps: Capped, by: Any
) -> None:
    first = [harness_with_client_caps.submit(a_send(number), by=by).answer for number in range(4)]

    again = [harness_with_client_caps.submit(a_send(number), by=by) for number in range(4)]

    assert again == [SubmissionResult(answer, is_replay=True) for answer in first]
    with pytest.raises(CaptureReused):
        harness_with_client_caps.submit(a_send(1, officer="ofc-99"), by=by)
    with pytest.raises(ClientCapReached):
        harness_with_client_caps.submit(a_send(9), by=by)


def test_sends_that_are_not_accepted_use_up_nothing(harness_with_client_caps: Capped) -> None:
    harness_with_client_caps.submit(a_send(0))
    for _ in range(5):
        harness_with_client_caps.submit(a_send(0))
        with pytest.raises(RulesBroken):
            harness_with_client_caps.submit(a_send(1, worker={"nik": "1"}))
        with pytest.raises(CaptureReused):
            harness_with_client_caps.submit(a_send(0, officer="ofc-99"))

    assert [harness_with_client_caps.flags(a_send(number)) for number in (1, 2, 3)] == [
        (),
        *[(Flag.CLIENT_BUSY,)] * 2,
    ]


def test_a_known_worker_counts_for_the_client_that_asks(harness_with_client_caps: Capped) -> None:
    for number in range(4):
        harness_with_client_caps.submit(a_send(1, capture_id=make_capture_id(100 + number)))

    with pytest.raises(ClientCapReached):
        harness_with_client_caps.submit(a_send(2))


def test_a_capture_that_was_refused_before_the_cap_is_not_an_answer_to_repeat(
    harness_with_client_caps: Capped,
) -> None:
    with pytest.raises(RulesBroken):
        harness_with_client_caps.submit(a_send(9, worker={"nik": "1"}))
    for number in range(4):
        harness_with_client_caps.submit(a_send(number))

    with pytest.raises(ClientCapReached):
        harness_with_client_caps.submit(a_send(9))


def test_a_phone_given_for_many_is_flagged_and_then_refused_until_tomorrow(
    harness_with_phone_caps: Capped,
) -> None:
    flags = [harness_with_phone_caps.flags(a_send(number, phone=ONE_PHONE)) for number in range(3)]
    assert flags == [(), (Flag.PHONE_BUSY,), (Flag.PHONE_BUSY,)]

    for _ in range(2):
        with pytest.raises(PhoneCapReached) as reached:
            harness_with_phone_caps.submit(a_send(3, phone="+62 824 5550 7001"))

    assert reached.value.retry_after_seconds == 12 * 3600
    assert harness_with_phone_caps.flags(a_send(4)) == ()
    harness_with_phone_caps.harness.clock.advance(timedelta(hours=12))
    assert harness_with_phone_caps.flags(a_send(3, phone=ONE_PHONE)) == ()


def test_a_phone_that_is_used_up_is_refused_whichever_device_asks(harness_with_phone_caps: Capped) -> None:
    for number in range(3):
        harness_with_phone_caps.submit(
            a_send(number, phone=ONE_PHONE), by=make_caller(client_id=f"van-{number}")
        )

    with pytest.raises(PhoneCapReached):
        harness_with_phone_caps.submit(a_send(3, phone=ONE_PHONE), by=make_caller(client_id="van-9"))


def test_what_was_accepted_is_answered_as_before_when_its_phone_is_used_up(
    harness_with_phone_caps: Capped,
) -> None:
    first = [harness_with_phone_caps.submit(a_send(number, phone=ONE_PHONE)).answer for number in range(3)]

    again = [harness_with_phone_caps.submit(a_send(number, phone=ONE_PHONE)) for number in range(3)]

    assert again == [SubmissionResult(answer, is_replay=True) for answer in first]


def test_sending_again_does_not_count_a_phone_again(harness_with_phone_caps: Capped) -> None:
    for _ in range(5):
        harness_with_phone_caps.submit(a_send(0, phone=ONE_PHONE))

    assert harness_with_phone_caps.flags(a_send(1, phone=ONE_PHONE)) == (Flag.PHONE_BUSY,)
    assert harness_with_phone_caps.flags(a_send(2, phone=ONE_PHONE)) == (Flag.PHONE_BUSY,)


def test_a_worker_who_is_known_is_told_so_whatever_the_phone(harness_with_phone_caps: Capped) -> None:
    for number in range(3):
        harness_with_phone_caps.submit(a_send(number, phone=ONE_PHONE))

    known = harness_with_phone_caps.submit(a_send(1, phone=ONE_PHONE, capture_id=make_capture_id(99)))

    assert known.answer.outcome is Outcome.ALREADY_REGISTERED


def test_a_worker_whose_registration_has_ended_needs_a_phone_that_is_not_used_up(
    harness_with_phone_caps: Capped,
) -> None:
    ended = harness_with_phone_caps.submit(a_send(1)).answer
    harness_with_phone_caps.harness.cancel(ended.reference)
    for number in (2, 3, 4):
        harness_with_phone_caps.submit(a_send(number, phone=ONE_PHONE))

    with pytest.raises(PhoneCapReached):
        harness_with_phone_caps.submit(a_send(1, phone=ONE_PHONE, capture_id=make_capture_id(99)))

    assert (
        harness_with_phone_caps.submit(a_send(1, capture_id=make_capture_id(98))).answer.outcome
        is Outcome.REACTIVATED
    )


def test_a_bot_is_never_told_of_a_phone_but_a_person_is(harness_with_phone_caps: Capped) -> None:
    for number in range(3):
        harness_with_phone_caps.submit(a_send(number, phone=ONE_PHONE))

    over = [
        harness_with_phone_caps.submit(a_send(number, phone=ONE_PHONE), by=BOT).answer for number in (3, 4)
    ]

    assert {each.outcome for each in over} == {Outcome.CREATED}
    stored = [harness_with_phone_caps.harness.registrations.get(each.reference).flags for each in over]
    assert stored == [(Flag.PHONE_OVER_CAP,)] * 2
    # What a bot sent counts for everybody.
    with pytest.raises(PhoneCapReached):
        harness_with_phone_caps.submit(a_send(5, phone=ONE_PHONE))


def test_what_a_bot_sends_is_flagged_as_what_a_device_sends_is(harness_with_phone_caps: Capped) -> None:
    flags = [harness_with_phone_caps.flags(a_send(number, phone=ONE_PHONE), by=BOT) for number in range(4)]
    assert flags == [(), (Flag.PHONE_BUSY,), (Flag.PHONE_BUSY,), (Flag.PHONE_OVER_CAP,)]
