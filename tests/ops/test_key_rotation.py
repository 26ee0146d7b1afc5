"""Rotating the field key while functions read and write."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from chalicelib.campaigns.store import DynamoCampaigns
from chalicelib.clock import utc_now
from chalicelib.crypto.encryption import FieldCipher, read_key_id
from chalicelib.crypto.keyring import FIELD_PURPOSE
from chalicelib.refusals import RecordUnreadable
from chalicelib.registrations.reported_events import VerificationResult
from chalicelib.reviews.model import Finding, ReviewKind, ReviewSubject
from ops.errors import OperationError
from ops.key_rotation import KeyRotation
from tests.support.app_loader import make_container
from tests.support.builders import NOW
from tests.support.fakes.clock import FixedClock
from tests.support.moto_tables import STAGE_ENVIRONMENT, read_table_definitions
from tests.support.registration_builders import (
    PHONE_COUNT,
    make_campaign,
    make_capture,
    make_capture_metadata,
    make_reference,
    make_registration,
)
from tests.support.registration_stores import RegistrationStores, open_registration_stores

PEOPLE = 7
MATCHED = VerificationResult(result="matched")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(utc_now())


@pytest.fixture
def stored_items(moto_stage: None) -> RegistrationStores:
    """Some registrations and a campaign, sealed with the stage's first key."""
    dynamodb, cipher = boto3.client("dynamodb"), make_fresh_cipher()
    stores = open_registration_stores(dynamodb, "RegistrationsTable", cipher)
    for number in range(PEOPLE):
        reference = make_reference(number)
        stores.intake.add(
            make_registration(reference, make_capture_metadata(number), worker_key=str(number)),
            make_capture(make_capture_metadata(number), reference=reference),
            PHONE_COUNT,
        )
    DynamoCampaigns(dynamodb, "CampaignsTable", cipher, build_audit_write=None).add(make_campaign())
    return stores


def make_fresh_cipher() -> FieldCipher:
    """Return the cipher of a function that starts now."""
    return make_container().cipher


def make_rotation(
    clock: FixedClock, aws_client: Any = boto3.client, progress: list[str] | None = None
) -> KeyRotation:
    outputs = {f"{name}Name": name for name in read_table_definitions()}
    outputs["FieldKeyArn"] = os.environ["DAFTAR_FIELD_KEY_ARN"]
    lines: list[str] = [] if progress is None else progress
    return KeyRotation(outputs=outputs, aws_client=aws_client, clock=clock, on_progress=lines.append)


def list_key_ids() -> list[str]:
    return [key.key_id for key in make_container().wrapped_keys.iter_by_purpose(FIELD_PURPOSE)]


def delete_keys() -> None:
    """Delete the field keys, as no command does."""
    for key_id in list_key_ids():
        key = {"purpose": {"S": FIELD_PURPOSE}, "key_id": {"S": key_id}}
        boto3.client("dynamodb").delete_item(TableName="KeysTable", Key=key)


def iter_sealed_values() -> Iterator[bytes]:
    for table in STAGE_ENVIRONMENT.values():
        if table not in read_table_definitions():
            continue
        for item in boto3.client("dynamodb").scan(TableName=table)["Items"]:
            for name, value in item.items():
                if name in {"answer", "money", "managers"}:
                    yield value["B"]
                if name == "sealed":
                    yield from (inner["B"] for inner in value["M"].values())


def find_used_key_ids() -> set[str]:
    """Return the ids of the keys that values are sealed with."""
    return {read_key_id(value) for value in iter_sealed_values()}


def assert_all_readable(stores: RegistrationStores) -> None:
    for number in range(PEOPLE):
        reference = make_reference(number)
        assert stores.reading.get(reference) == make_registration(
            reference, make_capture_metadata(number), worker_key=str(number)
        )


def test_all_values_are_resealed_and_readable_by_running_and_new_functions(
    stored_items: RegistrationStores, clock: FixedClock
) -> None:
    (old,) = list_key_ids()
    clock.advance(timedelta(seconds=1))

    rotated = make_rotation(clock).rotate()

    assert list_key_ids() == [old, rotated.current_key_id]
    assert find_used_key_ids() == {rotated.current_key_id}
    assert (rotated.older_key_ids, rotated.resealed_count) == ((old,), 2 * PEOPLE + 1)
    assert_all_readable(stored_items)
    assert_all_readable(
        open_registration_stores(boto3.client("dynamodb"), "RegistrationsTable", make_fresh_cipher())
    )
    stores = open_registration_stores(boto3.client("dynamodb"), "RegistrationsTable", make_fresh_cipher())
    assert stores.erasure.get_capture(make_capture_metadata(1).capture_id) == make_capture(
        make_capture_metadata(1), reference=make_reference(1)
    )
    campaigns = DynamoCampaigns(
        boto3.client("dynamodb"), "CampaignsTable", make_fresh_cipher(), build_audit_write=None
    )
    assert campaigns.get("tanah-abang-2024") == make_campaign()


def test_a_second_run_changes_nothing(stored_items: RegistrationStores, clock: FixedClock) -> None:
    clock.advance(timedelta(seconds=1))
    make_rotation(clock).rotate()
    before, values = list_key_ids(), sorted(iter_sealed_values())

    again = make_rotation(clock).rotate()

    assert again.resealed_count == 0
    assert (list_key_ids(), sorted(iter_sealed_values())) == (before, values)


class InterruptingDynamoDB:
    """A DynamoDB client that is interrupted at the nth update."""

    def __init__(self, at: int) -> None:
        self._client: Any = boto3.client("dynamodb")
        self._left = at

    def __call__(self, service: str) -> Any:
        return self if service == "dynamodb" else boto3.client(service)  # type: ignore[call-overload]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def update_item(self, **request: Any) -> Any:
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1
        return self._client.update_item(**request)


@pytest.mark.parametrize("at", [0, 1, 5, 14])
def test_an_interrupted_run_is_continued_by_the_next(
    stored_items: RegistrationStores, clock: FixedClock, at: int
) -> None:
    clock.advance(timedelta(seconds=1))
    with pytest.raises(KeyboardInterrupt):
        make_rotation(clock, InterruptingDynamoDB(at)).rotate()
    assert_all_readable(stored_items)

    rotated = make_rotation(clock).rotate()

    assert rotated.resealed_count == 2 * PEOPLE + 1 - at
    assert len(list_key_ids()) == 2
    assert find_used_key_ids() == {rotated.current_key_id}
    assert_all_readable(stored_items)


class ConcurrentChanges(InterruptingDynamoDB):
    """A DynamoDB client on which a function changes a registration right before it is resealed."""

    def __init__(self, stores: RegistrationStores) -> None:
        super().__init__(1_000)
        self._stores = stores
        self.changed: list[Any] = []

    def update_item(self, **request: Any) -> Any:
        pk = request["Key"]["pk"]["S"]
        if pk.startswith("REGISTRATION#") and len(self.changed) < PEOPLE:
            previous = self._stores.reading.get(pk.partition("#")[2])
            lifecycle = previous.lifecycle.with_verification(MATCHED, occurred_at=NOW, client_id="core")
            self.changed.append(registration := replace(previous, lifecycle=lifecycle))
            self._stores.lifecycle.replace(registration, previous=previous)
        return super().update_item(**request)


def test_concurrent_changes_are_kept(stored_items: RegistrationStores, clock: FixedClock) -> None:
    clock.advance(timedelta(seconds=1))
    changing = ConcurrentChanges(stored_items)

    rotated = make_rotation(clock, changing).rotate()

    assert len(changing.changed) == PEOPLE
    assert {each.reference: stored_items.reading.get(each.reference) for each in changing.changed} == {
        each.reference: each for each in changing.changed
    }
    assert find_used_key_ids() == {rotated.current_key_id}


def test_the_note_of_a_review_item_is_resealed(stored_items: RegistrationStores, clock: FixedClock) -> None:
    finding = Finding(
        "tanah-abang-2024",
        ReviewKind.TALK_TO_PERSON,
        ReviewSubject("1", ("7K4-M2Q-X9P",)),
        note="Ibu Melati.",
    )
    make_container().reviews.open_finding(finding)
    clock.advance(timedelta(seconds=1))

    rotated = make_rotation(clock).rotate()

    (item,) = make_container().reviews.iter_by_reference("7K4-M2Q-X9P")
    assert item.note == "Ibu Melati."
    (stored,) = (
        each for each in boto3.client("dynamodb").scan(TableName="ReviewsTable")["Items"] if "note" in each
    )
    assert read_key_id(stored["note"]["B"]) == rotated.current_key_id


def test_progress_is_reported(stored_items: RegistrationStores, clock: FixedClock) -> None:
    clock.advance(timedelta(seconds=1))
    progress: list[str] = []

    make_rotation(clock, progress=progress).rotate()

    assert progress[0].startswith("added field-")
    assert f"RegistrationsTable: {4 * PEOPLE + 1} items seen, {2 * PEOPLE} resealed" in progress
    assert "CampaignsTable: 1 items seen, 0 resealed" in progress


def test_a_stage_without_keys_has_nothing_to_rotate(
    stored_items: RegistrationStores, clock: FixedClock
) -> None:
    delete_keys()

    with pytest.raises(OperationError):
        make_rotation(clock).rotate()


def test_without_its_key_a_value_cannot_be_read(stored_items: RegistrationStores) -> None:
    delete_keys()
    make_container().wrapped_keys.add(make_container().key_wrapper.generate(FIELD_PURPOSE, now=NOW))

    with pytest.raises(RecordUnreadable):
        open_registration_stores(
            boto3.client("dynamodb"), "RegistrationsTable", make_fresh_cipher()
        ).reading.get(make_reference(0))
