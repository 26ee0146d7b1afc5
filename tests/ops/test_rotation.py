"""Changing the field key while others read and write: nothing is lost, and in the end all is under it."""

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from chalicelib.campaigns.store import DynamoCampaigns
from chalicelib.clock import utc_now
from chalicelib.crypto.encryption import FieldCipher, UnsealError, read_key_id
from chalicelib.crypto.keyring import FIELD_PURPOSE
from chalicelib.randomness import generate_write_id
from chalicelib.registrations.states import VerificationResult
from chalicelib.registrations.store import DynamoRegistrations, DynamoWorkers
from ops.key_rotation import KeyInUse, KeyRotation
from ops.local.processes import OperationError
from tests.support.app_loader import make_container
from tests.support.builders import NOW
from tests.support.fakes import FixedClock
from tests.support.moto_tables import STAGE_ENVIRONMENT, read_table_definitions
from tests.support.registration_builders import (
    PHONE_COUNT,
    make_campaign,
    make_capture,
    make_capture_metadata,
    make_reference,
    make_registration,
)

PEOPLE = 7
MATCHED = VerificationResult(result="matched")


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(utc_now())


@pytest.fixture
def stored_items(moto_stage: None) -> DynamoRegistrations:
    """Some registrations and a campaign, sealed under the stage's first key."""
    dynamodb, cipher = boto3.client("dynamodb"), new_cipher()
    registrations = DynamoRegistrations(dynamodb, "RegistrationsTable", cipher)
    for number in range(PEOPLE):
        reference = make_reference(number)
        registrations.add(
            make_registration(reference, make_capture_metadata(number), worker_key=str(number)),
            make_capture(make_capture_metadata(number), reference=reference),
            PHONE_COUNT,
        )
    DynamoCampaigns(dynamodb, "CampaignsTable", cipher).add(make_campaign())
    return registrations


def new_cipher() -> FieldCipher:
    """Return the cipher of a function that starts now."""
    return make_container().cipher


def a_rotation(clock: FixedClock, clients: Any = boto3.client, told: list[str] | None = None) -> KeyRotation:
    outputs = {f"{name}Name": name for name in read_table_definitions()}
    outputs["FieldKeyArn"] = os.environ["DAFTAR_FIELD_KEY_ARN"]
    tell = [].append if told is None else told.append
    return KeyRotation(outputs=outputs, aws_client=clients, clock=clock, on_progress=tell)


def keys() -> list[str]:
    return [key.key_id for key in make_container().wrapped_keys.iter_by_purpose(FIELD_PURPOSE)]


def sealed_values() -> Iterator[bytes]:
    for table in STAGE_ENVIRONMENT.values():
        if table not in read_table_definitions():
            continue
        for item in boto3.client("dynamodb").scan(TableName=table)["Items"]:
            for name, value in item.items():
                if name in {"answer", "money", "managers"}:
                    yield value["B"]
                if name == "sealed":
                    yield from (inner["B"] for inner in value["M"].values())


def used() -> set[str]:
    """The keys that values are sealed under."""
    return {read_key_id(value) for value in sealed_values()}


def everyone(registrations: DynamoRegistrations) -> None:
    for number in range(PEOPLE):
        reference = make_reference(number)
        assert registrations.get(reference) == make_registration(
            reference, make_capture_metadata(number), worker_key=str(number)
        )


def test_everything_is_sealed_anew_and_readable_by_old_containers_and_new_ones(
    stored_items: DynamoRegistrations, clock: FixedClock
) -> None:
    (old,) = keys()
    clock.advance(timedelta(seconds=1))

    rotated = a_rotation(clock).rotate()

    assert keys() == [old, rotated.current_key_id]
    assert used() == {rotated.current_key_id}
    assert (rotated.older_key_ids, rotated.resealed_count) == ((old,), 2 * PEOPLE + 1)
    everyone(stored_items)
    everyone(DynamoRegistrations(boto3.client("dynamodb"), "RegistrationsTable", new_cipher()))
    workers = DynamoWorkers(
        boto3.client("dynamodb"), "RegistrationsTable", new_cipher(), new_id=generate_write_id
    )
    assert workers.get_capture(make_capture_metadata(1).capture_id) == make_capture(
        make_capture_metadata(1), reference=make_reference(1)
    )
    campaigns = DynamoCampaigns(boto3.client("dynamodb"), "CampaignsTable", new_cipher())
    assert campaigns.get("tanah-abang-2024") == make_campaign()


def test_a_second_run_adds_no_key_and_changes_nothing(
    stored_items: DynamoRegistrations, clock: FixedClock
) -> None:
    clock.advance(timedelta(seconds=1))
    a_rotation(clock).rotate()
    before, values = keys(), sorted(sealed_values())

    again = a_rotation(clock).rotate()

    assert again.resealed_count == 0
    assert (keys(), sorted(sealed_values())) == (before, values)


class Cut:
    """DynamoDB, on which the process ends at the nth update."""

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
def test_a_run_that_was_stopped_is_gone_on_with(
    stored_items: DynamoRegistrations, clock: FixedClock, at: int
) -> None:
    clock.advance(timedelta(seconds=1))
    with pytest.raises(KeyboardInterrupt):
        a_rotation(clock, Cut(at)).rotate()
    everyone(stored_items)

    rotated = a_rotation(clock).rotate()

    assert rotated.resealed_count == 2 * PEOPLE + 1 - at
    assert len(keys()) == 2
    assert used() == {rotated.current_key_id}
    everyone(stored_items)


class Changing(Cut):
    """DynamoDB, on which a function changes a registration right before it is sealed anew."""

    def __init__(self, registrations: DynamoRegistrations) -> None:
        super().__init__(1_000)
        self._registrations = registrations
        self.changed: list[Any] = []

    def update_item(self, **request: Any) -> Any:
        pk = request["Key"]["pk"]["S"]
        if pk.startswith("REGISTRATION#") and len(self.changed) < PEOPLE:
            was = self._registrations.get(pk.partition("#")[2])
            life = was.lifecycle.with_verification(MATCHED, occurred_at=NOW, client_id="core")
            self.changed.append(registration := replace(was, lifecycle=life))
            self._registrations.replace(registration, previous=was)
        return super().update_item(**request)


def test_what_functions_change_meanwhile_is_not_lost(
    stored_items: DynamoRegistrations, clock: FixedClock
) -> None:
    clock.advance(timedelta(seconds=1))
    changing = Changing(stored_items)

    rotated = a_rotation(clock, changing).rotate()

    assert len(changing.changed) == PEOPLE
    assert {each.reference: stored_items.get(each.reference) for each in changing.changed} == {
        each.reference: each for each in changing.changed
    }
    assert used() == {rotated.current_key_id}


def test_it_says_what_it_does(stored_items: DynamoRegistrations, clock: FixedClock) -> None:
    clock.advance(timedelta(seconds=1))
    told: list[str] = []

    a_rotation(clock, told=told).rotate()

    assert told[0].startswith("added field-")
    assert f"RegistrationsTable: {4 * PEOPLE + 1} items seen, {2 * PEOPLE} sealed anew" in told
    assert told[-1] == "CampaignsTable: 1 items seen, 0 sealed anew"


def test_the_old_key_goes_once_nothing_is_under_it_and_nothing_can_come(
    stored_items: DynamoRegistrations, clock: FixedClock
) -> None:
    (old,) = keys()
    clock.advance(timedelta(seconds=1))
    with pytest.raises(KeyInUse, match="one key"):
        a_rotation(clock).retire()
    rotated = a_rotation(clock).rotate()
    with pytest.raises(KeyInUse, match="until"):
        a_rotation(clock).retire()
    clock.now = rotated.retirable_at

    assert a_rotation(clock).retire() == (old,)

    assert keys() == [rotated.current_key_id]
    everyone(DynamoRegistrations(boto3.client("dynamodb"), "RegistrationsTable", new_cipher()))


def test_a_key_that_values_are_under_is_not_retired(
    stored_items: DynamoRegistrations, clock: FixedClock
) -> None:
    stale = new_cipher()
    stale.seal("has looked at the keys", record="r", field="f")
    clock.advance(timedelta(seconds=1))
    rotated = a_rotation(clock).rotate()
    late = DynamoRegistrations(boto3.client("dynamodb"), "RegistrationsTable", stale)
    late.add(
        make_registration(make_reference(99), make_capture_metadata(99), worker_key="99"),
        make_capture(make_capture_metadata(99)),
        PHONE_COUNT,
    )
    clock.now = rotated.retirable_at

    with pytest.raises(KeyInUse, match="2 items"):
        a_rotation(clock).retire()

    assert len(keys()) == 2
    a_rotation(clock).rotate()
    assert len(a_rotation(clock).retire()) == 1


def test_a_stage_without_keys_has_nothing_to_rotate(
    stored_items: DynamoRegistrations, clock: FixedClock
) -> None:
    for key in list(make_container().wrapped_keys.iter_by_purpose(FIELD_PURPOSE)):
        make_container().wrapped_keys.remove(key)

    with pytest.raises(OperationError):
        a_rotation(clock).rotate()


def test_without_its_key_a_value_cannot_be_read(stored_items: DynamoRegistrations) -> None:
    for key in list(make_container().wrapped_keys.iter_by_purpose(FIELD_PURPOSE)):
        make_container().wrapped_keys.remove(key)
        make_container().wrapped_keys.add(make_container().key_wrapper.generate(FIELD_PURPOSE, now=NOW))

    with pytest.raises(UnsealError):
        DynamoRegistrations(boto3.client("dynamodb"), "RegistrationsTable", new_cipher()).get(
            make_reference(0)
        )
