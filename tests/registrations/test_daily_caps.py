"""The daily caps of a client and of a phone number: above one number flagged, above another refused."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.callers import Caller, DailyCap, Role
from chalicelib.clients.errors import ClientCapReached
from chalicelib.refusals import RulesBroken
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.errors import PhoneCapReached
from chalicelib.registrations.intake_limits import IntakeLimits
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import Flag
from chalicelib.registrations.submission import SubmissionResult
from tests.registrations.conftest import RegistrationHarness
from tests.support.builders import make_allowance, make_caller, make_limits, make_submission
from tests.support.fakes.clients import InMemoryDayCounts
from tests.support.payloads import make_capture_id, make_nik

VAN = make_caller()
BOT = make_caller(Role.BOT, client_id="whatsapp")
ONE_PHONE = "0824-5550-7001"


def make_command(number: int, *, phone: str | None = None, **changes: Any) -> SubmitRegistration:
    """Return a capture of another worker for each `number`, with another phone number unless one is given."""
    worker = {"nik": make_nik(7000 + number), "phone": phone or f"0824-5551-{1000 + number}"}
    own = {"capture_id": make_capture_id(number), **changes}
    return make_submission(**{**own, "worker": {**worker, **changes.get("worker", {})}})


@dataclass
class CappedIntake:
    """Intake with caps of its own."""

    harness: RegistrationHarness
    counts: InMemoryDayCounts = field(default_factory=InMemoryDayCounts)

    def limits(self, client: DailyCap, phone: DailyCap) -> IntakeLimits:
        allowance = make_allowance(self.counts, self.harness.clock, kiosk=client, bot=client)
        return make_limits(self.counts, self.harness.clock, client_allowance=allowance, phone_cap=phone)

    def submit(self, command: SubmitRegistration, *, caller: Caller = VAN) -> SubmissionResult:
        return self.harness.intake_service.submit(command, caller=caller, correlation_id="c-1")

    def flags(self, command: SubmitRegistration, *, caller: Caller = VAN) -> tuple[Flag, ...]:
        return self.harness.stores.reading.get(self.submit(command, caller=caller).answer.reference).flags


FEW, MANY = DailyCap(flag=2, cap=4), DailyCap(flag=1_000, cap=1_000)
VERY_FEW = DailyCap(flag=1, cap=3)


@pytest.fixture
def harness_with_client_caps(harness: RegistrationHarness) -> CappedIntake:
    capped = CappedIntake(harness)
    harness.limits = capped.limits(FEW, MANY)
    return capped


@pytest.fixture
def harness_with_phone_caps(harness: RegistrationHarness) -> CappedIntake:
    capped = CappedIntake(harness)
    harness.limits = capped.limits(MANY, VERY_FEW)
    return capped


@pytest.mark.parametrize("caller", [VAN, BOT], ids=["van", "bot"])
def test_a_client_is_flagged_and_then_refused_until_tomorrow(
    harness_with_client_caps: CappedIntake, caller: Caller
) -> None:
    flags = [harness_with_client_caps.flags(make_command(number), caller=caller) for number in range(4)]
    assert flags == [(), (), (Flag.CLIENT_BUSY,), (Flag.CLIENT_BUSY,)]

    with pytest.raises(ClientCapReached) as reached:
        harness_with_client_caps.submit(make_command(4), caller=caller)

    # It is noon in Jakarta.
    assert reached.value.retry_after_seconds == 12 * 3600
    harness_with_client_caps.harness.clock.advance(timedelta(hours=12))
    assert harness_with_client_caps.submit(make_command(4), caller=caller).answer.outcome is Outcome.CREATED


@pytest.mark.parametrize("caller", [VAN, BOT], ids=["van", "bot"])
def test_a_client_at_its_cap_gets_the_first_answers_to_accepted_captures(
    harness_with_client_caps: CappedIntake, caller: Caller
) -> None:
    first = [
        harness_with_client_caps.submit(make_command(number), caller=caller).answer for number in range(4)
    ]

    again = [harness_with_client_caps.submit(make_command(number), caller=caller) for number in range(4)]

    assert again == [SubmissionResult(answer, is_replay=True) for answer in first]
    for refused in (make_command(9), make_command(1, officer="ofc-99")):
        with pytest.raises(ClientCapReached):
            harness_with_client_caps.submit(refused, caller=caller)


def test_a_client_at_its_cap_gets_no_answers_to_captures_of_another_client(
    harness_with_client_caps: CappedIntake,
) -> None:
    harness_with_client_caps.submit(make_command(1))
    other = make_caller(client_id="van-2")
    for number in range(10, 14):
        harness_with_client_caps.submit(make_command(number), caller=other)

    with pytest.raises(ClientCapReached):
        harness_with_client_caps.submit(make_command(1), caller=other)


def test_a_repeat_of_a_known_worker_counts_for_the_client(harness_with_client_caps: CappedIntake) -> None:
    for number in range(4):
        harness_with_client_caps.submit(make_command(1, capture_id=make_capture_id(100 + number)))

    with pytest.raises(ClientCapReached):
        harness_with_client_caps.submit(make_command(2))


def test_a_capture_that_was_refused_before_the_cap_is_refused_at_the_cap(
    harness_with_client_caps: CappedIntake,
) -> None:
    with pytest.raises(RulesBroken):
        harness_with_client_caps.submit(make_command(9, worker={"nik": "1"}))
    for number in range(3):
        harness_with_client_caps.submit(make_command(number))

    with pytest.raises(ClientCapReached):
        harness_with_client_caps.submit(make_command(9))


def test_a_phone_number_is_flagged_and_then_refused_until_tomorrow(
    harness_with_phone_caps: CappedIntake,
) -> None:
    flags = [harness_with_phone_caps.flags(make_command(number, phone=ONE_PHONE)) for number in range(3)]
    assert flags == [(), (Flag.PHONE_BUSY,), (Flag.PHONE_BUSY,)]

    for _ in range(2):
        with pytest.raises(PhoneCapReached) as reached:
            harness_with_phone_caps.submit(make_command(3, phone="+62 824 5550 7001"))

    assert reached.value.retry_after_seconds == 12 * 3600
    assert harness_with_phone_caps.flags(make_command(4)) == ()
    harness_with_phone_caps.harness.clock.advance(timedelta(hours=12))
    assert harness_with_phone_caps.flags(make_command(3, phone=ONE_PHONE)) == ()


def test_a_phone_number_at_its_cap_is_refused_to_every_device(harness_with_phone_caps: CappedIntake) -> None:
    for number in range(3):
        harness_with_phone_caps.submit(
            make_command(number, phone=ONE_PHONE), caller=make_caller(client_id=f"van-{number}")
        )

    with pytest.raises(PhoneCapReached):
        harness_with_phone_caps.submit(
            make_command(3, phone=ONE_PHONE), caller=make_caller(client_id="van-9")
        )


def test_accepted_captures_get_their_first_answers_when_their_phone_number_is_at_its_cap(
    harness_with_phone_caps: CappedIntake,
) -> None:
    first = [
        harness_with_phone_caps.submit(make_command(number, phone=ONE_PHONE)).answer for number in range(3)
    ]

    again = [harness_with_phone_caps.submit(make_command(number, phone=ONE_PHONE)) for number in range(3)]

    assert again == [SubmissionResult(answer, is_replay=True) for answer in first]


def test_a_replay_does_not_count_its_phone_number_again(harness_with_phone_caps: CappedIntake) -> None:
    for _ in range(5):
        harness_with_phone_caps.submit(make_command(0, phone=ONE_PHONE))

    assert harness_with_phone_caps.flags(make_command(1, phone=ONE_PHONE)) == (Flag.PHONE_BUSY,)
    assert harness_with_phone_caps.flags(make_command(2, phone=ONE_PHONE)) == (Flag.PHONE_BUSY,)


def test_a_reactivated_worker_needs_a_phone_number_below_its_cap(
    harness_with_phone_caps: CappedIntake,
) -> None:
    ended = harness_with_phone_caps.submit(make_command(1)).answer
    harness_with_phone_caps.harness.cancel(ended.reference)
    for number in (2, 3, 4):
        harness_with_phone_caps.submit(make_command(number, phone=ONE_PHONE))

    with pytest.raises(PhoneCapReached):
        harness_with_phone_caps.submit(make_command(1, phone=ONE_PHONE, capture_id=make_capture_id(99)))

    assert (
        harness_with_phone_caps.submit(make_command(1, capture_id=make_capture_id(98))).answer.outcome
        is Outcome.REACTIVATED
    )


def test_the_cap_of_a_phone_number_refuses_an_officer_and_never_the_public(
    harness_with_phone_caps: CappedIntake,
) -> None:
    for number in range(3):
        harness_with_phone_caps.submit(make_command(number, phone=ONE_PHONE))

    over = [
        harness_with_phone_caps.submit(make_command(number, phone=ONE_PHONE), caller=BOT).answer
        for number in (3, 4)
    ]

    assert {each.outcome for each in over} == {Outcome.CREATED}
    stored = [harness_with_phone_caps.harness.stores.reading.get(each.reference).flags for each in over]
    assert stored == [(Flag.PHONE_OVER_CAP,)] * 2
    # What a bot sent counts for everybody.
    with pytest.raises(PhoneCapReached):
        harness_with_phone_caps.submit(make_command(5, phone=ONE_PHONE))


def test_captures_of_a_bot_are_flagged_as_those_of_a_device(harness_with_phone_caps: CappedIntake) -> None:
    flags = [
        harness_with_phone_caps.flags(make_command(number, phone=ONE_PHONE), caller=BOT)
        for number in range(4)
    ]
    assert flags == [(), (Flag.PHONE_BUSY,), (Flag.PHONE_BUSY,), (Flag.PHONE_OVER_CAP,)]
