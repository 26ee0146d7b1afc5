"""A worker who is captured again and again: bounded, shown to managers, and still erased."""

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.callers import Role
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.errors import RegistrationUnknown, WorkerCapturesReached
from chalicelib.registrations.intake import IntakeService
from chalicelib.registrations.intake_limits import IntakeLimits
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.model import Anomaly, Tally
from tests.registrations.conftest import RegistrationHarness
from tests.support.builders import make_caller
from tests.support.day_tally import count_facts
from tests.support.registration_builders import FIRST_DAY

LIMIT = 4
BOT = make_caller(Role.BOT, client_id="whatsapp")


def make_intake(harness: RegistrationHarness) -> IntakeService:
    limits = replace(harness.limits, worker_captures=LIMIT)
    return harness.make_intake_service(harness.stores.intake, limits=limits)


def fill(harness: RegistrationHarness, **capture: Any) -> str:
    """Send as many captures of one worker as are taken. Return the last reference."""
    answers = [
        harness.submit(number, nik_number=1, intake=make_intake(harness), **capture)
        for number in range(1, LIMIT + 1)
    ]
    return answers[-1].reference


def count_day(harness: RegistrationHarness) -> Tally:
    return count_facts(list(harness.stores.reading.iter_day_facts(FIRST_DAY)), AnomalyThresholds())


def test_the_default_leaves_room_for_every_real_worker(harness: RegistrationHarness) -> None:
    assert IntakeLimits.worker_captures == 1_000


@pytest.mark.parametrize("caller", [make_caller(), BOT], ids=["officer", "bot"])
def test_a_capture_beyond_the_limit_is_refused_whoever_sent_the_others(
    harness: RegistrationHarness, caller: Any
) -> None:
    reference = fill(harness, caller=caller)

    for sender, number in ((make_caller(), 91), (BOT, 92)):
        with pytest.raises(WorkerCapturesReached):
            harness.submit(number, nik_number=1, intake=make_intake(harness), caller=sender)

    assert (
        len(harness.stores.erasure.get_links(harness.reading_service.get(reference).worker_key).capture_links)
        == LIMIT
    )
    assert harness.submit(99, intake=make_intake(harness)).outcome is Outcome.CREATED


def test_what_was_captured_before_is_answered_as_before(harness: RegistrationHarness) -> None:
    reference = fill(harness)

    assert harness.submit(LIMIT, nik_number=1, intake=make_intake(harness)).reference == reference


def test_a_worker_who_registers_again_and_again_reaches_the_limit_too(harness: RegistrationHarness) -> None:
    for number in range(1, LIMIT + 1):
        harness.cancel(harness.submit(number, nik_number=1, intake=make_intake(harness)).reference)

    with pytest.raises(WorkerCapturesReached):
        harness.submit(91, nik_number=1, intake=make_intake(harness))


def test_managers_see_the_refusal_and_an_anomaly(harness: RegistrationHarness) -> None:
    fill(harness)
    for caller, number in ((make_caller(), 91), (BOT, 92)):
        with pytest.raises(WorkerCapturesReached):
            harness.submit(number, nik_number=1, intake=make_intake(harness), caller=caller)

    tally = count_day(harness)

    assert tally.refused_by_reason == {"worker_captures_reached": 2}
    assert tally.oddities == [Anomaly(pattern="worker_captures_reached", workers=2)]
    assert tally.counts.captures == LIMIT


def test_a_worker_at_the_limit_can_be_erased_and_captured_again(harness: RegistrationHarness) -> None:
    registration = harness.reading_service.get(fill(harness))

    harness.erasure_service.erase(
        registration.worker_key, received_before=harness.clock(), erase_attached=lambda reference: None
    )

    with pytest.raises(RegistrationUnknown):
        harness.reading_service.get(registration.reference)
    assert harness.submit(91, nik_number=1, intake=make_intake(harness)).outcome is Outcome.CREATED


def test_the_count_of_a_worker_of_an_earlier_release_begins_with_the_next_capture(
    harness: RegistrationHarness,
) -> None:
    harness.submit(1)
    harness.remove_attribute("captures")

    for number in range(2, LIMIT + 2):
        harness.submit(number, nik_number=1, intake=make_intake(harness))

    with pytest.raises(WorkerCapturesReached):
        harness.submit(91, nik_number=1, intake=make_intake(harness))
