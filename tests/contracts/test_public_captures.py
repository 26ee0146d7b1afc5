"""Public captures in the registrations table: known and new workers cost the same requests."""

import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.conflicts import WriteConflict
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import ENDED_STATUSES, Status
from chalicelib.registrations.prior_state import (
    PriorState,
    WorkerExists,
    WorkerRecord,
)
from tests.contracts.conftest import Engine
from tests.support.registration_builders import (
    ANOTHER_REFERENCE,
    FIRST_DAY,
    PHONE_COUNT,
    REFERENCE,
    make_capture,
    make_capture_metadata,
    make_registration,
)
from tests.support.registration_stores import RegistrationStores

WORKER_RECORD = WorkerRecord(REFERENCE, Status.RECEIVED, has_ended=False, captures=1)


def test_a_public_capture_of_a_new_worker_makes_a_registration(stores: RegistrationStores) -> None:
    stores.intake.add_public(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT, None)

    assert stores.reading.get(REFERENCE) == make_registration()
    assert stores.intake.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day) == PriorState(
        WORKER_RECORD, 1
    )


def test_a_public_capture_of_a_known_worker_changes_only_the_counts(
    stores: RegistrationStores,
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)

    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    stores.intake.add_public(
        make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, WORKER_RECORD, captures=2
    )

    with pytest.raises(RegistrationUnknown):
        stores.reading.get(ANOTHER_REFERENCE)
    assert stores.intake.find_capture(make_capture_metadata(2).capture_id) == repeat
    assert stores.intake.read_prior_state("worker", phone_key="phone", day=FIRST_DAY.day) == PriorState(
        replace(WORKER_RECORD, captures=2), 2
    )


def test_a_public_capture_sends_the_same_request_for_known_and_new_workers(
    stores: RegistrationStores, engine: Engine
) -> None:
    sent = []
    engine.client.meta.events.register(
        "before-sign.dynamodb.TransactWriteItems",
        lambda request, **_: sent.append(json.loads(request.data)["TransactItems"]),
    )
    stores.intake.add_public(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT, None)
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    stores.intake.add_public(make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, WORKER_RECORD)

    new, known = sent
    assert (
        [list(each) for each in new]
        == [list(each) for each in known]
        == [["Put"]] * 3 + [["Update"], ["Put"]]
    )
    sizes = [len(json.dumps(each)) for each in sent]
    assert abs(sizes[0] - sizes[1]) < 400  # bytes: the condition on the worker record, and the outcome


def collect_characters(value: dict[str, Any]) -> set[str]:
    """Return every character of an attribute value."""
    ((kind, inner),) = value.items()
    if kind == "BOOL":
        return set()
    if kind in "LM":
        return set().union(*(collect_characters(each) for each in (inner if kind == "L" else inner.values())))
    return set(inner.decode() if kind == "B" else str(inner))


def test_a_decoy_has_no_content_and_expires(stores: RegistrationStores, engine: Engine) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    stores.intake.add_public(make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, WORKER_RECORD)

    (decoy,) = [item for item in engine.scan_items() if item["sk"] == {"S": "DECOY"}]
    assert "expires_at" in decoy
    assert collect_characters(decoy["decoy"]) <= {"-", "0", "\0"}
    indexes = {"day_shard", "status_shard", "due_shard", "client_id"}
    assert not indexes & decoy.keys()


@pytest.mark.parametrize("status", [Status.AWAITING_PAYMENT, Status.CANCELLED])
def test_a_public_capture_is_not_stored_if_the_worker_record_has_changed(
    stores: RegistrationStores, status: Status
) -> None:
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    moved = replace(
        make_registration(), lifecycle=replace(make_registration().lifecycle, status=status, version=2)
    )
    stores.lifecycle.replace(moved, previous=make_registration())

    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    with pytest.raises(WorkerExists) as known:
        stores.intake.add_public(make_registration(ANOTHER_REFERENCE), repeat, PHONE_COUNT, WORKER_RECORD)

    assert known.value.worker_record == replace(
        WORKER_RECORD, status=status, has_ended=status in ENDED_STATUSES
    )
    assert stores.intake.find_capture(make_capture_metadata(2).capture_id) is None


def test_a_public_capture_of_an_erased_worker_is_not_stored(stores: RegistrationStores) -> None:
    repeat = make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED)
    with pytest.raises(WriteConflict):
        stores.intake.add_public(make_registration(), repeat, PHONE_COUNT, WORKER_RECORD)

    assert stores.intake.find_capture(make_capture_metadata(2).capture_id) is None
