"""The stream publisher (`on_registration_changes`), called as the table's stream calls it."""

import boto3
import pytest

from tests.edge.conftest import Edge, LogOutput
from tests.support.aws_events import make_remove_event, make_stream_event
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik
from tests.support.stage_state import read_dirty_days, receive_domain_events, scan_registrations

NO_FAILURES: dict[str, list[str]] = {"batchItemFailures": []}
FIRST_DAY = "2024-10-09#tanah-abang-2024"


def register_workers(edge: Edge, number: int) -> None:
    """Register `number` different workers."""
    for each in range(1, number + 1):
        edge.register(
            make_capture_payload(capture_id=make_capture_id(each), worker={"nik": make_nik(7000 + each)})
        )


@pytest.fixture
def reference(edge: Edge) -> str:
    """The reference of a registered worker."""
    registered: str = edge.register(make_capture_payload()).json_body["reference"]
    return registered


def test_an_event_has_the_reference_and_no_data_of_the_worker(edge: Edge, reference: str) -> None:
    event = make_stream_event(*scan_registrations("APPLICATION"))
    assert edge.invoke("on_registration_changes", event) == NO_FAILURES

    (domain_event,) = receive_domain_events()
    assert set(domain_event) == {"type", "version", "reference", "correlation_id"}
    assert (domain_event["type"], domain_event["reference"]) == ("RegistrationReceived", reference)


@pytest.mark.parametrize("nik", [make_nik(), "1"], ids=["accepted", "refused"])
def test_a_capture_marks_its_day_dirty_and_publishes_no_event(edge: Edge, nik: str) -> None:
    edge.register(make_capture_payload(worker={"nik": nik}))

    event = make_stream_event(*scan_registrations("CAPTURE"))
    assert edge.invoke("on_registration_changes", event) == NO_FAILURES

    assert receive_domain_events() == []
    assert read_dirty_days() == {FIRST_DAY: 1}


def test_the_setting_of_the_stage_lets_known_workers_met_by_an_officer_be_notified(
    edge: Edge, reference: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAFTAR_TELLS_KNOWN_WORKERS", "true")
    edge.restart()
    for number, caller in ((2, "kiosk"), (3, "bot")):
        edge.register(make_capture_payload(capture_id=make_capture_id(number)), caller=caller)

    event = make_stream_event(*scan_registrations("CAPTURE"))
    assert edge.invoke("on_registration_changes", event) == NO_FAILURES

    assert [(each["type"], each["reference"]) for each in receive_domain_events()] == [
        ("KnownWorkerMet", reference)
    ]


@pytest.mark.parametrize(("change", "marked"), [("payment", 1), ("cancellation", 2), ("erasure", 2)])
def test_a_stored_change_marks_the_day_dirty(edge: Edge, reference: str, change: str, marked: int) -> None:
    before = scan_by_key()
    payment = {"payment_id": "p-1", "amount": 49_200, "months": 1, "paid_at": "2024-10-12T09:00:00+07:00"}
    erasure = {"request_id": make_capture_id(99), "nik": make_nik()}
    match change:
        case "payment":
            edge.send("POST", f"/v1/registrations/{reference}/payments", payment, caller="core")
        case "cancellation":
            edge.send("POST", f"/v1/registrations/{reference}/cancellation", {"reason": "other"})
        case "erasure":
            edge.send("POST", "/v1/erasures", erasure, caller="admin")

    after = scan_by_key()
    for key, item in before.items():
        if key not in after:
            edge.invoke("on_registration_changes", make_remove_event(item))
        elif after[key] != item:
            event = make_stream_event(after[key], event_name="MODIFY", old_item=item)
            edge.invoke("on_registration_changes", event)

    assert read_dirty_days() == {FIRST_DAY: marked}


def scan_by_key() -> dict[str, dict[str, object]]:
    """Return the registrations and captures by partition key."""
    items = [*scan_registrations("APPLICATION"), *scan_registrations("CAPTURE")]
    return {item["pk"]["S"]: item for item in items}


def test_more_events_than_fit_into_one_request_to_the_queue_are_all_published(edge: Edge) -> None:
    register_workers(edge, 12)

    edge.invoke("on_registration_changes", make_stream_event(*scan_registrations("APPLICATION")))

    assert len({each["reference"] for each in receive_domain_events()}) == 12


def test_the_first_record_that_fails_is_reported_and_logged_without_personal_data(
    edge: Edge, log_output: LogOutput
) -> None:
    register_workers(edge, 3)
    first, second, third = scan_registrations("APPLICATION")
    malformed = {**second, "taken": {"S": make_nik()}}

    answer = edge.invoke("on_registration_changes", make_stream_event(first, malformed, third))

    # The stream resumes at the first record that failed, so it sends the third one again.
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert {each["reference"] for each in receive_domain_events()} == {first["reference"]["S"]}
    assert make_nik() not in log_output.text
    assert "Melati" not in log_output.text


def test_the_first_record_is_reported_if_the_queue_does_not_exist(edge: Edge, reference: str) -> None:
    sqs = boto3.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="notifications")["QueueUrl"])

    answer = edge.invoke("on_registration_changes", make_stream_event(*scan_registrations("APPLICATION")))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_an_empty_batch_has_no_failures(edge: Edge) -> None:
    assert edge.invoke("on_registration_changes", make_stream_event()) == NO_FAILURES
