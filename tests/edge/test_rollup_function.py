"""The hourly roll-up function, called as EventBridge calls it, long after the campaign's days."""

from typing import Any

import boto3
import pytest

from chalicelib.rollups.schedule import RollUpPartialFailure
from tests.edge.conftest import Edge, LogOutput
from tests.support.aws_events import make_schedule_event, make_share_event, make_stream_event
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik
from tests.support.stage_state import scan_registrations

SUMMARIES = "/v1/campaigns/tanah-abang-2024/summaries"
SECOND_DAY_CAPTURED_AT = "2024-10-10T08:00:00+07:00"


def register_and_publish(edge: Edge, number: int, **changes: Any) -> None:
    """Register one more worker and invoke the stream publisher with all captures."""
    edge.register(
        make_capture_payload(
            capture_id=make_capture_id(number), worker={"nik": make_nik(7000 + number)}, **changes
        )
    )
    edge.invoke("on_registration_changes", make_stream_event(*scan_registrations("CAPTURE")))


def run_rollup(edge: Edge) -> dict[str, int]:
    """Invoke the function. Return its result."""
    result: dict[str, int] = edge.invoke("roll_up_due_days", make_schedule_event())
    return result


def get_summary(edge: Edge, day: str = "2024-10-09") -> dict[str, Any]:
    """Return the latest summary of a day."""
    summary: dict[str, Any] = edge.send("GET", f"{SUMMARIES}/{day}", caller="manager").json_body
    return summary


def test_a_dirty_day_is_counted_once_and_without_personal_data(edge: Edge, log_output: LogOutput) -> None:
    register_and_publish(edge, 1)

    assert run_rollup(edge) == {"counted": 1, "written": 1, "unfinished": 0}
    summary = get_summary(edge)
    assert summary["counts"]["created"] == 1

    assert run_rollup(edge)["written"] == 0
    assert get_summary(edge) == summary
    assert not [value for value in (make_nik(7001), "Melati", "82455507001") if value in log_output.text]


def test_a_day_that_cannot_be_counted_fails_the_invocation_after_the_other_days(
    edge: Edge, log_output: LogOutput
) -> None:
    register_and_publish(edge, 1)
    register_and_publish(edge, 2, captured_at=SECOND_DAY_CAPTURED_AT)
    boto3.client("dynamodb").put_item(
        TableName="SummariesTable",
        Item={
            "pk": {"S": "CAMPAIGN#tanah-abang-2024"},
            "sk": {"S": "DAY#2024-10-09#000001"},
            "summary": {"S": "not a summary"},
        },
    )

    with pytest.raises(RollUpPartialFailure):
        run_rollup(edge)

    assert get_summary(edge, "2024-10-10")["counts"]["created"] == 1
    (failure,) = [line for line in log_output.lines if line["level"] == "ERROR"]
    assert (failure["day"], failure["campaign_id"]) == ("2024-10-09", "tanah-abang-2024")


def test_runs_side_by_side_count_each_campaign_in_one_of_them(edge: Edge) -> None:
    register_and_publish(edge, 1)

    results = [edge.invoke("roll_up_due_days", make_share_event(number, 8)) for number in range(8)]

    assert sorted(each["counted"] for each in results) == [0] * 7 + [1]
    assert get_summary(edge)["counts"]["created"] == 1
    assert run_rollup(edge)["written"] == 0
