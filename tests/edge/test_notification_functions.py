"""The functions that send SMS, queue due SMS and record receipts, called as their event sources do."""

from typing import Any

import boto3
import pytest

from chalicelib.messaging.gsm7 import SEGMENT_SEPTETS, count_septets, is_gsm7
from ops.fake_sms.inbox import ReceivedSms
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import SMS_ENDPOINT, Edge, LogOutput
from tests.support.aws_events import make_domain_event, make_schedule_event, make_sqs_event
from tests.support.dynamodb_faults import run_faulty_proxy
from tests.support.moto_snapshots import list_stored_items
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

SEND_OPERATION = "SendTextMessage"
NO_FAILURES: dict[str, Any] = {"batchItemFailures": []}


def register_worker(edge: Edge, number: int = 1) -> str:
    """Register a worker. Return the reference."""
    worker = {"nik": make_nik(7000 + number), "phone": f"0824-5550-{7000 + number}"}
    capture = make_capture_payload(capture_id=make_capture_id(number), worker=worker)
    reference: str = edge.register(capture).json_body["reference"]
    return reference


def list_received_sms(gateway: FakeSmsServer) -> list[ReceivedSms]:
    """Return the SMS that the gateway has received."""
    return gateway.inbox.list_sms()


def read_sms_states() -> list[tuple[str, int]]:
    """Return the state and the number of attempts of every SMS."""
    return [(item["state"]["S"], int(item["attempts"]["N"])) for item in list_stored_items("SmsLedgerTable")]


def make_every_sms_due() -> None:
    """Set the due time of every SMS to the past."""
    for item in list_stored_items("SmsLedgerTable"):
        due_item = {**item, "due_at": {"S": "2024-10-09T00:00:00.000Z"}}
        boto3.client("dynamodb").put_item(TableName="SmsLedgerTable", Item=due_item)


def get_committed_budget() -> int:
    """Return the committed money of all campaigns and days, in rupiah."""
    return sum(
        int(item["committed"]["N"]) for item in list_stored_items("SendingTable") if "committed" in item
    )


def test_an_event_sends_one_sms_of_one_part_without_personal_data_in_logs(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    reference = register_worker(edge)
    event = make_domain_event(reference=reference)

    assert edge.invoke("on_notifications", make_sqs_event(event)) == NO_FAILURES

    (sms,) = list_received_sms(gateway)
    assert sms.to == "+6282455507001"
    assert reference in sms.text
    assert "Melati Kusumawati" in sms.text
    assert "belum terlindungi" in sms.text, "a registered worker is not protected yet"
    assert is_gsm7(sms.text)
    assert count_septets(sms.text) <= SEGMENT_SEPTETS
    assert read_sms_states() == [("accepted", 1)]
    for output in (log_output.text, str(list_stored_items("SmsLedgerTable"))):
        personal_values = (make_nik(7001), "Melati", "82455507001", "BPJAMSOSTEK:")
        assert not [value for value in personal_values if value in output]


def test_of_a_cancelled_registration_one_sms_is_sent_and_none_after_another_registration(
    edge: Edge, gateway: FakeSmsServer
) -> None:
    references = [register_worker(edge, number) for number in (1, 2)]
    for reference in references:
        path = f"/v1/registrations/{reference}/cancellation"
        assert edge.send("POST", path, {"reason": "other"}).status_code == 200
    worker = {"nik": make_nik(7002), "phone": "0824-5550-7002"}
    again = edge.register(make_capture_payload(capture_id=make_capture_id(9), worker=worker)).json_body
    assert again["outcome"] == "reactivated"

    for reference in references:
        received = make_domain_event(reference=reference)
        cancelled = make_domain_event(
            type="RegistrationChanged", reference=reference, event_type="cancelled", event_version=2
        )
        event = make_sqs_event(received, cancelled, cancelled)
        assert edge.invoke("on_notifications", event) == NO_FAILURES

    (sms,) = list_received_sms(gateway)
    assert references[0] in sms.text
    assert "dibatalkan" in sms.text
    assert sorted(read_sms_states()) == [("accepted", 1), *[("failed", 0)] * 3]


def test_a_message_that_is_delivered_twice_sends_one_sms(edge: Edge, gateway: FakeSmsServer) -> None:
    event = make_domain_event(reference=register_worker(edge))

    assert edge.invoke("on_notifications", make_sqs_event(event, event)) == NO_FAILURES
    assert edge.invoke("on_notifications", make_sqs_event(event)) == NO_FAILURES

    assert len(list_received_sms(gateway)) == 1


INVALID_MESSAGES: dict[str, Any] = {
    "empty": "",
    "malformed JSON": "{",
    "null": "null",
    "a list": "[]",
    "unknown type": make_domain_event(type="RegistrationExpired"),
    "another major version": make_domain_event(version=2),
    "a NIK as version": make_domain_event(version=make_nik()),
    "no reference": {"type": "RegistrationReceived", "version": 1, "correlation_id": "c"},
    "no correlation id": {"type": "RegistrationReceived", "version": 1, "reference": "7K4-M2Q-X9P"},
    "unknown reference": make_domain_event(),
    "a NIK as reference": make_domain_event(reference=make_nik()),
}


def test_only_the_invalid_message_of_a_batch_is_returned_as_failed(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput, subtests: pytest.Subtests
) -> None:
    valid = [make_domain_event(reference=register_worker(edge, number)) for number in range(1, 10)]
    for number, (name, invalid) in enumerate(INVALID_MESSAGES.items()):
        with subtests.test(name):
            position = number % (len(valid) + 1)
            batch = [*valid[:position], invalid, *valid[position:]]
            result = edge.invoke("on_notifications", make_sqs_event(*batch))
            assert result == {"batchItemFailures": [{"itemIdentifier": f"m-{position}"}]}

    assert len(list_received_sms(gateway)) == len(valid)
    assert make_nik() not in log_output.text
    assert len([line for line in log_output.lines if line["level"] == "ERROR"]) == len(INVALID_MESSAGES)


@pytest.mark.parametrize("function", ["on_notifications", "on_receipts"])
def test_a_batch_of_invalid_messages_returns_each_of_them(
    edge: Edge, gateway: FakeSmsServer, function: str
) -> None:
    result = edge.invoke(function, make_sqs_event("{", "{}"))

    assert result == {"batchItemFailures": [{"itemIdentifier": "m-0"}, {"itemIdentifier": "m-1"}]}


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("ThrottlingException", ("pending", 1)),
        ("ServiceQuotaExceededException", ("pending", 1)),
        ("ValidationException", ("failed", 1)),
        ("ConflictException", ("failed", 1)),
        ("InternalServerError", ("unknown", 1)),
        ("drop", ("unknown", 1)),
        ("lose the answer", ("unknown", 1)),
    ],
)
def test_a_fault_of_the_gateway_is_kept_in_the_ledger_and_fails_no_message(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch, fault: str, state: tuple[str, int]
) -> None:
    event = make_sqs_event(make_domain_event(reference=register_worker(edge)))
    with run_faulty_proxy(gateway.url) as proxy:
        monkeypatch.setenv(SMS_ENDPOINT, proxy.url)
        proxy.add_fault(SEND_OPERATION, fault, times=1)

        assert edge.invoke("on_notifications", event) == NO_FAILURES

        assert proxy.count_requests(SEND_OPERATION) == 1
    assert read_sms_states() == [state]


def test_an_sms_that_the_gateway_could_not_be_reached_for_is_pending(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_sqs_event(make_domain_event(reference=register_worker(edge)))
    with run_faulty_proxy() as stopped:
        monkeypatch.setenv(SMS_ENDPOINT, stopped.url)
    assert edge.invoke("on_notifications", event) == NO_FAILURES
    assert read_sms_states() == [("pending", 1)]

    monkeypatch.setenv(SMS_ENDPOINT, gateway.url)
    edge.restart()

    assert edge.invoke("on_notifications", event) == NO_FAILURES
    assert len(list_received_sms(gateway)) == 1


def test_sending_stops_for_the_rest_of_the_batch_after_an_account_failure(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch, log_output: LogOutput
) -> None:
    first, second = (make_domain_event(reference=register_worker(edge, number)) for number in (1, 2))
    with run_faulty_proxy(gateway.url) as proxy:
        monkeypatch.setenv(SMS_ENDPOINT, proxy.url)
        proxy.add_fault(SEND_OPERATION, "ServiceQuotaExceededException", times=1)

        assert edge.invoke("on_notifications", make_sqs_event(first, second)) == NO_FAILURES

        assert proxy.count_requests(SEND_OPERATION) == 1
    assert sorted(read_sms_states()) == [("pending", 0), ("pending", 1)]
    edge.invoke("queue_due_sms", make_schedule_event())
    assert [each for each in log_output.metrics if "SendingStopped" in each]


def test_held_sms_are_counted_in_every_run_until_there_are_none(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    edge.send("PATCH", "/v1/campaigns/tanah-abang-2024", {"sms_budget": 0}, caller="manager")
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=register_worker(edge))))
    assert read_sms_states() == [("held", 0)]

    def run_has_metric() -> bool:
        before = len(log_output.metrics)
        edge.invoke("queue_due_sms", make_schedule_event())
        return any("SmsHeld" in each for each in log_output.metrics[before:])

    assert [run_has_metric(), run_has_metric()] == [True, True]
    (item,) = list_stored_items("SmsLedgerTable")
    boto3.client("dynamodb").delete_item(TableName="SmsLedgerTable", Key={"sms_id": item["sms_id"]})
    assert run_has_metric() is False


def test_a_due_sms_is_queued_once_and_sent_from_its_message(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_domain_event(reference=register_worker(edge))
    with run_faulty_proxy(gateway.url) as proxy:
        monkeypatch.setenv(SMS_ENDPOINT, proxy.url)
        proxy.add_fault(SEND_OPERATION, "ThrottlingException", times=1)
        edge.invoke("on_notifications", make_sqs_event(event))
        make_every_sms_due()

        assert edge.invoke("queue_due_sms", make_schedule_event()) == {"confirmation": 1, "reminder": 0}
        assert edge.invoke("queue_due_sms", make_schedule_event()) == {"confirmation": 0, "reminder": 0}
        url = edge.container.settings.notifications_queue_url
        (message,) = boto3.client("sqs").receive_message(QueueUrl=url)["Messages"]
        edge.invoke("on_notifications", make_sqs_event(message["Body"]))

    assert read_sms_states() == [("accepted", 2)]
    assert len(list_received_sms(gateway)) == 1


def test_a_receipt_sets_the_state_and_the_price_of_an_unknown_sms(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_sqs_event(make_domain_event(reference=register_worker(edge)))
    with run_faulty_proxy(gateway.url) as proxy:
        monkeypatch.setenv(SMS_ENDPOINT, proxy.url)
        proxy.add_fault(SEND_OPERATION, "lose the answer")
        edge.invoke("on_notifications", event)
    assert read_sms_states() == [("unknown", 1)]
    (sms,) = list_received_sms(gateway)
    receipt = {
        "eventType": "TEXT_DELIVERED",
        "eventTimestamp": 1728450123456,
        "messageId": sms.message_id,
        "context": sms.context,
        "totalMessageParts": 1,
        "totalMessagePrice": 0.02,
    }

    for _ in range(2):
        assert edge.invoke("on_receipts", make_sqs_event(receipt)) == NO_FAILURES

    assert read_sms_states() == [("delivered", 1)]
    assert get_committed_budget() == 330, "the price in the receipt, converted to rupiah"


def test_an_sms_whose_creation_was_stored_without_a_response_is_sent_once(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_sqs_event(make_domain_event(reference=register_worker(edge)))
    with run_faulty_proxy() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        edge.restart()
        proxy.add_fault("PutItem", "lose the answer", body_contains="SmsLedgerTable", times=1)

        assert edge.invoke("on_notifications", event) == NO_FAILURES

    assert len(list_received_sms(gateway)) == 1
