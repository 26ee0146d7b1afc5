"""The hourly tick, called as EventBridge calls it; the campaign's days are long over by the real clock."""

import boto3
import pytest

from chalicelib.rollups.schedule import RollUpPartialFailure
from tests.edge.conftest import Edge, LogOutput
from tests.edge.test_announcing import marks, stored
from tests.support.aws_events import make_schedule_event, make_stream_event
from tests.support.builders import make_capture_id, make_capture_payload, make_nik

SUMMARIES = "/v1/campaigns/tanah-abang-2024/summaries"
TOMORROW = "2024-10-10T08:00:00+07:00"


def registers(edge: Edge, number: int, **changes: object) -> None:
    """One more worker, announced at once."""
    edge.register(
        make_capture_payload(
            capture_id=make_capture_id(number), worker={"nik": make_nik(7000 + number)}, **changes
        )
    )
    edge.invoke("on_registration_changes", make_stream_event(*stored("CAPTURE")))


def tick(edge: Edge) -> dict[str, int]:
    counted: dict[str, int] = edge.invoke("roll_up_due_days", make_schedule_event())
    return counted


def summary(edge: Edge, day: str = "2024-10-09") -> dict[str, object]:
    shown: dict[str, object] = edge.send("GET", f"{SUMMARIES}/{day}", caller="manager").json_body
    return shown


def test_nothing_is_due_where_nothing_was_captured(edge: Edge) -> None:
    assert tick(edge) == {"counted": 0, "written": 0, "unfinished": 0}


def test_a_day_on_which_something_was_captured_is_counted(edge: Edge) -> None:
    registers(edge, 1)

    assert tick(edge) == {"counted": 1, "written": 1, "unfinished": 0}

    assert summary(edge)["counts"]["created"] == 1


def test_each_marked_day_is_counted(edge: Edge) -> None:
    registers(edge, 1)
    registers(edge, 2, captured_at=TOMORROW)

    assert tick(edge) == {"counted": 2, "written": 2, "unfinished": 0}

    assert summary(edge, "2024-10-10")["counts"]["created"] == 1


def test_a_tick_that_comes_twice_writes_once(edge: Edge) -> None:
    registers(edge, 1)
    tick(edge)
    before = summary(edge)

    assert tick(edge)["written"] == 0

    assert summary(edge) == before


def test_a_mark_younger_than_the_indexs_lag_waits_for_the_next_tick(edge: Edge) -> None:
    registers(edge, 1)

    tick(edge)

    assert list(marks()) == ["2024-10-09#tanah-abang-2024"]


def test_a_mark_is_taken_away_once_nothing_can_have_been_missed(edge: Edge) -> None:
    registers(edge, 1)
    boto3.client("dynamodb").update_item(
        TableName="SummariesTable",
        Key={"pk": {"S": "DIRTY"}, "sk": {"S": "2024-10-09#tanah-abang-2024"}},
        UpdateExpression="SET marked_at = :earlier",
        ExpressionAttributeValues={":earlier": {"S": "2024-10-09T13:00:00.000Z"}},
    )

    tick(edge)

    assert marks() == {}


def test_a_late_capture_is_told_as_a_change_at_the_next_tick(edge: Edge) -> None:
    registers(edge, 1)
    tick(edge)
    registers(edge, 2)

    tick(edge)

    late = summary(edge)
    assert late["version"] == 2
    assert {"figure": "counts.created", "was": 1, "now": 2} in late["changes"]


def test_a_day_that_cannot_be_counted_holds_up_no_other_and_fails_the_tick(
    edge: Edge, log_output: LogOutput
) -> None:
    registers(edge, 1)
    registers(edge, 2, captured_at=TOMORROW)
    boto3.client("dynamodb").put_item(
        TableName="SummariesTable",
        Item={
            "pk": {"S": "CAMPAIGN#tanah-abang-2024"},
            "sk": {"S": "DAY#2024-10-09#000001"},
            "summary": {"S": "not a summary"},
        },
    )

    with pytest.raises(RollUpPartialFailure):
        tick(edge)

    assert summary(edge, "2024-10-10")["counts"]["created"] == 1
    (failure,) = [line for line in log_output.lines if line["level"] == "ERROR"]
    assert (failure["day"], failure["campaign_id"]) == ("2024-10-09", "tanah-abang-2024")


def test_a_tick_measures_how_late_it_was_for_each_day(edge: Edge, log_output: LogOutput) -> None:
    registers(edge, 1)

    tick(edge)

    measured = [each for each in log_output.metrics if "RollUpLag" in each]
    assert len(measured) == 1
    assert measured[0]["RollUpLag"][0] >= 0


def test_counting_names_nobody(edge: Edge, log_output: LogOutput) -> None:
    registers(edge, 1)

    tick(edge)

    assert not [value for value in (make_nik(7001), "Melati", "82455507001") if value in log_output.text]
