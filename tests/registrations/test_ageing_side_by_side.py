"""Several runs of time-outs at once, and several registrations at once in a run: each is changed once."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from chalicelib.aws.items import to_item
from chalicelib.conflicts import WriteConflict
from chalicelib.refusals import TryAgain
from chalicelib.registrations.erasure import ErasureService
from chalicelib.registrations.lifecycle import LifecycleStore
from chalicelib.registrations.model import Registration
from chalicelib.registrations.reading import DeletionCounts
from chalicelib.registrations.references import Reference
from chalicelib.registrations.schedule import CHANGED_AT_ONCE, age_due_registrations
from chalicelib.registrations.store_keys import make_deletions_key
from chalicelib.shares import WHOLE, Share
from tests.registrations.conftest import RegistrationHarness
from tests.registrations.erasure_steps import (
    count_items,
    erase_no_sms,
    make_interrupted_service,
    register_three_times,
    with_write,
)
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.rollup_harness import FakeLambdaContext

EIGHT = [Share(number, 8) for number in range(8)]
CAMPAIGN_ID = "tanah-abang-2024"


class StoreBefore:
    """Satisfies `lifecycle.LifecycleStore`; calls a function before each change."""

    def __init__(self, harness: RegistrationHarness, before: Callable[[Registration], object]) -> None:
        self._store, self._before = harness.stores.lifecycle, before
        self.iter_due = self._store.iter_due

    def replace(self, registration: Registration, *, previous: Registration, **options: Any) -> None:
        self._before(registration)
        self._store.replace(registration, previous=previous, **options)


def run(
    harness: RegistrationHarness,
    share: Share = WHOLE,
    *,
    store: LifecycleStore | None = None,
    erasure: ErasureService | None = None,
    seconds: int = 900,
) -> dict[str, int]:
    return age_due_registrations(
        harness.make_lifecycle_service(store) if store else harness.lifecycle_service,
        erasure or harness.erasure_service,
        harness.erased_sms.append,
        FakeLambdaContext(harness.clock, timedelta(seconds=seconds)),
        share,
    )


def register_many(harness: RegistrationHarness, number: int = 24) -> list[Registration]:
    return [harness.register(each) for each in range(1, number + 1)]


def list_histories(harness: RegistrationHarness, registrations: list[Registration]) -> list[list[str]]:
    found = [harness.stores.reading.get(each.reference) for each in registrations]
    return [[str(event.event_type) for event in each.lifecycle.history] for each in found]


def register_twice_and_end_both(harness: RegistrationHarness) -> tuple[Registration, Registration]:
    """Return two ended registrations of one worker, both due for deletion."""
    first = harness.register(1)
    harness.cancel(first.reference)
    second = harness.register(2, nik_number=1)
    harness.cancel(second.reference)
    harness.advance_days(90)
    return first, second


def test_the_shares_together_change_each_registration_once(harness: RegistrationHarness) -> None:
    registrations = register_many(harness)
    harness.advance_days(30)
    expired = [run(harness, share).get("expired", 0) for share in EIGHT]
    harness.advance_days(90)
    destroyed = [run(harness, share).get("destroyed", 0) for share in EIGHT]

    assert sum(expired) == sum(destroyed) == len(registrations)
    assert expired == destroyed
    assert max(expired) < len(registrations) / 2
    assert run(harness) == {}
    assert harness.reading_service.count_deletions(CAMPAIGN_ID) == DeletionCounts(24, 0)


def test_a_run_changes_ten_registrations_at_once(harness: RegistrationHarness) -> None:
    register_many(harness, CHANGED_AT_ONCE)
    harness.advance_days(30)
    # Each waits for the nine others, or fails.
    together = Barrier(CHANGED_AT_ONCE)

    assert run(harness, store=StoreBefore(harness, lambda _: together.wait(timeout=20))) == {
        "expired": CHANGED_AT_ONCE
    }


@pytest.mark.parametrize("other", [WHOLE, Share(0, 2), Share(3, 8)])
def test_a_run_during_another_one_does_no_harm(harness: RegistrationHarness, other: Share) -> None:
    registrations = register_many(harness)
    harness.advance_days(30)
    store = with_concurrent_writes(harness.stores.lifecycle, "replace", lambda: run(harness, other))

    run(harness, store=store)

    assert list_histories(harness, registrations) == [["registered", "expired"]] * len(registrations)


def test_a_registration_that_is_in_anothers_way_is_changed_in_the_same_run(
    harness: RegistrationHarness,
) -> None:
    registrations = register_many(harness)
    harness.advance_days(30)
    refused: set[str] = set()

    def refuse_four_times(registration: Registration) -> None:
        # As many attempts as a change has.
        attempts = {f"{registration.reference} {number}" for number in range(4)} - refused
        if attempts:
            refused.add(attempts.pop())
            raise WriteConflict

    assert run(harness, store=StoreBefore(harness, refuse_four_times)) == {"expired": len(registrations)}


def test_a_run_without_time_for_all_is_no_failure_and_the_next_ones_go_on(
    harness: RegistrationHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    registrations = register_many(harness)
    harness.advance_days(30)
    # Each change takes a second; a run has three, and twenty are reserved.
    store = StoreBefore(harness, lambda _: harness.clock.advance(timedelta(seconds=1)))
    expired: list[int] = []
    while sum(expired) < len(registrations):
        expired.append(run(harness, store=store, seconds=23).get("expired", 0))

    assert 1 < len(expired) <= len(registrations)
    assert list_histories(harness, registrations) == [["registered", "expired"]] * len(registrations)
    assert capsys.readouterr().out.count('"AgeingCut":[1.0]') >= len(expired) - 1


@pytest.mark.parametrize("is_first", [True, False])
def test_no_trace_of_a_worker_is_left_whose_two_applications_are_deleted_at_once(
    harness: RegistrationHarness, *, is_first: bool
) -> None:
    first, second = register_twice_and_end_both(harness)
    one, other = (first, second) if is_first else (second, first)
    service = with_write(
        harness,
        "destroy_personal_fields",
        lambda: harness.erasure_service.destroy_personal_fields(other.reference, erase_attached=erase_no_sms),
    )

    assert service.destroy_personal_fields(one.reference, erase_attached=erase_no_sms)

    assert count_items(harness) == {"CAPTURE": 2, "REGISTRATION": 2}
    assert harness.submit(3, nik_number=1).outcome == "created"


@pytest.mark.parametrize("at", range(4))
def test_no_trace_of_a_worker_is_left_after_a_run_was_killed(harness: RegistrationHarness, at: int) -> None:
    for registration in register_twice_and_end_both(harness):
        try:
            make_interrupted_service(harness, at).destroy_personal_fields(
                registration.reference, erase_attached=erase_no_sms
            )
        except KeyboardInterrupt:
            continue

    for share in EIGHT:
        run(harness, share)

    assert count_items(harness) == {"CAPTURE": 2, "REGISTRATION": 2}


def test_a_worker_stays_known_while_one_of_three_applications_is_kept(harness: RegistrationHarness) -> None:
    worker_key, references = register_three_times(harness)
    harness.advance_days(30)
    assert run(harness) == {"expired": 1}
    harness.advance_days(61)

    assert run(harness) == {"destroyed": 2}

    kept = [each.reference for each in harness.erasure_service.list_applications(worker_key)]
    assert kept == list(reversed(references))


@pytest.mark.parametrize("attempts", [1, 3])
def test_a_deletion_goes_on_after_a_conflict_over_the_count(
    harness: RegistrationHarness, attempts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_transactions(harness, monkeypatch, attempts)

    assert run(harness) == {"destroyed": 1}
    assert harness.reading_service.count_deletions(CAMPAIGN_ID) == DeletionCounts(1, 0)


def test_a_deletion_that_always_conflicts_is_tried_again_by_whoever_asked(
    harness: RegistrationHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    registration = refuse_transactions(harness, monkeypatch, 99)

    with pytest.raises(TryAgain):
        harness.stores.erasure.destroy_personal_fields(registration, destroyed_at=harness.clock())


def refuse_transactions(
    harness: RegistrationHarness, monkeypatch: pytest.MonkeyPatch, number: int
) -> Registration:
    """Return a registration of which so many deletions fail as if another one wrote the same count."""
    registration = harness.register()
    harness.cancel(registration.reference)
    harness.advance_days(90)
    client, left = harness.dynamodb, [number]
    transact = client.transact_write_items

    def transact_unless_refused(**request: Any) -> Any:
        is_deletion = any("DELETED" in str(write) for write in request["TransactItems"])
        if is_deletion and left[0]:
            left[0] -= 1
            reasons = [{"Code": "TransactionConflict"}] + [{"Code": "None"}] * 3
            response = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
            raise client.exceptions.TransactionCanceledException(response, "TransactWriteItems")
        return transact(**request)

    monkeypatch.setattr(client, "transact_write_items", transact_unless_refused)
    return harness.stores.reading.get(registration.reference)


def test_the_count_of_an_earlier_release_is_counted_in(harness: RegistrationHarness) -> None:
    registration = harness.register()
    harness.cancel(registration.reference)
    before = {"pk": f"CAMPAIGN#{CAMPAIGN_ID}", "sk": "DELETED", "registrations": 3, "identities": 2}
    harness.dynamodb.put_item(TableName="RegistrationsTable", Item=to_item(before))
    harness.advance_days(90)

    assert run(harness) == {"destroyed": 1}

    assert harness.reading_service.count_deletions(CAMPAIGN_ID) == DeletionCounts(4, 2)


def find_item(reference: Reference) -> str:
    return str(make_deletions_key(CAMPAIGN_ID, reference)["sk"])


def test_registrations_are_counted_in_many_items_and_those_of_two_shares_never_in_one() -> None:
    references = [Reference(f"7K4-M2Q-{number:03}") for number in range(1_000)]
    shares = {
        sk: [share for each in references for share in EIGHT if share.has(each) and find_item(each) == sk]
        for sk in map(find_item, references)
    }
    assert all(len(set(each)) == 1 for each in shares.values())
    # Nor do those of one share, of which a run changes ten at once, have an item in common as a rule.
    assert Counter(each[0] for each in shares.values()) == dict.fromkeys(EIGHT, 8)
