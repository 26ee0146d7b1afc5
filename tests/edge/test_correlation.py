"""One correlation id leads from a request to its SMS."""

from ops.fake_sms.server import FakeSmsServer
from tests.edge.conftest import Edge, LogOutput, assert_problem
from tests.support.aws_events import make_sqs_event, make_stream_event
from tests.support.payloads import make_capture_payload
from tests.support.stage_state import receive_domain_events, scan_registrations


def read_stored_id(kind: str) -> str:
    """Return the correlation id of the only item of a kind."""
    (item,) = scan_registrations(kind)
    correlation_id: str = item["taken"]["M"]["correlation_id"]["S"]
    return correlation_id


def test_the_correlation_id_of_the_response_is_that_of_the_sms(
    edge: Edge, gateway: FakeSmsServer, log_output: LogOutput
) -> None:
    response = edge.register(make_capture_payload())
    correlation_id = response.headers["X-Correlation-Id"]

    edge.invoke("on_registration_changes", make_stream_event(*scan_registrations("APPLICATION")))
    domain_events = receive_domain_events()
    edge.invoke("on_notifications", make_sqs_event(*domain_events))

    assert read_stored_id("APPLICATION") == correlation_id
    assert [each["correlation_id"] for each in domain_events] == [correlation_id]
    (sms,) = gateway.inbox.list_sms()
    assert set(sms.context) == {"sms_id", "correlation_id", "campaign_id"}
    assert sms.context["correlation_id"] == correlation_id
    messages = [line["message"] for line in log_output.lines if line.get("correlation_id") == correlation_id]
    assert "request answered" in messages
    assert "sms processed" in messages


def test_two_events_of_one_registration_send_one_sms(edge: Edge, gateway: FakeSmsServer) -> None:
    edge.register(make_capture_payload())
    stream_event = make_stream_event(*scan_registrations("APPLICATION"))
    for _ in range(2):
        edge.invoke("on_registration_changes", stream_event)
    domain_events = receive_domain_events()

    edge.invoke("on_notifications", make_sqs_event(*domain_events))

    assert len(domain_events) == 2
    assert len(gateway.inbox.list_sms()) == 1


def test_a_replay_keeps_the_stored_correlation_id(edge: Edge) -> None:
    first = edge.register(make_capture_payload()).headers["X-Correlation-Id"]

    second = edge.register(make_capture_payload()).headers["X-Correlation-Id"]

    assert first != second
    assert read_stored_id("CAPTURE") == first


def test_a_refusal_has_the_correlation_id_of_its_log_line(edge: Edge, log_output: LogOutput) -> None:
    response = edge.register(b"{")

    assert_problem(response, 400, "json_malformed")
    (line,) = log_output.lines
    assert response.headers["X-Correlation-Id"] == line["correlation_id"]
