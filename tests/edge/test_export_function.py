"""The round over the exports, called as EventBridge calls it: a real container, the bucket on moto."""

import gzip
import json
from typing import Any

import boto3
import pytest

from chalicelib.exports.schedule import ExportPartialFailure
from tests.edge.conftest import Edge, LogOutput
from tests.edge.test_rolling_up import TOMORROW, registers, summary, tick
from tests.support.aws_events import make_schedule_event
from tests.support.payloads import make_nik

DAY = "captures/campaign=tanah-abang-2024/day=2024-10-09/"


@pytest.fixture
def export_bucket(edge: Edge) -> Edge:
    """A stage with its bucket."""
    where = {"LocationConstraint": "eu-north-1"}
    boto3.client("s3").create_bucket(Bucket="exports", CreateBucketConfiguration=where)
    edge.restart()
    return edge


def export(edge: Edge) -> dict[str, int]:
    counts: dict[str, int] = edge.invoke("export_days", make_schedule_event())
    return counts


def exported() -> dict[str, str]:
    """What stands in the bucket, unpacked."""
    s3 = boto3.client("s3")
    found = s3.list_objects_v2(Bucket="exports").get("Contents", [])
    contents = {
        each["Key"]: s3.get_object(Bucket="exports", Key=each["Key"])["Body"].read() for each in found
    }
    return {
        key: (gzip.decompress(content) if key.endswith(".gz") else content).decode()
        for key, content in contents.items()
    }


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in exported()[f"{DAY}version=1/part-0000.jsonl.gz"].splitlines()]


def test_nothing_is_exported_where_nothing_is_final(export_bucket: Edge) -> None:
    assert export(export_bucket) == {"exported": 0, "open": 0}


def test_a_final_days_rows_are_those_of_its_summary(export_bucket: Edge) -> None:
    for number in (1, 2, 3):
        registers(export_bucket, number)
    tick(export_bucket)

    assert export(export_bucket) == {"exported": 1, "open": 0}

    assert len(rows()) == 3
    manifest = json.loads(exported()[f"{DAY}_manifest.json"])
    assert manifest["counts"] == summary(export_bucket)["counts"]
    assert {row["age"] for row in rows()} != {None}


def test_rounds_that_repeat_export_nothing_more(export_bucket: Edge) -> None:
    registers(export_bucket, 1)
    tick(export_bucket)
    export(export_bucket)

    assert export(export_bucket) == {"exported": 0, "open": 0}


def test_what_came_after_the_count_waits_for_the_next_one(export_bucket: Edge, log_output: LogOutput) -> None:
    registers(export_bucket, 1)
    tick(export_bucket)
    registers(export_bucket, 2)

    assert export(export_bucket) == {"exported": 0, "open": 1}

    tick(export_bucket)
    assert export(export_bucket) == {"exported": 1, "open": 0}
    assert not [each for each in log_output.metrics if "ExportsLate" in each]


def test_a_day_that_has_waited_for_hours_is_counted_as_late(
    export_bucket: Edge, log_output: LogOutput
) -> None:
    registers(export_bucket, 1)
    tick(export_bucket)
    registers(export_bucket, 2)
    boto3.client("dynamodb").update_item(
        TableName="SummariesTable",
        Key={"pk": {"S": "OUTBOX#analysts"}, "sk": {"S": "2024-10-09#tanah-abang-2024"}},
        UpdateExpression="SET enqueued_at = :earlier",
        ExpressionAttributeValues={":earlier": {"S": "2024-10-11T13:00:00.000Z"}},
    )

    export(export_bucket)

    assert [each["ExportsLate"] for each in log_output.metrics if "ExportsLate" in each] == [[1.0]]


def test_a_day_that_cannot_be_exported_holds_up_no_other_and_fails_the_round(
    export_bucket: Edge, log_output: LogOutput
) -> None:
    registers(export_bucket, 1)
    registers(export_bucket, 2, captured_at=TOMORROW)
    tick(export_bucket)
    key = {"pk": {"S": "CAMPAIGN#tanah-abang-2024"}, "sk": {"S": "DAY#2024-10-10#000001"}}
    boto3.client("dynamodb").put_item(
        TableName="SummariesTable", Item={**key, "summary": {"S": "not a summary"}}
    )

    with pytest.raises(ExportPartialFailure):
        export(export_bucket)

    assert len(rows()) == 1
    (failure,) = [line for line in log_output.lines if line["level"] == "ERROR"]
    assert (failure["day"], failure["campaign_id"]) == ("2024-10-10", "tanah-abang-2024")


def test_no_row_and_no_log_names_a_worker(export_bucket: Edge, log_output: LogOutput) -> None:
    registers(export_bucket, 1)
    tick(export_bucket)

    export(export_bucket)

    for value in (make_nik(7001), "Melati", "82455507001", "1985", "10250", "ofc-12"):
        assert value not in json.dumps(exported()), value
        assert value not in log_output.text, value
