"""The relay, called as the table's stream calls it."""

import json
from typing import Any

import boto3
import pytest

from tests.edge.conftest import Edge, LogOutput
from tests.support.aws_events import make_remove_event, make_stream_event
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

NOTHING_FAILED: dict[str, list[str]] = {"batchItemFailures": []}


def stored(kind: str) -> list[dict[str, Any]]:
    """The items of one kind, as the stream would tell of them."""
    items = boto3.client("dynamodb").scan(TableName="RegistrationsTable")["Items"]
    return [item for item in items if item["sk"]["S"] == kind]


def read_events() -> list[dict[str, Any]]:
    """What is on the notifications queue; reading takes it."""
    sqs = boto3.client("sqs")
    url = sqs.get_queue_url(QueueName="notifications")["QueueUrl"]
    found: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        found += [json.loads(message["Body"]) for message in messages]
    return found


def read_dirty_days() -> dict[str, int]:
    """The marked days, and how often each was marked."""
    items = boto3.client("dynamodb").scan(TableName="SummariesTable")["Items"]
    return {item["sk"]["S"]: int(item["generation"]["N"]) for item in items if item["pk"]["S"] == "DIRTY"}


@pytest.fixture
def registered_item(edge: Edge) -> str:
    """The reference of a worker."""
    reference: str = edge.register(make_capture_payload()).json_body["reference"]
    return reference


def test_a_registration_is_announced_with_its_reference_and_nothing_of_its_worker(
    edge: Edge, registered_item: str
) -> None:
    assert edge.invoke("on_registration_changes", make_stream_event(*stored("APPLICATION"))) == NOTHING_FAILED

    (message,) = read_events()
    assert set(message) == {"type", "version", "reference", "correlation_id"}
    assert (message["type"], message["reference"]) == ("RegistrationReceived", registered_item)


def test_a_capture_marks_its_day_and_announces_nobody(edge: Edge, registered_item: str) -> None:
    assert edge.invoke("on_registration_changes", make_stream_event(*stored("CAPTURE"))) == NOTHING_FAILED

    assert read_events() == []
    assert read_dirty_days() == {"2024-10-09#tanah-abang-2024": 1}


def test_a_day_is_marked_once_a_batch(edge: Edge) -> None:
    for number in (1, 2, 3):
        edge.register(
            make_capture_payload(capture_id=make_capture_id(number), worker={"nik": make_nik(7000 + number)})
        )
    edge.register(
        make_capture_payload(capture_id=make_capture_id(4), captured_at="2024-10-10T08:00:00+07:00")
    )

    edge.invoke("on_registration_changes", make_stream_event(*stored("CAPTURE")))

    assert read_dirty_days() == {"2024-10-09#tanah-abang-2024": 1, "2024-10-10#tanah-abang-2024": 1}


def test_a_refused_capture_marks_its_day_too(edge: Edge) -> None:
    edge.register(make_capture_payload(worker={"nik": "1"}))

    edge.invoke("on_registration_changes", make_stream_event(*stored("CAPTURE")))

    assert read_dirty_days() == {"2024-10-09#tanah-abang-2024": 1}


def test_a_worker_who_was_known_is_not_announced(edge: Edge, registered_item: str) -> None:
    edge.register(make_capture_payload(capture_id=make_capture_id(2), worker={"phone": "0824-5550-7009"}))

    edge.invoke("on_registration_changes", make_stream_event(*stored("CAPTURE"), *stored("APPLICATION")))

    assert [message["reference"] for message in read_events()] == [registered_item]


def test_a_worker_met_again_by_an_officer_is_announced_as_known_where_the_stage_says_so(
    edge: Edge, registered_item: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAFTAR_TELLS_KNOWN_WORKERS", "true")
    edge.restart()
    for number, by in ((2, "kiosk"), (3, "bot")):
        edge.register(make_capture_payload(capture_id=make_capture_id(number)), caller=by)

    event = make_stream_event(*stored("CAPTURE"))
    assert edge.invoke("on_registration_changes", event) == NOTHING_FAILED

    assert [(each["type"], each["reference"]) for each in read_events()] == [
        ("KnownWorkerMet", registered_item)
    ]


@pytest.mark.parametrize("kind", ["CAPTURE", "OPEN", "APPLICATION"])
def test_what_is_removed_is_announced_to_nobody(edge: Edge, registered_item: str, kind: str) -> None:
    assert edge.invoke("on_registration_changes", make_remove_event(*stored(kind))) == NOTHING_FAILED

    assert read_events() == []


@pytest.mark.parametrize(("happened", "marked"), [("payments", 1), ("cancellation", 1), ("erasures", 2)])
def test_what_touches_a_day_marks_it(edge: Edge, registered_item: str, happened: str, marked: int) -> None:
    before = {item["pk"]["S"]: item for item in [*stored("APPLICATION"), *stored("CAPTURE")]}
    payment = {"payment_id": "p-1", "amount": 49_200, "months": 1, "paid_at": "2024-10-12T09:00:00+07:00"}
    asked = {"request_id": make_capture_id(99), "nik": make_nik()}
    match happened:
        case "payments":
            edge.send("POST", f"/v1/registrations/{registered_item}/payments", payment, caller="core")
        case "cancellation":
            edge.send("POST", f"/v1/registrations/{registered_item}/cancellation", {"reason": "other"})
        case "erasures":
            edge.send("POST", "/v1/erasures", asked, caller="admin")

    now = {item["pk"]["S"]: item for item in [*stored("APPLICATION"), *stored("CAPTURE")]}
    for pk, item in before.items():
        if pk not in now:
            edge.invoke("on_registration_changes", make_remove_event(item))
        elif now[pk] != item:
            edge.invoke(
                "on_registration_changes", make_stream_event(now[pk], event_name="MODIFY", old_item=item)
            )

    assert read_dirty_days() == {"2024-10-09#tanah-abang-2024": marked}


def test_a_registration_that_changes_is_not_announced_again(edge: Edge, registered_item: str) -> None:
    event = make_stream_event(*stored("APPLICATION"), event_name="MODIFY")

    assert edge.invoke("on_registration_changes", event) == NOTHING_FAILED

    assert read_events() == []


def test_a_capture_that_was_mended_marks_its_day_again(edge: Edge, registered_item: str) -> None:
    event = make_stream_event(*stored("CAPTURE"), event_name="MODIFY")

    edge.invoke("on_registration_changes", event)

    assert read_dirty_days() == {"2024-10-09#tanah-abang-2024": 1}


def test_more_registrations_than_one_request_to_the_queue_takes_are_all_announced(edge: Edge) -> None:
    for number in range(1, 13):
        edge.register(
            make_capture_payload(capture_id=make_capture_id(number), worker={"nik": make_nik(7000 + number)})
        )

    edge.invoke("on_registration_changes", make_stream_event(*stored("APPLICATION")))

    assert len({message["reference"] for message in read_events()}) == 12


def test_of_a_batch_with_a_poisonous_record_the_stream_goes_on_from_that_record(
    edge: Edge, log_output: LogOutput
) -> None:
    for number in (1, 2, 3):
        edge.register(
            make_capture_payload(capture_id=make_capture_id(number), worker={"nik": make_nik(7000 + number)})
        )
    good = stored("APPLICATION")
    poison = {**good[1], "taken": {"S": make_nik()}}

    answer = edge.invoke("on_registration_changes", make_stream_event(good[0], poison, good[2]))

    # A stream goes on from the first failure, so only that one is reported; the third comes again.
    assert answer == {"batchItemFailures": [{"itemIdentifier": "2"}]}
    assert {message["reference"] for message in read_events()} == {good[0]["reference"]["S"]}
    assert make_nik() not in log_output.text
    assert "Melati" not in log_output.text


def test_a_queue_that_is_gone_holds_the_stream_at_its_first_record(edge: Edge, registered_item: str) -> None:
    sqs = boto3.client("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName="notifications")["QueueUrl"])

    answer = edge.invoke("on_registration_changes", make_stream_event(*stored("APPLICATION")))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}


def test_an_empty_batch_is_nothing_to_do(edge: Edge) -> None:
    assert edge.invoke("on_registration_changes", make_stream_event()) == NOTHING_FAILED
