"""What is put back for the next test, whatever the last one did to it."""

from typing import Any

import boto3
from moto import mock_aws

from tests.support.moto_snapshots import REGION, Snapshot
from tests.support.moto_tables import create_tables

ITEM = {"pk": {"S": "x"}, "sk": {"S": "x"}, "held": {"M": {"times": {"N": "1"}}}}
AT = {"TableName": "RegistrationsTable"}


def set_up() -> str:
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    create_tables(dynamodb)
    dynamodb.put_item(**AT, Item=ITEM)
    return "told"


def do_harm() -> None:
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    dynamodb.update_item(
        **AT,
        Key={name: ITEM[name] for name in ("pk", "sk")},
        UpdateExpression="SET held.times = :two",
        ExpressionAttributeValues={":two": {"N": "2"}},
    )
    dynamodb.put_item(**AT, Item={**ITEM, "pk": {"S": "another"}})
    dynamodb.delete_table(TableName="KeysTable")


def held() -> tuple[list[str], list[Any]]:
    dynamodb = boto3.client("dynamodb", region_name=REGION)
    return dynamodb.list_tables()["TableNames"], dynamodb.scan(**AT)["Items"]


def test_each_time_a_scene_begins_as_it_was_set_up() -> None:
    scene, seen = Snapshot(("dynamodb",), set_up), []
    for _ in range(3):
        with mock_aws():
            assert scene.restore() == "told"
            seen.append(held())
            do_harm()

    assert seen == [seen[0]] * 3
    assert seen[0][1] == [ITEM]
    assert "KeysTable" in seen[0][0]


def test_a_scene_is_set_up_anew_once_it_is_too_long_ago() -> None:
    told = iter(["first", "second"])
    lasting = Snapshot(("dynamodb",), lambda: next(told))
    with mock_aws():
        assert [lasting.restore() for _ in range(3)] == ["first"] * 3

    told = iter(["first", "second"])
    passing = Snapshot(("dynamodb",), lambda: next(told), max_age_seconds=-1)
    with mock_aws():
        assert [passing.restore() for _ in range(2)] == ["first", "second"]
