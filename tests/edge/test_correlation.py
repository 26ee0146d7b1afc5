"""One id ties a device's request to the text that it led to."""

import json

from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, LogOutput, assert_problem
from tests.edge.test_announcing import news, stored
from tests.edge.test_texts import sent
from tests.support.aws_events import make_sqs_event, make_stream_event
from tests.support.payloads import make_capture_id, make_capture_payload


def test_the_id_of_the_answer_travels_to_the_text(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    answer = edge.register(make_capture_payload())
    correlation_id = answer.headers["X-Correlation-Id"]

    edge.invoke("on_registration_changes", make_stream_event(*stored("APPLICATION")))
    messages = news()
    edge.invoke("on_notifications", make_sqs_event(*messages))

    assert stored("APPLICATION")[0]["taken"]["M"]["correlation_id"]["S"] == correlation_id
    assert [message["correlation_id"] for message in messages] == [correlation_id]
    assert [text.context["correlation_id"] for text in sent(gateway)] == [correlation_id]
    told = [line["message"] for line in log_output.lines if line.get("correlation_id") == correlation_id]
    assert "request answered" in told
    assert "sms processed" in told


def test_two_announcements_of_one_registration_are_one_text(edge: Edge, gateway: FakeSmsServer) -> None:
    edge.register(make_capture_payload())
    event = make_stream_event(*stored("APPLICATION"))
    for _ in range(2):
        edge.invoke("on_registration_changes", event)
    messages = news()

    edge.invoke("on_notifications", make_sqs_event(*messages))

    assert len(messages) == 2
    assert len(sent(gateway)) == 1


def test_a_replay_keeps_the_id_of_the_send_that_was_stored(edge: Edge) -> None:
    first = edge.register(make_capture_payload()).headers["X-Correlation-Id"]

    second = edge.register(make_capture_payload()).headers["X-Correlation-Id"]

    assert first != second
    assert stored("CAPTURE")[0]["taken"]["M"]["correlation_id"]["S"] == first


def test_a_refusal_carries_the_id_it_is_logged_under(edge: Edge, log_output: LogOutput) -> None:
    response = edge.register(b"{")

    assert_problem(response, 400, "json_malformed")
    (line,) = log_output.lines
    assert response.headers["X-Correlation-Id"] == line["correlation_id"]


def test_the_text_carries_our_own_id_which_the_ledger_is_kept_under(
    edge: Edge, gateway: FakeSmsServer
) -> None:
    edge.register(make_capture_payload(capture_id=make_capture_id(3)))
    edge.invoke("on_registration_changes", make_stream_event(*stored("APPLICATION")))
    edge.invoke("on_notifications", make_sqs_event(*news()))

    (text,) = sent(gateway)
    assert set(text.context) == {"sms_id", "correlation_id", "campaign_id"}
    assert all(isinstance(value, str) for value in json.loads(json.dumps(text.context)).values())
