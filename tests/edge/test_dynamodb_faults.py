"""Faults of DynamoDB: the caller gets `try_again`, and the request succeeds when it is sent again."""

import json
from collections.abc import Iterator

import boto3
import pytest
from chalice.local import LambdaContext

from chalicelib.crypto.keyring import KeysMissing
from chalicelib.observability import UnhandledError
from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.aws_events import make_schedule_event, make_token_event
from tests.support.dynamodb_faults import FaultyProxy, run_faulty_proxy
from tests.support.http_events import make_registration_event
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_capture_id, make_capture_payload
from tests.support.ports import find_free_port
from tests.support.stage_state import scan_registrations

PERSONAL_VALUES = ["317107520485", "Melati", "82455507001", "5550-7001", "Jalan Contoh"]
MAX_ATTEMPTS = 2


@pytest.fixture
def dynamodb_proxy(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """Run a proxy between the functions and their tables, which have been filled without it."""
    with run_faulty_proxy() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        edge.restart()
        yield proxy


def find_unreachable_url() -> str:
    """Return the URL of a port that nothing listens on."""
    return f"http://127.0.0.1:{find_free_port()}"


def assert_answered_try_again(edge: Edge, log_output: LogOutput) -> None:
    """Fail unless a capture is answered with `try_again` and without personal data."""
    response = edge.register(make_capture_payload())

    assert_problem(response, 503, "try_again")
    assert int(response.headers["Retry-After"]) >= 1
    assert not [value for value in PERSONAL_VALUES if value in response.body.decode() + log_output.text]


def assert_created_once(edge: Edge) -> None:
    """Fail unless a capture makes a registration and its replay and a repeat find it."""
    response = edge.register(make_capture_payload())
    assert response.status_code == 201
    assert edge.register(make_capture_payload()).body == response.body
    repeat = edge.register(make_capture_payload(capture_id=make_capture_id(2)))
    assert repeat.json_body["reference"] == response.json_body["reference"]


@pytest.mark.parametrize("error", ["ThrottlingException", "InternalServerError"])
def test_a_failed_write_stores_nothing_and_succeeds_when_it_is_sent_again(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy, error: str
) -> None:
    before = dump_stored_state()
    dynamodb_proxy.add_fault("TransactWriteItems", error)

    assert_answered_try_again(edge, log_output)

    assert dump_stored_state() == before
    dynamodb_proxy.faults.clear()
    assert_created_once(edge)


@pytest.mark.parametrize("reason", ["ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_with_one_throttled_item_is_answered_try_again(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy, reason: str
) -> None:
    reasons = [{"Code": reason}, {"Code": "None"}, {"Code": "None"}]
    dynamodb_proxy.add_fault(
        "TransactWriteItems", "TransactionCanceledException", cancellation_reasons=reasons
    )

    assert_answered_try_again(edge, log_output)


def test_endless_transaction_conflicts_are_answered_try_again(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}, {"Code": "None"}]
    dynamodb_proxy.add_fault(
        "TransactWriteItems", "TransactionCanceledException", cancellation_reasons=reasons
    )

    assert_answered_try_again(edge, log_output)


def test_a_single_throttled_request_is_retried_within_the_request(
    edge: Edge, dynamodb_proxy: FaultyProxy
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "ThrottlingException", times=1)

    assert_created_once(edge)


def test_a_throttled_write_is_attempted_twice(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "ThrottlingException")

    assert_answered_try_again(edge, log_output)

    assert dynamodb_proxy.count_requests("TransactWriteItems") == MAX_ATTEMPTS


def test_a_write_that_times_out_is_attempted_twice(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "hang")

    assert_answered_try_again(edge, log_output)

    assert dynamodb_proxy.count_requests("TransactWriteItems") == MAX_ATTEMPTS


def test_a_write_whose_connection_is_closed_is_attempted_twice(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "drop")

    assert_answered_try_again(edge, log_output)

    assert dynamodb_proxy.count_requests("TransactWriteItems") == MAX_ATTEMPTS


def test_a_write_whose_response_was_lost_is_stored_once(edge: Edge, dynamodb_proxy: FaultyProxy) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "lose the answer", times=1)

    assert_created_once(edge)

    assert len(scan_registrations("APPLICATION")) == 1


def test_a_write_whose_every_response_was_lost_is_replayed_by_the_next_request(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "lose the answer", times=MAX_ATTEMPTS)

    assert_answered_try_again(edge, log_output)

    response = edge.register(make_capture_payload())
    assert (response.status_code, response.json_body["outcome"]) == (201, "created")
    assert response.headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("table", "error"), [("CampaignsTable", "ThrottlingException"), ("KeysTable", "drop")]
)
def test_a_failed_read_is_answered_try_again(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy, table: str, error: str
) -> None:
    for operation in ("GetItem", "Query"):
        dynamodb_proxy.add_fault(operation, error, body_contains=table)

    assert_answered_try_again(edge, log_output)

    dynamodb_proxy.faults.clear()
    assert_created_once(edge)


@pytest.mark.parametrize(
    ("path", "caller"),
    [
        ("/v1/campaigns", "manager"),
        ("/v1/campaigns/tanah-abang-2024/summaries/2024-10-09", "manager"),
        ("/v1/clients", "admin"),
    ],
)
def test_reading_routes_answer_try_again(
    edge: Edge, dynamodb_proxy: FaultyProxy, path: str, caller: str
) -> None:
    dynamodb_proxy.add_fault("Query", "ThrottlingException")

    response = edge.send("GET", path, caller=caller)

    assert_problem(response, 503, "try_again")
    assert "Retry-After" in response.headers


def test_the_authorizer_fails_if_it_cannot_read_the_client(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", find_unreachable_url())
    edge.restart()

    # API Gateway answers 503, and not 401, unless the message is exactly "Unauthorized".
    with pytest.raises(Exception, match="Could not connect"):
        edge.invoke("authorize_caller", make_token_event(f"Bearer {edge.tokens['kiosk']}"))


def test_an_authorized_request_without_a_database_is_answered_try_again(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    # API Gateway caches the authorizer's answer for a minute, so the API itself meets the fault.
    caller = edge.invoke("authorize_caller", make_token_event(f"Bearer {edge.tokens['kiosk']}"))["context"]
    event = make_registration_event(make_capture_payload(), caller=caller)
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", find_unreachable_url())
    edge.restart()

    response = edge.app(event, LambdaContext("api_handler", 1024))

    assert (response["statusCode"], json.loads(response["body"])["code"]) == (503, "try_again")
    assert int(response["headers"]["Retry-After"]) >= 1
    assert response["headers"]["X-Correlation-Id"] == event["requestContext"]["requestId"]


def test_a_read_whose_connection_is_closed_is_attempted_twice(
    edge: Edge, log_output: LogOutput, dynamodb_proxy: FaultyProxy
) -> None:
    dynamodb_proxy.add_fault("GetItem", "drop", body_contains="CampaignsTable")
    before = len(dynamodb_proxy.request_bodies)

    assert_answered_try_again(edge, log_output)

    requests = dynamodb_proxy.request_bodies[before:]
    attempts = [body for operation, body in requests if operation == "GetItem" and b"CampaignsTable" in body]
    assert len(attempts) == MAX_ATTEMPTS


def test_missing_keys_are_an_internal_error_without_personal_data(edge: Edge, log_output: LogOutput) -> None:
    for item in list_stored_items("KeysTable"):
        key = {name: item[name] for name in ("purpose", "key_id")}
        boto3.client("dynamodb").delete_item(TableName="KeysTable", Key=key)
    edge.restart()

    response = edge.register(make_capture_payload(), Accept_Language="en")

    problem = assert_problem(response, 500, "internal_error")
    assert problem["title"] == "Something went wrong on our side."
    assert not [value for value in PERSONAL_VALUES if value in response.body.decode() + log_output.text]
    (failure,) = [line for line in log_output.lines if line["level"] == "ERROR"]
    assert failure["error"] == KeysMissing.__name__
    assert "Traceback" not in log_output.text


def test_a_registration_that_cannot_be_decrypted_is_refused_without_personal_data(
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

    assert_problem(response, 500, "record_unreadable")
    assert not [value for value in PERSONAL_VALUES if value in response.body.decode() + log_output.text]


def test_a_missing_table_is_an_internal_error(edge: Edge, log_output: LogOutput) -> None:
    boto3.client("dynamodb").delete_table(TableName="RegistrationsTable")

    response = edge.register(make_capture_payload())

    assert_problem(response, 500, "internal_error")
    assert not [
        value for value in (*PERSONAL_VALUES, "RegistrationsTable") if value in response.body.decode()
    ]


@pytest.mark.parametrize("function", ["age_registrations", "roll_up_due_days"])
def test_a_function_that_fails_in_aws_raises_and_logs_the_error_code_only(
    edge: Edge, log_output: LogOutput, function: str
) -> None:
    for table in ("RegistrationsTable", "SummariesTable"):
        boto3.client("dynamodb").delete_table(TableName=table)

    with pytest.raises(UnhandledError) as failed:
        edge.invoke(function, make_schedule_event())

    assert str(failed.value) == "ResourceNotFoundException"
    assert [line["error"] for line in log_output.lines] == ["ResourceNotFoundException"]
