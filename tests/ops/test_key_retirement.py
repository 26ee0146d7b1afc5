"""Retiring field keys: nothing that may need one is lost, and one run at a time changes them."""

import json
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest

from chalicelib.aws.items import to_item
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.crypto.keyring import MAX_KEY_AGE
from chalicelib.crypto.store_changes import LOCK_DURATION, DynamoKeyChanges
from chalicelib.refusals import RecordUnreadable
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.key_lock import KeysBusy
from ops.key_rotation import KeyInUse, KeyRotation, RetirementResult, RotationResult
from tests.ops.command_lines import run_daftar
from tests.ops.test_key_rotation import (
    InterruptingDynamoDB,
    assert_all_readable,
    clock,
    find_used_key_ids,
    list_key_ids,
    make_fresh_cipher,
    make_rotation,
    stored_items,
)
from tests.support.app_loader import make_container
from tests.support.damaged_items import SEALED_DAMAGES, damage_item
from tests.support.fakes.clock import FixedClock
from tests.support.moto_tables import read_table_definitions
from tests.support.registration_builders import (
    PHONE_COUNT,
    make_capture,
    make_capture_metadata,
    make_reference,
    make_registration,
)
from tests.support.registration_stores import RegistrationStores, open_registration_stores

__all__ = ["clock", "stored_items"]

KEPT_FOR = timedelta(days=60)
LATE = 99


def rotate(clock: FixedClock) -> RotationResult:
    """Rotate a second later. The clock then shows when the older key may be retired."""
    clock.advance(timedelta(seconds=1))
    rotated = make_rotation(clock).rotate()
    clock.now = rotated.retirable_at
    return rotated


def retire(clock: FixedClock, **options: Any) -> RetirementResult:
    return make_rotation(clock).retire(kept_for=KEPT_FOR, **options)


def open_stores(cipher: FieldCipher | None = None) -> RegistrationStores:
    return open_registration_stores(
        boto3.client("dynamodb"), "RegistrationsTable", cipher or make_fresh_cipher()
    )


def register_late(cipher: FieldCipher) -> None:
    """Store a registration as a process that has cached its keys."""
    open_stores(cipher).intake.add(
        make_registration(make_reference(LATE), make_capture_metadata(LATE), worker_key=str(LATE)),
        make_capture(make_capture_metadata(LATE), reference=make_reference(LATE)),
        PHONE_COUNT,
    )


def make_stale_cipher() -> FieldCipher:
    """Return the cipher of a process that has cached the keys of this moment."""
    cipher = make_fresh_cipher()
    cipher.seal("caches the keys", record="r", field="f")
    return cipher


def list_retired() -> list[str]:
    return [key.key_id for key in make_container().wrapped_keys.iter_retired("field")]


def damage_registration(number: int) -> None:
    pk = f"REGISTRATION#{make_reference(number)}"
    damage_item(
        boto3.client("dynamodb"), "RegistrationsTable", pk, "sealed.nik", SEALED_DAMAGES["flipped byte"]
    )


def test_a_key_is_retired_when_nothing_needs_it_kept_wrapped_and_deleted_at_the_end(
    stored_items: RegistrationStores, clock: FixedClock
) -> None:
    (old,) = list_key_ids()
    with pytest.raises(KeyInUse, match="one key"):
        retire(clock)
    rotated = rotate(clock)

    retired = retire(clock)

    assert (retired.retired_key_ids, retired.kept_until) == ((old,), clock() + KEPT_FOR)
    assert (list_key_ids(), list_retired()) == ([rotated.current_key_id], [old])
    assert_all_readable(open_stores())
    clock.now = retired.kept_until - timedelta(seconds=1)
    with pytest.raises(KeyInUse, match=old):
        retire(clock)
    clock.now = retired.kept_until
    assert retire(clock).deleted_key_ids == (old,)
    assert (list_key_ids(), list_retired()) == ([rotated.current_key_id], [])
    assert_all_readable(open_stores())


def test_a_key_is_not_retired_while_a_value_under_it_may_be_under_way(
    stored_items: RegistrationStores, clock: FixedClock
) -> None:
    added_at = clock() + timedelta(seconds=1)
    rotated = rotate(clock)
    assert clock() - added_at > MAX_KEY_AGE + timedelta(hours=24), "a process's keys, a stream's records"
    clock.advance(-timedelta(seconds=1))

    with pytest.raises(KeyInUse, match="after"):
        retire(clock)

    assert len(list_key_ids()) == 2
    clock.now = rotated.retirable_at
    assert retire(clock).retired_key_ids == rotated.older_key_ids


def test_a_key_that_values_need_is_not_retired(stored_items: RegistrationStores, clock: FixedClock) -> None:
    stale = make_stale_cipher()
    rotate(clock)
    register_late(stale)

    with pytest.raises(KeyInUse, match="run this without --retire"):
        retire(clock)

    assert len(list_key_ids()) == 2
    make_rotation(clock).rotate()
    assert len(retire(clock).retired_key_ids) == 1


@pytest.mark.parametrize("table", sorted(set(read_table_definitions()) - {"KeysTable"}))
def test_a_value_in_any_table_keeps_its_key(
    stored_items: RegistrationStores, clock: FixedClock, table: str
) -> None:
    sealed = make_stale_cipher().seal("somewhere", record="r", field="f")
    rotate(clock)
    key = {each["AttributeName"]: "x" for each in read_table_definitions()[table]["KeySchema"]}
    item = to_item({**key, "nested": {"list": [{"sealed": sealed}]}})
    boto3.client("dynamodb").put_item(TableName=table, Item=item)

    with pytest.raises(KeyInUse):
        retire(clock)

    assert len(list_key_ids()) == 2


def test_a_value_that_appears_under_a_retired_key_is_read_again_once_the_key_is_taken_back(
    stored_items: RegistrationStores, clock: FixedClock
) -> None:
    """As from a table that was restored, or from a process with keys older than any should be."""
    stale = make_stale_cipher()
    (old,) = rotate(clock).older_key_ids
    kept_until = retire(clock).kept_until
    register_late(stale)
    with pytest.raises(RecordUnreadable) as unreadable:
        open_stores().reading.get(make_reference(LATE))
    assert unreadable.value.reason == "KeyNotHeld"
    clock.now = kept_until
    with pytest.raises(KeyInUse, match=f"--reinstate {old}"):
        retire(clock)
    assert list_retired() == [old]

    make_rotation(clock).reinstate(old)

    expected = make_registration(make_reference(LATE), make_capture_metadata(LATE), worker_key=str(LATE))
    assert open_stores().reading.get(make_reference(LATE)) == expected
    rotated = make_rotation(clock).rotate()
    assert rotated.resealed_count == 2
    assert find_used_key_ids() == {rotated.current_key_id}
    assert retire(clock).retired_key_ids == (old,)
    assert open_stores().reading.get(make_reference(LATE)) == expected


def test_a_key_taken_back_does_not_become_the_current_one(
    stored_items: RegistrationStores, clock: FixedClock
) -> None:
    (old,) = rotate(clock).older_key_ids
    retire(clock)

    make_rotation(clock).reinstate(old)

    assert make_container().keyring.get_field_keys().current_key_id != old
    with pytest.raises(OperationError, match="no retired key"):
        make_rotation(clock).reinstate(old)


def test_an_unreadable_item_does_not_stop_a_rotation_and_keeps_its_key_from_being_retired(
    stored_items: RegistrationStores, clock: FixedClock
) -> None:
    damage_registration(0)

    rotated = rotate(clock)

    assert rotated.unreadable_count == 1
    with pytest.raises(KeyInUse, match=r"^1 items"):
        retire(clock)
    assert len(list_key_ids()) == 2
    kept_until = retire(clock, leaves_unreadable=True).kept_until
    clock.now = kept_until
    with pytest.raises(KeyInUse, match="cannot be read"):
        retire(clock)
    assert retire(clock, leaves_unreadable=True).deleted_key_ids == rotated.older_key_ids


ACTIONS: dict[str, Callable[[KeyRotation], object]] = {
    "rotate": lambda rotation: rotation.rotate(),
    "retire": lambda rotation: rotation.retire(kept_for=KEPT_FOR),
    "reinstate": lambda rotation: rotation.reinstate("field-1"),
}


@pytest.mark.parametrize("action", ACTIONS.values(), ids=ACTIONS)
def test_a_run_is_refused_while_another_one_goes_on_and_changes_nothing(
    stored_items: RegistrationStores, clock: FixedClock, action: Callable[[KeyRotation], object]
) -> None:
    refused: list[type[Exception]] = []

    class Meddling(InterruptingDynamoDB):
        def update_item(self, **request: Any) -> Any:
            before = list_key_ids()
            try:
                action(make_rotation(clock))
            except OperationError as error:
                refused.append(type(error))
            assert list_key_ids() == before
            return super().update_item(**request)

    clock.advance(timedelta(seconds=1))

    rotated = make_rotation(clock, Meddling(1_000)).rotate()

    assert set(refused) == {KeysBusy}
    assert len(list_key_ids()) == 2
    assert find_used_key_ids() == {rotated.current_key_id}


def make_other_run(clock: FixedClock) -> DynamoKeyChanges:
    return DynamoKeyChanges(boto3.client("dynamodb"), "KeysTable", holder="other", clock=clock)


def test_a_run_that_stalls_ends_once_another_one_has_the_lock(
    stored_items: RegistrationStores, clock: FixedClock
) -> None:
    class Stalling(InterruptingDynamoDB):
        def update_item(self, **request: Any) -> Any:
            clock.advance(LOCK_DURATION + timedelta(seconds=1))
            make_other_run(clock).acquire_lock()
            return super().update_item(**request)

    clock.advance(timedelta(seconds=1))

    with pytest.raises(KeysBusy):
        make_rotation(clock, Stalling(1_000)).rotate()

    make_other_run(clock).release_lock()
    assert make_rotation(clock).rotate().current_key_id == list_key_ids()[-1]
    assert_all_readable(open_stores())


def test_an_interrupted_run_leaves_no_lock(stored_items: RegistrationStores, clock: FixedClock) -> None:
    clock.advance(timedelta(seconds=1))
    with pytest.raises(KeyboardInterrupt):
        make_rotation(clock, InterruptingDynamoDB(2)).rotate()

    make_rotation(clock).rotate()


def test_a_killed_run_keeps_others_out_for_minutes_only(
    stored_items: RegistrationStores, clock: FixedClock
) -> None:
    clock.advance(timedelta(seconds=1))
    make_other_run(clock).acquire_lock()
    with pytest.raises(KeysBusy, match="if it was killed"):
        make_rotation(clock).rotate()

    clock.advance(LOCK_DURATION + timedelta(seconds=1))

    make_rotation(clock).rotate()


def test_the_command_retires_and_takes_back(
    stored_items: RegistrationStores, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    (old,) = list_key_ids()
    outputs = {f"{name}Name": name for name in read_table_definitions()}
    session: Any = boto3
    stage = Stage(
        "daftar-test", {**outputs, "FieldKeyArn": os.environ["DAFTAR_FIELD_KEY_ARN"]}, session.client
    )
    rotated = rotate(clock)
    monkeypatch.setattr("ops.commands.keys.utc_now", clock)

    def run(*options: str) -> dict[str, Any]:
        result = run_daftar("rotate", *options, "--json", obj=stage)
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)["result"]
        return found

    retired = run("--retire", "--keep-days", "40")
    assert retired["retired_key_ids"] == [old]
    assert retired["kept_until"] == (clock() + timedelta(days=40)).isoformat()
    assert list_key_ids() == [rotated.current_key_id]
    assert run("--reinstate", old) == {"reinstated_key_id": old}
    assert list_key_ids() == [old, rotated.current_key_id]
