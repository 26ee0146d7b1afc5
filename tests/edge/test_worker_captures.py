"""A worker with as many captures as a worker may have, over HTTP."""

import boto3
import pytest

from tests.edge.conftest import Edge, assert_problem
from tests.edge.test_public_disclosure import get_visible_parts, make_capture
from tests.support.payloads import make_capture_id, make_capture_payload
from tests.support.stage_state import scan_registrations


@pytest.fixture
def reference(edge: Edge) -> str:
    """The reference of a worker who was captured a thousand times."""
    registered: str = edge.register(make_capture(1)).json_body["reference"]
    (worker,) = scan_registrations("OPEN")
    boto3.client("dynamodb").update_item(
        TableName=edge.container.settings.registrations_table,
        Key={"pk": worker["pk"], "sk": worker["sk"]},
        UpdateExpression="SET captures = :count",
        ExpressionAttributeValues={":count": {"N": "1000"}},
    )
    return registered


def test_an_officer_gets_a_conflict_and_a_capped_verdict_each_time(edge: Edge, reference: str) -> None:
    one_more = {**make_capture(1), "capture_id": make_capture_id(2)}

    for _ in range(2):
        assert_problem(edge.register(one_more), 409, "worker_captures_reached")
    (verdict,) = edge.send("POST", "/v1/registrations/batch", {"items": [one_more]}).json_body["results"]

    assert (verdict["outcome"], verdict["problem"]["code"]) == ("capped", "worker_captures_reached")
    assert edge.register(make_capture(1)).json_body["reference"] == reference


def test_a_bot_gets_the_response_of_a_new_worker(edge: Edge, reference: str) -> None:
    new = edge.register(make_capture(2), caller="bot")

    known = edge.register({**make_capture(1), "capture_id": make_capture_id(3)}, caller="bot")

    assert get_visible_parts(known) == get_visible_parts(new)


def test_a_refused_capture_stores_nothing_of_the_worker(edge: Edge, reference: str) -> None:
    edge.register(make_capture_payload(**{**make_capture(1), "capture_id": make_capture_id(2)}))

    (refused,) = [item for item in scan_registrations("CAPTURE") if "reference" not in item]
    assert refused["facts"]["M"]["reasons"]["L"] == [{"S": "worker_captures_reached"}]
    assert not refused.keys() & {"answer", "reference"}
    assert not refused["facts"]["M"].keys() & {"neighbours", "age", "sex"}
