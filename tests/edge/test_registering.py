"""Captures through the edge: what devices are told, and that saying it again changes nothing."""

import json
from typing import Any

import boto3
import pytest

from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

PERSONAL = ["317107520485", "Melati", "Kusumawati", "82455507001", "5550-7001", "Jalan Contoh", "1985-04-12"]


def items_of(kind: str) -> int:
    found = boto3.client("dynamodb").scan(TableName="RegistrationsTable")["Items"]
    return sum(item["sk"]["S"] == kind for item in found)


def test_a_new_worker_is_registered(edge: Edge) -> None:
    answer = edge.register(make_capture_payload())

    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == "application/json"
    told = answer.json_body
    assert list(told) == ["capture_id", "outcome", "reference", "status", "received_at", "quote"]
    assert (told["capture_id"], told["outcome"], told["status"]) == (make_capture_id(), "created", "received")
    assert told["quote"]["total"] == 98_400
    assert "Idempotent-Replayed" not in answer.headers


def test_the_same_capture_sent_again_gets_the_same_bytes(edge: Edge) -> None:
    first = edge.register(make_capture_payload())
    before = dump_stored_state()

    second = edge.register(make_capture_payload())

    assert (second.status_code, second.body) == (first.status_code, first.body)
    assert second.headers["Idempotent-Replayed"] == "true"
    assert dump_stored_state() == before


def test_the_same_capture_written_in_another_way_is_the_same(edge: Edge) -> None:
    first = edge.register(make_capture_payload())
    reordered = dict(reversed(make_capture_payload().items()))

    second = edge.register(json.dumps(reordered, indent=2).encode())

    assert second.body == first.body
    assert second.headers["Idempotent-Replayed"] == "true"


def test_the_same_capture_sent_by_another_device_gets_the_same_bytes(edge: Edge) -> None:
    first = edge.register(make_capture_payload())

    # A tablet was exchanged, and the new one sends what the old one had kept.
    second = edge.register(make_capture_payload(), caller="kiosk")

    assert second.body == first.body


@pytest.mark.parametrize(
    "changes",
    [{"worker": {"phone": "0824-5550-7002"}}, {"worker": {"nik": make_nik(7002)}}, {"officer": None}],
    ids=["phone", "NIK", "officer"],
)
def test_a_capture_id_used_again_for_other_content_is_refused(edge: Edge, changes: dict[str, Any]) -> None:
    edge.register(make_capture_payload())
    before = dump_stored_state()

    assert_problem(edge.register(make_capture_payload(**changes)), 409, "capture_reused")

    assert dump_stored_state() == before


def test_a_known_worker_is_told_the_reference_of_the_first_registration(edge: Edge) -> None:
    first = edge.register(make_capture_payload())

    second = edge.register(make_capture_payload(capture_id=make_capture_id(2)))

    assert second.status_code == 200
    assert second.json_body["outcome"] == "already_registered"
    assert second.json_body["reference"] == first.json_body["reference"]
    assert items_of("APPLICATION") == 1


def test_a_known_worker_is_known_by_the_nik_however_it_is_typed(edge: Edge) -> None:
    edge.register(make_capture_payload())

    spaced = f"{make_nik()[:6]} {make_nik()[6:12]}-{make_nik()[12:]}"
    second = edge.register(
        make_capture_payload(capture_id=make_capture_id(2), worker={"nik": spaced, "phone": "0824 5550 7009"})
    )

    assert second.json_body["outcome"] == "already_registered"


def test_a_repeat_sent_again_gets_the_same_bytes(edge: Edge) -> None:
    edge.register(make_capture_payload())
    repeat = make_capture_payload(capture_id=make_capture_id(2))
    first = edge.register(repeat)

    second = edge.register(repeat)

    assert (second.status_code, second.body) == (200, first.body)
    assert second.headers["Idempotent-Replayed"] == "true"


def test_the_registration_can_be_looked_up_masked(edge: Edge) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]

    shown = edge.send("GET", f"/v1/registrations/{reference}")

    assert shown.status_code == 200
    assert shown.json_body["worker"] == {
        "nik": "************7001",
        "name": "M***** K*********",
        "phone": "**********7001",
        "language": "id",
        "checks": [],
    }
    assert not [value for value in PERSONAL if value in shown.body.decode()]
    assert "monthly_income" not in shown.body.decode()


@pytest.mark.parametrize(
    "typed", [str.lower, lambda text: text.replace("-", "")], ids=["small letters", "no dashes"]
)
def test_a_reference_may_be_typed_in_any_way(edge: Edge, typed: Any) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]

    shown = edge.send("GET", f"/v1/registrations/{typed(reference)}")

    assert shown.json_body["reference"] == reference


def test_a_reference_nobody_was_given_is_unknown(edge: Edge, subtests: pytest.Subtests) -> None:
    for reference in ("7K4-M2Q-X9P", "nonsense", "..", "%00", "A" * 3000, "%F0%9F%8C%BA"):
        with subtests.test(reference):
            shown = edge.send("GET", f"/v1/registrations/{reference}")
            assert_problem(shown, 404, "registration_unknown")


def test_a_send_leaves_one_line_in_the_log_and_no_person(edge: Edge, log_output: LogOutput) -> None:
    edge.register(make_capture_payload())

    (line,) = log_output.lines
    assert (line["message"], line["status"], line["client_id"]) == ("request answered", 201, "van-1")
    assert not [value for value in PERSONAL if value in log_output.text]


@pytest.mark.parametrize(
    ("sends", "outcomes"),
    [
        ([make_capture_payload()], ["created"]),
        ([make_capture_payload(), make_capture_payload()], ["created", "replayed"]),
        (
            [make_capture_payload(), make_capture_payload(capture_id=make_capture_id(2))],
            ["created", "already_registered"],
        ),
    ],
)
def test_registrations_are_counted_by_outcome(
    edge: Edge, log_output: LogOutput, sends: Any, outcomes: Any
) -> None:
    for capture in sends:
        edge.register(capture)

    counted = [each for each in log_output.metrics if "Registrations" in each]
    assert [each["outcome"] for each in counted] == outcomes
    assert {each["Registrations"][0] for each in counted} == {1.0}
