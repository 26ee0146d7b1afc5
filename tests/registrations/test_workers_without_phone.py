"""Workers who have no phone, no address or no postal code."""

from typing import Any

import pytest

from chalicelib.callers import Caller, Role
from chalicelib.registrations.captures import Answer, Outcome
from chalicelib.registrations.schemas import RegistrationView, WholeRegistrationView
from tests.registrations.conftest import RegistrationHarness
from tests.support.builders import make_caller
from tests.support.registration_builders import FIRST_DAY, collect_capture_facts, get_worker

NOTHING: dict[str, Any] = {"phone": None, "address": None, "postal_code": None}
BOT = make_caller(Role.BOT, client_id="chat-bot")
CALLERS = pytest.mark.parametrize("caller", [make_caller(), BOT], ids=["an officer", "a bot"])


def submit(harness: RegistrationHarness, number: int = 1, **arguments: Any) -> Answer:
    return harness.submit(number, **{"worker": NOTHING, **arguments})


def count_phone_items(harness: RegistrationHarness) -> int:
    items = harness.dynamodb.scan(TableName="RegistrationsTable")["Items"]
    return sum(item["pk"]["S"].startswith("PHONE#") for item in items)


@CALLERS
def test_a_worker_without_them_is_registered_and_read_as_such(
    harness: RegistrationHarness, caller: Caller
) -> None:
    answer = submit(harness, caller=caller)

    worker = get_worker(harness.stores.reading.get(answer.reference))
    assert (answer.outcome, worker.phone, worker.address, worker.postal_code) == ("created", None, None, None)


@CALLERS
def test_no_phone_is_counted_or_capped_for_them(harness: RegistrationHarness, caller: Caller) -> None:
    cap = harness.limits.phone_cap.cap
    answers = [submit(harness, number, caller=caller) for number in range(cap + 2)]

    assert {each.outcome for each in answers} == {Outcome.CREATED}
    assert {harness.stores.reading.get(each.reference).flags for each in answers} == {()}
    assert count_phone_items(harness) == 0


def test_the_facts_of_a_capture_say_that_there_is_no_phone(harness: RegistrationHarness) -> None:
    submit(harness, 1)
    harness.submit(2)

    facts = collect_capture_facts(harness.stores.reading, FIRST_DAY)
    assert sorted(each.is_without_phone for each in facts) == [False, True]


@CALLERS
def test_a_repeat_with_a_phone_leaves_the_registration_without_one(
    harness: RegistrationHarness, caller: Caller
) -> None:
    first = submit(harness, 1, caller=caller)
    repeat = harness.submit(2, nik_number=1, caller=caller)

    assert (repeat.outcome, repeat.reference) == (Outcome.ALREADY_REGISTERED, first.reference)
    assert harness.stores.reading.get(first.reference).worker.phone is None


def test_a_new_registration_after_an_ended_one_has_the_phone_that_was_given(
    harness: RegistrationHarness,
) -> None:
    first = submit(harness, 1)
    harness.cancel(first.reference)
    again = harness.submit(2, nik_number=1)

    assert again.outcome is Outcome.REACTIVATED
    assert harness.stores.reading.get(again.reference).worker.phone is not None


def test_a_worker_without_a_phone_is_found_and_erased(harness: RegistrationHarness) -> None:
    answer = submit(harness)
    worker_key = harness.stores.reading.get(answer.reference).worker_key

    harness.erasure_service.erase(worker_key, received_before=harness.clock(), erase_attached=lambda _: None)

    assert harness.erasure_service.list_applications(worker_key) == []
    assert [facts.is_without_phone for facts in collect_capture_facts(harness.stores.reading, FIRST_DAY)] == [
        True
    ]


def test_every_view_says_that_there_is_none(harness: RegistrationHarness) -> None:
    registration = harness.stores.reading.get(submit(harness).reference)

    for view in (
        RegistrationView.build_masked(registration),
        RegistrationView.build_full(registration),
        WholeRegistrationView.build_complete(registration),
    ):
        assert view.model_dump(exclude_defaults=True)["worker"]["phone"] is None
