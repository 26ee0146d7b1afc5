"""What an attempt to register costs a client: one of its day, whatever the answer, unless it is a replay."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.callers import DailyCap, Role
from chalicelib.clients.caps import AttemptCounts
from chalicelib.refusals import RecordUnreadable, TryAgain
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.model import Flag, Status
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.model import Anomaly, Tally
from tests.registrations.conftest import RegistrationHarness, open_harness
from tests.support.attempts import MANY, OTHER_VAN, PHONE_AT_CAP, Attempts
from tests.support.builders import UNUSUAL_ATTEMPTS, make_caller
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.day_tally import count_facts
from tests.support.registration_builders import FIRST_DAY

BOT = make_caller(Role.BOT, client_id="whatsapp")
MALFORMED = {"nik": "1"}


@pytest.fixture
def attempts(harness: RegistrationHarness) -> Attempts:
    return Attempts(harness)


def at_phone_cap(attempts: Attempts) -> str:
    attempts.fill_phone()
    return attempts.send(2, worker={"phone": PHONE_AT_CAP})


def with_reused_id(attempts: Attempts) -> str:
    attempts.send(1, caller=OTHER_VAN)
    return attempts.send(1, nik=2)


def of_known_worker(attempts: Attempts) -> str:
    attempts.send(1, caller=OTHER_VAN)
    return attempts.send(2, nik=1)


def of_worker_whose_application_ended(attempts: Attempts) -> str:
    attempts.send(1, caller=OTHER_VAN)
    reading = attempts.harness.stores.reading
    (registration,) = reading.list_by_status(Status.RECEIVED, start_after=None, page_size=2).rows
    attempts.harness.cancel(registration.reference)
    return attempts.send(2, nik=1)


def of_worker_captured_too_often(attempts: Attempts) -> str:
    attempts.limits = replace(attempts.limits, worker_captures=1)
    attempts.intake = attempts.make_intake(attempts.harness.stores.intake)
    return of_known_worker(attempts)


@pytest.mark.parametrize(
    ("make_attempt", "answer", "cost"),
    [
        (lambda attempts: attempts.send(1), "created", AttemptCounts(1)),
        (of_known_worker, "already_registered", AttemptCounts(1, known=1)),
        (of_worker_whose_application_ended, "reactivated", AttemptCounts(1, known=1)),
        (lambda attempts: attempts.send(1, worker=MALFORMED), "rules_broken", AttemptCounts(1, refused=1)),
        (with_reused_id, "capture_reused", AttemptCounts(1, refused=1)),
        (of_worker_captured_too_often, "worker_captures_reached", AttemptCounts(1, refused=1)),
        (at_phone_cap, "phone_cap_reached", AttemptCounts(1, capped=1)),
    ],
)
def test_every_attempt_costs_one_of_the_day(
    attempts: Attempts, make_attempt: Callable[[Attempts], str], answer: str, cost: AttemptCounts
) -> None:
    assert make_attempt(attempts) == answer
    assert attempts.count() == cost


def test_the_same_refusal_costs_again_each_time(attempts: Attempts) -> None:
    assert [attempts.send(1, worker=MALFORMED) for _ in range(3)] == ["rules_broken"] * 3
    assert attempts.count() == AttemptCounts(3, refused=3)


def test_a_replay_costs_its_own_client_nothing_and_any_other_client_an_attempt(attempts: Attempts) -> None:
    attempts.send(1)

    assert [attempts.send(1) for _ in range(5)] == ["replay"] * 5
    assert attempts.count() == AttemptCounts(1)
    assert attempts.send(1, caller=OTHER_VAN) == "replay"
    assert attempts.count(OTHER_VAN) == AttemptCounts(1)


@pytest.mark.parametrize(
    "failure", [TryAgain("the store is not there"), RecordUnreadable("key", reason="KeyError"), OSError()]
)
def test_an_attempt_that_failed_and_is_sent_again_costs_once(attempts: Attempts, failure: Exception) -> None:
    def fail() -> None:
        raise failure

    store = attempts.harness.stores.intake
    attempts.intake = attempts.make_intake(with_concurrent_writes(store, "add", fail))
    with suppress(OSError):
        assert attempts.send(1) in {"try_again", "record_unreadable"}

    attempts.intake = attempts.make_intake(store)
    assert attempts.send(1) == "created"
    assert attempts.count() == AttemptCounts(1)


def test_a_bot_costs_the_same_for_a_known_and_for_a_new_worker(attempts: Attempts) -> None:
    attempts.send(1)

    attempts.send(2, nik=1, caller=BOT)
    known = attempts.count(BOT)
    attempts.send(3, caller=BOT)

    assert attempts.count(BOT) == known + known == AttemptCounts(2)


REFUSALS = st.sampled_from(["malformed", "reused", "known", "phone"])


@given(steps=st.lists(REFUSALS, min_size=1, max_size=12), cap=st.integers(1, 8))
@settings(max_examples=15, deadline=None)
def test_no_sequence_of_attempts_gets_more_answers_than_the_cap(steps: list[str], cap: int) -> None:
    with open_harness() as harness:
        attempts = Attempts(harness, client_cap=DailyCap(flag=cap, cap=cap))
        attempts.send(1, caller=OTHER_VAN)
        attempts.fill_phone()
        answers = []
        for number, step in enumerate(steps, start=10):
            answers.append(
                {
                    "malformed": lambda number=number: attempts.send(number, worker=MALFORMED),
                    "reused": lambda number=number: attempts.send(1, nik=number),
                    "known": lambda number=number: attempts.send(number, nik=1),
                    "phone": lambda number=number: attempts.send(
                        number, nik=1, worker={"phone": PHONE_AT_CAP}
                    ),
                }[step]()
            )

    assert answers[cap:] == ["client_cap_reached"] * len(answers[cap:])
    assert "client_cap_reached" not in answers[:cap]


def count_day(harness: RegistrationHarness) -> Tally:
    return count_facts(harness.stores.reading.iter_day_facts(FIRST_DAY), AnomalyThresholds())


def test_a_day_shows_a_client_that_met_unusually_many_known_workers(harness: RegistrationHarness) -> None:
    attempts, same_phone = Attempts(harness, phone_cap=MANY), {"phone": "0824-5551-1001"}
    attempts.send(1, caller=OTHER_VAN)
    for number in range(100, 100 + UNUSUAL_ATTEMPTS - 1):
        attempts.send(number, nik=1, worker=same_phone)
    assert count_day(attempts.harness).oddities == []

    attempts.send(99, nik=1, worker=same_phone)

    assert count_day(attempts.harness).oddities == [
        Anomaly(pattern="client_unusual", client_id="van-1", workers=UNUSUAL_ATTEMPTS)
    ]
    assert attempts.send(2) == Outcome.CREATED
    (flagged,) = [
        each
        for each in attempts.harness.stores.reading.list_by_campaign_day(
            FIRST_DAY, start_after=None, page_size=100
        ).rows
        if each.capture_metadata.client_id == "van-1"
    ]
    assert flagged.flags == (Flag.CLIENT_UNUSUAL,)


@pytest.mark.parametrize("captured_at", ["2024-10-08T09:12:00+07:00", "2024-10-09T09:12:00+07:00"])
def test_refusals_of_a_client_cannot_flood_a_day(attempts: Attempts, captured_at: str) -> None:
    for number in range(3 * UNUSUAL_ATTEMPTS):
        attempts.send(number, worker=MALFORMED, captured_at=captured_at, consent={"given_at": captured_at})

    tally = count_day(attempts.harness)

    assert tally.counts.refused <= UNUSUAL_ATTEMPTS
    # A day outside the campaign is shown on the nearest day of it.
    assert tally.oddities == [
        Anomaly(pattern="client_unusual", client_id="van-1", workers=3 * UNUSUAL_ATTEMPTS)
    ]
    stored = [each for each in attempts.harness.scan_items() if each["sk"]["S"] == "CAPTURE"]
    assert len(stored) == UNUSUAL_ATTEMPTS


def test_an_accepted_capture_is_replayed_to_a_client_whose_refusals_are_kept_no_more(
    attempts: Attempts,
) -> None:
    attempts.send(1)
    attempts.harness.advance_days(30)
    attempts.intake = attempts.harness.make_intake_service(
        attempts.harness.stores.intake, limits=attempts.limits, accepts_until="2024-10-10"
    )
    # The campaign has closed: its rules refuse everything that is new.
    assert {attempts.send(number) for number in range(10, 11 + UNUSUAL_ATTEMPTS)} == {"rules_broken"}

    assert attempts.send(1) == "replay"
