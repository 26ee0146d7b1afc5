"""The function that exports final days, called as EventBridge calls it, with the bucket on moto."""

import gzip
import json
from typing import Any

import boto3
import pytest

from chalicelib.exports.schedule import ExportPartialFailure
from tests.edge.conftest import Edge, LogOutput, create_bucket
from tests.edge.test_rollup_function import (
    SECOND_DAY_CAPTURED_AT,
    get_summary,
    register_and_publish,
    run_rollup,
)
from tests.support.aws_events import make_schedule_event
from tests.support.payloads import make_capture_id, make_nik

FIRST_DAY_PREFIX = "captures/campaign=tanah-abang-2024/day=2024-10-09/"


@pytest.fixture
def export_edge(edge: Edge) -> Edge:
    """A stage with an export bucket."""
    create_bucket("exports")
    edge.restart()
    return edge


def export_days(edge: Edge) -> dict[str, int]:
    """Invoke the function. Return its result."""
    result: dict[str, int] = edge.invoke("export_days", make_schedule_event())
    return result


def read_bucket() -> dict[str, str]:
    """Return the content of every object, unpacked."""
    s3 = boto3.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket="exports").get("Contents", [])]
    contents = {key: s3.get_object(Bucket="exports", Key=key)["Body"].read() for key in keys}
    return {
        key: (gzip.decompress(content) if key.endswith(".gz") else content).decode()
        for key, content in contents.items()
    }


def read_first_day_rows() -> list[dict[str, Any]]:
    lines = read_bucket()[f"{FIRST_DAY_PREFIX}version=1/part-0000.jsonl.gz"].splitlines()
    return [json.loads(line) for line in lines]


def list_late_counts(log_output: LogOutput) -> list[list[float]]:
    return [each["ExportsLate"] for each in log_output.metrics if "ExportsLate" in each]


def test_a_final_day_is_exported_once_with_the_counts_of_its_summary(export_edge: Edge) -> None:
    assert export_days(export_edge) == {"exported": 0, "open": 0}
    for number in (1, 2, 3):
        register_and_publish(export_edge, number)
    run_rollup(export_edge)

    assert export_days(export_edge) == {"exported": 1, "open": 0}
    assert export_days(export_edge) == {"exported": 0, "open": 0}

    rows = read_first_day_rows()
    assert len(rows) == 3
    assert {row["age"] for row in rows} != {None}
    manifest = json.loads(read_bucket()[f"{FIRST_DAY_PREFIX}_manifest.json"])
    assert manifest["counts"] == get_summary(export_edge)["counts"]


def test_a_day_with_an_erased_worker_is_exported_without_a_key_for_personal_fields(export_edge: Edge) -> None:
    for number in (1, 2):
        register_and_publish(export_edge, number)
    request = {"request_id": make_capture_id(9), "nik": make_nik(7001), "reason": "worker_request"}
    assert export_edge.send("POST", "/v1/erasures", request, caller="admin").status_code == 200
    run_rollup(export_edge)
    export_edge.restart()  # The export runs in a process of its own, which has unwrapped no key yet.

    assert export_days(export_edge) == {"exported": 1, "open": 0}

    assert len(read_first_day_rows()) == 2


def test_a_day_that_differs_from_its_summary_stays_open_and_is_counted_as_late_after_hours(
    export_edge: Edge, log_output: LogOutput
) -> None:
    register_and_publish(export_edge, 1)
    run_rollup(export_edge)
    register_and_publish(export_edge, 2)

    assert export_days(export_edge) == {"exported": 0, "open": 1}
    assert list_late_counts(log_output) == []

    boto3.client("dynamodb").update_item(
        TableName="SummariesTable",
        Key={"pk": {"S": "OUTBOX#analysts"}, "sk": {"S": "2024-10-09#tanah-abang-2024"}},
        UpdateExpression="SET enqueued_at = :earlier",
        ExpressionAttributeValues={":earlier": {"S": "2024-10-11T13:00:00.000Z"}},
    )
    export_days(export_edge)
    assert list_late_counts(log_output) == [[1.0]]


def test_a_day_that_cannot_be_exported_fails_the_run_after_the_other_days(
    export_edge: Edge, log_output: LogOutput
) -> None:
    register_and_publish(export_edge, 1)
    register_and_publish(export_edge, 2, captured_at=SECOND_DAY_CAPTURED_AT)
    run_rollup(export_edge)
    key = {"pk": {"S": "CAMPAIGN#tanah-abang-2024"}, "sk": {"S": "DAY#2024-10-10#000001"}}
    boto3.client("dynamodb").put_item(
        TableName="SummariesTable", Item={**key, "summary": {"S": "not a summary"}}
    )

    with pytest.raises(ExportPartialFailure):
        export_days(export_edge)

    assert len(read_first_day_rows()) == 1
    (failure,) = [line for line in log_output.lines if line["level"] == "ERROR"]
    assert (failure["day"], failure["campaign_id"]) == ("2024-10-10", "tanah-abang-2024")


def test_no_object_and_no_log_line_has_personal_data(export_edge: Edge, log_output: LogOutput) -> None:
    register_and_publish(export_edge, 1)
    run_rollup(export_edge)

    export_days(export_edge)

    for value in (make_nik(7001), "Melati", "82455507001", "1985", "10250", "ofc-12"):
        assert value not in json.dumps(read_bucket()), value
        assert value not in log_output.text, value


def test_a_stage_with_the_layer_writes_parquet_too(
    export_edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAFTAR_PARQUET_LAYER", "arn:aws:lambda:ap-southeast-3:000000000000:layer:duckdb:1")
    export_edge.restart()
    register_and_publish(export_edge, 1)
    run_rollup(export_edge)

    assert export_days(export_edge) == {"exported": 1, "open": 0}

    s3 = boto3.client("s3")
    manifest = json.loads(
        s3.get_object(Bucket="exports", Key=f"{FIRST_DAY_PREFIX}_manifest.json")["Body"].read()
    )
    [file] = manifest["parquet"]
    assert s3.get_object(Bucket="exports", Key=file["key"])["Body"].read(4) == b"PAR1"
