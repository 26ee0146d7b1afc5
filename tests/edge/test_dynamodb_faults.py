"""A table that is throttled, silent or gone: the caller hears `try_again`, and its next send succeeds."""

import json
import socket
from typing import Any

import boto3
import pytest
from chalice.local import LambdaContext

from chalicelib.crypto.keyring import KeysMissing
from chalicelib.observability import UnhandledError
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.edge.test_callers import asked
from tests.support.aws_events import make_schedule_event
from tests.support.dynamodb_faults import FaultyProxy, run_faulty_proxy
from tests.support.payloads import make_capture_id, make_capture_payload

PERSONAL = ["317107520485", "Melati", "82455507001", "5550-7001", "Jalan Contoh"]
ATTEMPTS = 2


@pytest.fixture
def dynamodb_proxy(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> FaultyProxy:
    """What stands between the functions and their tables, once the stage has been filled without it."""
    with run_faulty_proxy() as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", between.url)
        edge.restart()
        yield between


def heard_to_try_again(edge: Edge, log_output: LogOutput) -> None:
    response = edge.register(make_capture_payload())

    assert_problem(response, 503, "try_again")
    assert int(response.headers["Retry-After"]) >= 1
    assert not [value for value in PERSONAL if value in response.body.decode() + log_output.text]


def created_once(edge: Edge) -> None:
    answer = edge.register(make_capture_payload())
    assert answer.status_code == 201
    assert edge.register(make_capture_payload()).body == answer.body
    again = edge.register(make_capture_payload(capture_id=make_capture_id(2)))
    assert again.json_body["reference"] == answer.json_body["reference"]


@pytest.mark.parametrize("error", ["ThrottlingException", "InternalServerError"])
def test_a_table_that_cannot_take_a_capture_now_takes_it_once_later(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy, error: str
) -> None:
    before = dump_stored_state()
    dynamodb_proxy.add_fault("TransactWriteItems", error)

    heard_to_try_again(edge, log_output)

    assert dump_stored_state() == before
    dynamodb_proxy.faults.clear()
    created_once(edge)


@pytest.mark.parametrize("reason", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_throttled_in_one_item_is_to_be_tried_again(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy, reason: str
) -> None:
    reasons = [{"Code": reason}, {"Code": "None"}, {"Code": "None"}]
    dynamodb_proxy.add_fault(
        "TransactWriteItems", "TransactionCanceledException", cancellation_reasons=reasons
    )

    heard_to_try_again(edge, log_output)


def test_writers_that_are_in_the_way_for_ever_end_in_try_again(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}, {"Code": "None"}]
    dynamodb_proxy.add_fault(
        "TransactWriteItems", "TransactionCanceledException", cancellation_reasons=reasons
    )

    heard_to_try_again(edge, log_output)


def test_one_refusal_by_the_table_is_not_the_callers_business(
    edge: Edge, dynamodb_proxy: FaultyProxy
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "ThrottlingException", times=1)

    created_once(edge)


def test_a_throttled_table_is_asked_twice_and_no_more(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "ThrottlingException")

    heard_to_try_again(edge, log_output)

    assert dynamodb_proxy.count_requests("TransactWriteItems") == ATTEMPTS


def test_a_silent_table_is_asked_twice_and_no_more(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "hang")

    heard_to_try_again(edge, log_output)

    assert dynamodb_proxy.count_requests("TransactWriteItems") == ATTEMPTS


def test_a_table_that_drops_its_connections_is_asked_twice_and_no_more(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "drop")

    heard_to_try_again(edge, log_output)

    assert dynamodb_proxy.count_requests("TransactWriteItems") == ATTEMPTS


def test_a_write_whose_answer_was_lost_has_happened_once(edge: Edge, dynamodb_proxy: FaultyProxy) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "lose the answer", times=1)

    created_once(edge)

    stored = boto3.client("dynamodb", endpoint_url=dynamodb_proxy.url).scan(TableName="RegistrationsTable")[
        "Items"
    ]
    assert [item["sk"]["S"] for item in stored].count("APPLICATION") == 1


def test_a_write_whose_every_answer_was_lost_is_found_by_the_next_send(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "lose the answer", times=ATTEMPTS)

    heard_to_try_again(edge, log_output)

    answer = edge.register(make_capture_payload())
    assert (answer.status_code, answer.json_body["outcome"]) == (201, "created")
    assert answer.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("table", "error"), [("CampaignsTable", "ThrottlingException"), ("KeysTable", "drop")]
)
def test_a_table_that_cannot_be_read_now_is_no_error_of_ours(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy, table: str, error: str
) -> None:
    for operation in ("GetItem", "Query"):
        dynamodb_proxy.add_fault(operation, error, body_contains=table)

    heard_to_try_again(edge, log_output)

    dynamodb_proxy.faults.clear()
    created_once(edge)


@pytest.mark.parametrize(
    ("path", "by"),
    [
        ("/v1/campaigns", "manager"),
        ("/v1/campaigns/tanah-abang-2024/summaries/2024-10-09", "manager"),
        ("/v1/clients", "admin"),
    ],
)
def test_every_route_says_try_again(edge: Edge, dynamodb_proxy: FaultyProxy, path: str, by: str) -> None:
    dynamodb_proxy.add_fault("Query", "ThrottlingException")

    response = edge.send("GET", path, caller=by)

    assert_problem(response, 503, "try_again")
    assert "Retry-After" in response.headers


def test_a_caller_who_cannot_be_looked_up_is_neither_let_in_nor_turned_away(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{a_closed_port()}")
    edge.restart()

    # The gateway answers 503 to an authorizer that fails with any word but this one.
    with pytest.raises(Exception, match="Could not connect"):
        asked(edge, f"Bearer {edge.tokens['kiosk']}")


def test_a_caller_let_in_before_the_tables_went_is_told_to_try_again(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    # API Gateway remembers for a minute that a caller was let in, so the API meets the fault itself.
    context = asked(edge, f"Bearer {edge.tokens['kiosk']}")["context"]
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{a_closed_port()}")
    edge.restart()

    answer = edge.app(
        as_the_gateway_hands_over(make_capture_payload(), context), LambdaContext("api_handler", 1024)
    )

    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (503, "try_again")
    assert int(answer["headers"]["Retry-After"]) >= 1
    assert answer["headers"]["X-Correlation-Id"] == "request-1"


def test_an_unreachable_table_is_no_error_of_ours(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    let_in = dynamodb_proxy.count_requests("GetItem")
    dynamodb_proxy.add_fault("GetItem", "drop", body_contains="CampaignsTable")
    dynamodb_proxy.add_fault("TransactWriteItems", "drop")

    heard_to_try_again(edge, log_output)

    assert dynamodb_proxy.count_requests("GetItem") - let_in == 1 + ATTEMPTS


def test_a_stage_without_keys_fails_without_saying_what_was_sent(edge: Edge, log_output: LogOutput) -> None:
    dynamodb = boto3.client("dynamodb")
    for item in dynamodb.scan(TableName="KeysTable")["Items"]:
        key = {name: item[name] for name in ("purpose", "key_id")}
        dynamodb.delete_item(TableName="KeysTable", Key=key)
    edge.restart()

    response = edge.register(make_capture_payload(), Accept_Language="en")

    problem = assert_problem(response, 500, "internal_error")
    assert problem["title"] == "Something went wrong on our side."
    assert not [value for value in PERSONAL if value in response.body.decode() + log_output.text]
    (failure,) = [line for line in log_output.lines if line["level"] == "ERROR"]
    assert failure["error"] == KeysMissing.__name__
    assert "Traceback" not in log_output.text


def test_a_registration_that_cannot_be_unsealed_fails_without_saying_what_it_holds(
    edge: Edge, log_output: LogOutput
) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]
    key = {"pk": {"S": f"REGISTRATION#{reference}"}, "sk": {"S": "APPLICATION"}}
    boto3.client("dynamodb").update_item(
        TableName="RegistrationsTable",
        Key=key,
        UpdateExpression="SET sealed.nik = sealed.phone",
    )

    response = edge.send("GET", f"/v1/registrations/{reference}")

    assert_problem(response, 500, "internal_error")
    assert not [value for value in PERSONAL if value in response.body.decode() + log_output.text]


def test_a_table_that_is_not_there_is_an_error_of_ours(edge: Edge, log_output: LogOutput) -> None:
    boto3.client("dynamodb").delete_table(TableName="RegistrationsTable")

    response = edge.register(make_capture_payload())

    assert_problem(response, 500, "internal_error")
    assert not [value for value in (*PERSONAL, "RegistrationsTable") if value in response.body.decode()]


def as_the_gateway_hands_over(capture: dict[str, Any], caller: dict[str, str]) -> dict[str, Any]:
    """A send as the event that API Gateway makes of it."""
    return {
        "requestContext": {
            "httpMethod": "POST",
            "resourcePath": "/v1/registrations",
            "path": "/api/v1/registrations",
            "requestId": "request-1",
            "identity": {"sourceIp": "127.0.0.1"},
            "authorizer": {**caller, "principalId": caller["client_id"]},
        },
        "headers": {"content-type": "application/json"},
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "body": json.dumps(capture),
        "isBase64Encoded": False,
    }


def a_closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("function", ["age_registrations", "roll_up_due_days"])
def test_a_round_that_fails_for_a_reason_of_aws_leaves_its_type_alone(
    edge: Edge, log_output: LogOutput, function: str
) -> None:
    for table in ("RegistrationsTable", "SummariesTable"):
        boto3.client("dynamodb").delete_table(TableName=table)

    with pytest.raises(UnhandledError) as failed:
        edge.invoke(function, make_schedule_event())

    assert str(failed.value) == "ResourceNotFoundException"
    assert [line["error"] for line in log_output.lines] == ["ResourceNotFoundException"]
