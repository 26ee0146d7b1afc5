"""The sender of texts, called as its queue calls it, with the fake-sms at the other end."""

import boto3
import pytest

from chalicelib.messaging.gsm7 import SEGMENT_SEPTETS, count_septets, is_gsm7
from ops.fake_sms.inbox import ReceivedSms
from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import SMS_ENDPOINT, Edge, LogOutput
from tests.support.aws_events import make_domain_event, make_schedule_event, make_sqs_event
from tests.support.dynamodb_faults import run_faulty_proxy
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

SEND = "SendTextMessage"
NOTHING_FAILED: dict[str, list[str]] = {"batchItemFailures": []}


def a_reference(edge: Edge, number: int = 1, **worker: str) -> str:
    """The reference of one more worker, registered now."""
    another = {"nik": make_nik(7000 + number), "phone": f"0824-5550-{7000 + number}", **worker}
    capture = make_capture_payload(capture_id=make_capture_id(number), worker=another)
    reference: str = edge.register(capture).json_body["reference"]
    return reference


def sent(gateway: FakeSmsServer) -> list[ReceivedSms]:
    return gateway.inbox.list_sms()


def ledger() -> list[tuple[str, int]]:
    """The state and the attempts of every text."""
    items = boto3.client("dynamodb").scan(TableName="SmsLedgerTable")["Items"]
    return [(item["state"]["S"], int(item["attempts"]["N"])) for item in items]


def make_due() -> None:
    """Let the time come for every text that waits."""
    dynamodb = boto3.client("dynamodb")
    for item in dynamodb.scan(TableName="SmsLedgerTable")["Items"]:
        dynamodb.put_item(
            TableName="SmsLedgerTable", Item={**item, "due_at": {"S": "2024-10-09T00:00:00.000Z"}}
        )


def committed() -> int:
    """The money of every campaign and day."""
    items = boto3.client("dynamodb").scan(TableName="SendingTable")["Items"]
    return sum(int(item["committed"]["N"]) for item in items if "committed" in item)


def test_a_worker_is_told_once_and_in_one_part(edge: Edge, gateway: FakeSmsServer) -> None:
    reference = a_reference(edge)

    assert (
        edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=reference)))
        == NOTHING_FAILED
    )

    (text,) = sent(gateway)
    assert text.to == "+6282455507001"
    assert reference in text.text
    assert "Melati Kusumawati" in text.text
    assert "belum terlindungi" in text.text, "registered is not yet protected"
    assert is_gsm7(text.text)
    assert count_septets(text.text) <= SEGMENT_SEPTETS
    assert ledger() == [("accepted", 1)]


def test_a_worker_who_asked_for_english_is_told_in_english(edge: Edge, gateway: FakeSmsServer) -> None:
    edge.invoke(
        "on_notifications", make_sqs_event(make_domain_event(reference=a_reference(edge, language="en")))
    )

    (text,) = sent(gateway)
    assert "not protected" in text.text


@pytest.mark.parametrize(
    "name",
    ["Ni\u2019mah", "Zo\u00eb", "\u5f20\u4f1f", "A" * 100, "\u0938\u0940\u0924\u093e", "Dr.A.B.C", "`ls`"],
)
def test_any_name_fits_one_part_of_the_networks_own_alphabet(
    edge: Edge, gateway: FakeSmsServer, name: str
) -> None:
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=a_reference(edge, name=name))))

    (text,) = sent(gateway)
    assert is_gsm7(text.text)
    assert count_septets(text.text) <= SEGMENT_SEPTETS


def test_a_message_delivered_again_sends_nothing(edge: Edge, gateway: FakeSmsServer) -> None:
    event = make_sqs_event(make_domain_event(reference=a_reference(edge)))

    assert [edge.invoke("on_notifications", event) for _ in range(3)] == [NOTHING_FAILED] * 3

    assert len(sent(gateway)) == 1


def test_a_message_that_is_twice_in_a_batch_sends_one_text(edge: Edge, gateway: FakeSmsServer) -> None:
    news = make_domain_event(reference=a_reference(edge))

    assert edge.invoke("on_notifications", make_sqs_event(news, news)) == NOTHING_FAILED

    assert len(sent(gateway)) == 1


POISON = {
    "nothing": "",
    "no JSON": "{",
    "null": "null",
    "a list": "[]",
    "a type nobody knows": make_domain_event(type="RegistrationExpired"),
    "another major version": make_domain_event(version=2),
    "a NIK for a version": make_domain_event(version=make_nik()),
    "no reference": {"type": "RegistrationReceived", "version": 1, "correlation_id": "c"},
    "no correlation id": {"type": "RegistrationReceived", "version": 1, "reference": "7K4-M2Q-X9P"},
    "a reference nobody was given": make_domain_event(),
    "a NIK where none belongs": make_domain_event(reference=make_nik()),
}


def test_a_poisonous_message_goes_back_alone_from_among_ten(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput, subtests: pytest.Subtests
) -> None:
    good = [make_domain_event(reference=a_reference(edge, number)) for number in range(1, 10)]
    for number, (what, poison) in enumerate(POISON.items()):
        with subtests.test(what):
            position = number % (len(good) + 1)
            batch = [*good[:position], poison, *good[position:]]
            answer = edge.invoke("on_notifications", make_sqs_event(*batch))
            assert answer == {"batchItemFailures": [{"itemIdentifier": f"m-{position}"}]}

    assert len(sent(gateway)) == len(good)
    assert make_nik() not in log_output.text
    assert len([line for line in log_output.lines if line["level"] == "ERROR"]) == len(POISON)


def test_a_field_nobody_knows_is_ignored(edge: Edge, gateway: FakeSmsServer) -> None:
    news = make_domain_event(reference=a_reference(edge), priority="high")

    assert edge.invoke("on_notifications", make_sqs_event(news)) == NOTHING_FAILED

    assert len(sent(gateway)) == 1


def test_a_batch_of_nothing_but_poison_is_a_partial_answer_too(edge: Edge, gateway: FakeSmsServer) -> None:
    answer = edge.invoke("on_notifications", make_sqs_event("{", "{"))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "m-0"}, {"itemIdentifier": "m-1"}]}


def test_a_text_the_gateway_will_take_later_goes_out_once_then(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_sqs_event(make_domain_event(reference=a_reference(edge)))
    with run_faulty_proxy(gateway.url) as between:
        monkeypatch.setenv(SMS_ENDPOINT, between.url)
        between.add_fault(SEND, "ThrottlingException", times=1)

        assert edge.invoke("on_notifications", event) == NOTHING_FAILED, "the ledger brings it back"
        assert ledger() == [("pending", 1)]
        assert edge.invoke("on_notifications", event) == NOTHING_FAILED

    assert len(sent(gateway)) == 1
    assert ledger() == [("accepted", 2)]


def test_a_gateway_that_takes_nothing_from_us_stops_the_line_until_it_is_resumed(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch, log_output: LogOutput
) -> None:
    first, second = (make_domain_event(reference=a_reference(edge, number)) for number in (1, 2))
    with run_faulty_proxy(gateway.url) as between:
        monkeypatch.setenv(SMS_ENDPOINT, between.url)
        between.add_fault(SEND, "ServiceQuotaExceededException", times=1)

        edge.invoke("on_notifications", make_sqs_event(first, second))

        assert between.count_requests(SEND) == 1
        assert sorted(ledger()) == [("pending", 0), ("pending", 1)]
        edge.invoke("queue_due_sms", make_schedule_event())
        assert [each for each in log_output.metrics if "SendingStopped" in each]

        # The container is the same, and has left the gateway alone for a moment only.
        edge.container.send_rate_limiter.resume(edge.container.clock())
        edge.invoke("on_notifications", make_sqs_event(first, second))

    assert len(sent(gateway)) == 2


def test_each_round_says_that_texts_are_held_until_none_is(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    edge.send("PATCH", "/v1/campaigns/tanah-abang-2024", {"sms_budget": 0}, caller="manager")
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=a_reference(edge))))
    assert ledger() == [("held", 0)]

    def says_so() -> bool:
        said = len(log_output.metrics)
        edge.invoke("queue_due_sms", make_schedule_event())
        return any("SmsHeld" in each for each in log_output.metrics[said:])

    assert [says_so(), says_so()] == [True, True]
    held = boto3.client("dynamodb").scan(TableName="SmsLedgerTable")["Items"]
    for item in held:
        boto3.client("dynamodb").delete_item(TableName="SmsLedgerTable", Key={"sms_id": item["sms_id"]})
    assert says_so() is False


def test_a_due_text_is_queued_and_sent(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    news = make_domain_event(reference=a_reference(edge))
    with run_faulty_proxy(gateway.url) as between:
        monkeypatch.setenv(SMS_ENDPOINT, between.url)
        between.add_fault(SEND, "ThrottlingException", times=1)
        edge.invoke("on_notifications", make_sqs_event(news))
        make_due()

        assert edge.invoke("queue_due_sms", make_schedule_event()) == {"confirmation": 1, "reminder": 0}
        assert edge.invoke("queue_due_sms", make_schedule_event()) == {"confirmation": 0, "reminder": 0}
        url = edge.container.settings.notifications_queue_url
        (message,) = boto3.client("sqs").receive_message(QueueUrl=url)["Messages"]
        edge.invoke("on_notifications", make_sqs_event(message["Body"]))

    assert ledger() == [("accepted", 2)]
    assert len(sent(gateway)) == 1


def test_a_receipt_settles_an_unknown_text(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_sqs_event(make_domain_event(reference=a_reference(edge)))
    with run_faulty_proxy(gateway.url) as between:
        monkeypatch.setenv(SMS_ENDPOINT, between.url)
        between.add_fault(SEND, "lose the answer")
        edge.invoke("on_notifications", event)
    assert ledger() == [("unknown", 1)]
    (text,) = sent(gateway)
    reported = {
        "eventType": "TEXT_DELIVERED",
        "eventTimestamp": 1728450123456,
        "messageId": text.message_id,
        "context": text.context,
        "totalMessageParts": 1,
        "totalMessagePrice": 0.02,
    }

    for _ in range(2):
        assert edge.invoke("on_receipts", make_sqs_event(reported)) == NOTHING_FAILED

    assert ledger() == [("delivered", 1)]
    assert committed() == 330, "what the receipt says, in rupiah"


def test_a_receipt_that_nobody_can_read_goes_back_alone(edge: Edge) -> None:
    assert edge.invoke("on_receipts", make_sqs_event("{", "{}")) == {
        "batchItemFailures": [{"itemIdentifier": "m-0"}, {"itemIdentifier": "m-1"}]
    }


@pytest.mark.parametrize("error", ["ValidationException", "ConflictException"])
def test_a_text_the_gateway_refuses_for_good_is_given_up_and_says_so(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch, log_output: LogOutput, error: str
) -> None:
    event = make_sqs_event(make_domain_event(reference=a_reference(edge)))
    with run_faulty_proxy(gateway.url) as between:
        monkeypatch.setenv(SMS_ENDPOINT, between.url)
        between.add_fault(SEND, error)

        assert [edge.invoke("on_notifications", event) for _ in range(2)] == [NOTHING_FAILED] * 2

        assert between.count_requests(SEND) == 1
    assert ledger() == [("failed", 1)]
    assert [line["state"] for line in log_output.lines if line["message"] == "sms processed"] == [
        "failed",
        "failed",
    ]


@pytest.mark.parametrize(
    ("fault", "texts"), [("lose the answer", 1), ("drop", 0), ("InternalServerError", 0)]
)
def test_a_text_that_may_have_gone_out_is_never_sent_again(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch, fault: str, texts: int
) -> None:
    event = make_sqs_event(make_domain_event(reference=a_reference(edge)))
    with run_faulty_proxy(gateway.url) as between:
        monkeypatch.setenv(SMS_ENDPOINT, between.url)
        between.add_fault(SEND, fault)

        assert [edge.invoke("on_notifications", event) for _ in range(2)] == [NOTHING_FAILED] * 2

        assert between.count_requests(SEND) == 1
    assert len(sent(gateway)) == texts
    assert ledger() == [("unknown", 1)]


def test_a_text_waits_for_a_gateway_that_is_not_there(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_sqs_event(make_domain_event(reference=a_reference(edge)))
    with run_faulty_proxy() as gone:
        monkeypatch.setenv(SMS_ENDPOINT, gone.url)
    edge.invoke("on_notifications", event)
    assert ledger() == [("pending", 1)]

    monkeypatch.setenv(SMS_ENDPOINT, gateway.url)
    edge.restart()

    assert edge.invoke("on_notifications", event) == NOTHING_FAILED
    assert len(sent(gateway)) == 1


def test_neither_the_log_nor_the_ledger_names_the_worker(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=a_reference(edge)), "{"))

    kept = str(boto3.client("dynamodb").scan(TableName="SmsLedgerTable")["Items"])
    for told in (log_output.text, kept):
        assert not [value for value in (make_nik(), "Melati", "82455507001", "BPJAMSOSTEK:") if value in told]


def test_texts_are_counted_by_what_became_of_them(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    edge.invoke("on_notifications", make_sqs_event(make_domain_event(reference=a_reference(edge))))

    counted = [each["state"] for each in log_output.metrics if "Sms" in each]
    assert counted == ["accepted"]


def test_a_text_whose_row_was_written_though_the_answer_was_lost_is_sent_once(
    edge: Edge, gateway: FakeSmsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = make_sqs_event(make_domain_event(reference=a_reference(edge)))
    with run_faulty_proxy() as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", between.url)
        edge.restart()
        between.add_fault("PutItem", "lose the answer", body_contains="SmsLedgerTable", times=1)

        assert edge.invoke("on_notifications", event) == NOTHING_FAILED

    assert len(sent(gateway)) == 1
