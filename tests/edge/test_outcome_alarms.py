"""Alarms on outcomes: each fires on its fault, and stays silent on what looks similar and is no fault."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import boto3
import pytest
from botocore.exceptions import ClientError

from chalicelib.clients.authorizer import Unauthorized
from chalicelib.messaging.rate_limiter import SendingStop
from infra.alarms import iter_alarms
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, LogOutput
from tests.support.aws_events import make_domain_event, make_sqs_event, make_token_event
from tests.support.dynamodb_faults import FaultyProxy, run_faulty_proxy
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

PERMISSION_TAKEN_AWAY = "AccessDeniedException"
MALFORMED_CAPTURE = {"capture_id": make_capture_id(900)}


@pytest.fixture
def dynamodb_proxy(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """Run a proxy between the functions and their tables."""
    with run_faulty_proxy() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        edge.restart()
        yield proxy


@pytest.fixture
def list_firing(log_output: LogOutput) -> Callable[[], set[str]]:
    """Return a function that returns the alarms on our own metrics that fire on what was counted until now.

    An alarm on successive periods fires if each of them is like this one.
    """

    def evaluate() -> set[str]:
        metrics = log_output.metrics
        return {
            alarm.name
            for alarm in iter_alarms()
            if alarm.namespace == "Daftar"
            and sum(sum(each.get(alarm.metric, ())) for each in metrics) >= alarm.threshold
        }

    return evaluate


def make_items(number: int) -> list[dict[str, object]]:
    return [
        make_capture_payload(
            capture_id=make_capture_id(each),
            worker={"nik": make_nik(7000 + each), "phone": f"0824-5550-{7000 + each}"},
        )
        for each in range(1, number + 1)
    ]


def send_batch(edge: Edge, items: Sequence[Mapping[str, object]]) -> list[str]:
    response = edge.send("POST", "/v1/registrations/batch", {"items": list(items)})
    assert response.status_code == 200
    return [each["outcome"] for each in response.json_body["results"]]


def test_a_request_that_fails_by_a_missing_permission_raises_an_alarm(
    edge: Edge, dynamodb_proxy: FaultyProxy, list_firing: Callable[[], set[str]]
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", PERMISSION_TAKEN_AWAY)

    assert edge.register(make_capture_payload()).status_code == 500

    assert list_firing() == {"RequestsFailed"}


def test_a_batch_whose_items_all_fail_inside_raises_an_alarm_although_it_is_answered_with_200(
    edge: Edge, dynamodb_proxy: FaultyProxy, list_firing: Callable[[], set[str]]
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", PERMISSION_TAKEN_AWAY)

    assert send_batch(edge, make_items(3)) == ["try_again"] * 3

    assert list_firing() == {"RequestsFailed"}


def test_twenty_items_that_have_to_be_sent_again_raise_an_alarm(
    edge: Edge, dynamodb_proxy: FaultyProxy, list_firing: Callable[[], set[str]]
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "ThrottlingException")

    assert send_batch(edge, make_items(20)) == ["try_again"] * 20

    assert list_firing() == {"RequestsDeferred"}


def test_refusals_and_a_single_throttled_request_raise_no_alarm(
    edge: Edge, dynamodb_proxy: FaultyProxy, list_firing: Callable[[], set[str]]
) -> None:
    dynamodb_proxy.add_fault("TransactWriteItems", "ThrottlingException", times=2)
    assert edge.register(make_capture_payload()).status_code == 503
    assert edge.register(make_capture_payload()).status_code == 201

    assert edge.register(make_capture_payload(officer="ofc-99")).status_code == 409
    assert edge.register(MALFORMED_CAPTURE).status_code == 422
    assert edge.send("GET", "/v1/registrations/7K4-M2Q-X9P").status_code == 404
    assert edge.send("POST", "/v1/registrations", b"{").status_code == 400
    assert edge.send("GET", "/v1/campaigns/tanah-abang-2024/summaries").status_code == 403
    assert send_batch(edge, [MALFORMED_CAPTURE] * 50) == ["invalid"] * 50

    assert list_firing() == set()


def test_an_authorizer_that_cannot_read_its_table_raises_an_alarm(
    edge: Edge, dynamodb_proxy: FaultyProxy, list_firing: Callable[[], set[str]]
) -> None:
    dynamodb_proxy.add_fault("Query", PERMISSION_TAKEN_AWAY)
    dynamodb_proxy.add_fault("GetItem", PERMISSION_TAKEN_AWAY)

    with pytest.raises(ClientError):
        edge.invoke("authorize_caller", make_token_event(f"Bearer {edge.tokens['kiosk']}"))

    assert list_firing() == {"TokensNotChecked"}


def test_wrong_and_revoked_tokens_raise_no_alarm(edge: Edge, list_firing: Callable[[], set[str]]) -> None:
    edge.container.clients.revoke("van-1")
    for _ in range(50):
        with pytest.raises(Unauthorized):
            edge.invoke("authorize_caller", make_token_event(f"Bearer daftar_{'x' * 43}"))
    edge.invoke("authorize_caller", make_token_event(f"Bearer {edge.tokens['kiosk']}"))

    assert list_firing() == set()


@pytest.fixture
def low_unusual_number(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make three known, refused or capped workers of a client unusual."""
    monkeypatch.setenv("DAFTAR_DEVICE_UNUSUAL_ATTEMPTS", "3")
    monkeypatch.setenv("DAFTAR_BOT_UNUSUAL_ATTEMPTS", "3")
    edge.restart()


def make_repeats(number: int) -> list[dict[str, object]]:
    """Return captures of a worker who is registered."""
    return [make_capture_payload(capture_id=make_capture_id(500 + each)) for each in range(number)]


@pytest.mark.parametrize("in_batch", [False, True], ids=["one by one", "batch"])
def test_a_device_that_meets_many_known_workers_raises_an_alarm_and_its_manager_sees_it(
    edge: Edge, low_unusual_number: None, list_firing: Callable[[], set[str]], in_batch: bool
) -> None:
    edge.register(make_capture_payload(), caller="kiosk anywhere")
    if in_batch:
        assert send_batch(edge, make_repeats(3)) == ["already_registered"] * 3
    else:
        assert [edge.register(each).status_code for each in make_repeats(3)] == [200] * 3

    assert list_firing() == {"UnusualClient"}
    summary = edge.send(
        "POST", "/v1/campaigns/tanah-abang-2024/summaries/2024-10-09", caller="manager here"
    ).json_body
    assert [(each["pattern"], each["client_id"], each["workers"]) for each in summary["anomalies"]] == [
        ("client_unusual", "van-1", 3)
    ]


def test_known_workers_of_a_bot_and_replays_of_a_device_raise_no_alarm(
    edge: Edge, low_unusual_number: None, list_firing: Callable[[], set[str]]
) -> None:
    edge.register(make_capture_payload())

    assert [edge.register(make_capture_payload()).status_code for _ in range(9)] == [201] * 9
    assert [edge.register(each, caller="bot").status_code for each in make_repeats(9)] == [202] * 9

    assert list_firing() == set()


def set_deadline_of_every_sms_to_the_past() -> None:
    for item in list_stored_items("SmsLedgerTable"):
        past = {"S": "2024-10-09T00:00:00.000Z"}
        boto3.client("dynamodb").put_item(TableName="SmsLedgerTable", Item={**item, "deadline": past})


def test_an_sms_that_expires_before_it_was_sent_raises_an_alarm(
    edge: Edge, gateway: FakeSmsServer, list_firing: Callable[[], set[str]]
) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]
    event = make_sqs_event(make_domain_event(reference=reference))
    edge.container.send_rate_limiter.stop(SendingStop("drill", None))
    edge.invoke("on_notifications", event)
    set_deadline_of_every_sms_to_the_past()
    edge.container.send_rate_limiter.resume(edge.container.clock())

    edge.invoke("on_notifications", event)

    assert gateway.inbox.list_sms() == []
    assert list_firing() == {"SmsExpired"}


def test_a_sent_sms_and_one_that_was_overtaken_raise_no_alarm(
    edge: Edge, gateway: FakeSmsServer, list_firing: Callable[[], set[str]]
) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]
    overtaken = make_domain_event(
        type="RegistrationChanged", reference=reference, event_type="paid", event_version=2
    )

    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference), overtaken))

    assert len(gateway.inbox.list_sms()) == 1
    assert {item["state"]["S"] for item in list_stored_items("SmsLedgerTable")} == {"accepted", "failed"}
    assert list_firing() == set()
