"""Snapshots of moto: restored for the next test, whatever the last one changed."""

from typing import Any

import boto3
from moto import mock_aws

from tests.support.moto_snapshots import REGION, Snapshot
from tests.support.moto_tables import create_tables

ITEM: dict[str, Any] = {"pk": {"S": "x"}, "sk": {"S": "x"}, "held": {"M": {"times": {"N": "1"}}}}
TABLE = "RegistrationsTable"


def set_up() -> str:
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    create_tables(dynamodb)
    dynamodb.put_item(TableName=TABLE, Item=ITEM)
    return "result"


def change_everything() -> None:
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    dynamodb.update_item(
        TableName=TABLE,
        Key={name: ITEM[name] for name in ("pk", "sk")},
        UpdateExpression="SET held.times = :two",
        ExpressionAttributeValues={":two": {"N": "2"}},
    )
    dynamodb.put_item(TableName=TABLE, Item={**ITEM, "pk": {"S": "another"}})
    dynamodb.delete_table(TableName="KeysTable")


def read_state() -> tuple[list[str], list[Any]]:
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    return dynamodb.list_tables()["TableNames"], dynamodb.scan(TableName=TABLE)["Items"]


def test_each_restore_returns_to_the_state_after_set_up() -> None:
    states: list[Any] = []
    snapshot = Snapshot(("dynamodb",), set_up)
    for _ in range(3):
        with mock_aws():
            assert snapshot.restore() == "result"
            states.append(read_state())
            change_everything()

    assert states == [states[0]] * 3
    assert states[0][1] == [ITEM]
    assert "KeysTable" in states[0][0]


def test_a_snapshot_is_set_up_again_after_its_maximum_age() -> None:
    results = iter(["first", "second"])
    permanent = Snapshot(("dynamodb",), lambda: next(results))
    with mock_aws():
        assert [permanent.restore() for _ in range(3)] == ["first"] * 3

    results = iter(["first", "second"])
    expired = Snapshot(("dynamodb",), lambda: next(results), max_age_seconds=-1)
    with mock_aws():
        assert [expired.restore() for _ in range(2)] == ["first", "second"]
