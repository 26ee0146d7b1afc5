"""Batches over HTTP: a result for each item, in the order of the items, the same for repeated items."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from moto.dynamodb.responses import DynamoHandler

from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.dynamodb_faults import FaultyProxy, run_faulty_proxy
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

BATCH = "/v1/registrations/batch"


@pytest.fixture(autouse=True)
def _serialise_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto cannot serve concurrent requests; the contract tests prove races on other engines."""
    lock, call_action = threading.RLock(), DynamoHandler.call_action

    def call_alone(handler: DynamoHandler) -> Any:
        with lock:
            return call_action(handler)

    monkeypatch.setattr(DynamoHandler, "call_action", call_alone)


def make_item(number: int, *, nik_number: int | None = None, **changes: Any) -> dict[str, Any]:
    """Return another capture for each `number`, of another worker unless `nik_number` is given."""
    worker = {"nik": make_nik(7000 + (nik_number or number)), **changes.pop("worker", {})}
    return make_capture_payload(capture_id=make_capture_id(number), worker=worker, **changes)


def send_batch(edge: Edge, *items: Any, caller: str = "kiosk") -> list[dict[str, Any]]:
    """Send a batch and return the result of each item."""
    response = edge.send("POST", BATCH, {"items": items}, caller=caller)
    assert response.status_code == 200, response.body
    results: list[dict[str, Any]] = response.json_body["results"]
    assert len(results) == len(items)
    return results


def list_outcomes(results: list[dict[str, Any]]) -> list[str]:
    return [each["outcome"] for each in results]


def list_problem_codes(results: list[dict[str, Any]]) -> list[str]:
    return [each["problem"]["code"] for each in results if "problem" in each]


def test_an_item_has_the_result_of_the_same_capture_sent_alone(edge: Edge) -> None:
    results = send_batch(edge, make_item(1), make_item(2))

    alone = edge.register(make_item(1))

    assert alone.headers["Idempotent-Replayed"] == "true"
    assert json.loads(alone.body) == results[0]
    assert list(results[1]) == ["capture_id", "outcome", "reference", "status", "received_at", "quote"]


def test_results_are_in_the_order_of_the_items(edge: Edge) -> None:
    numbers = [5, 3, 8, 1, 12, 2, 11, 4]

    results = send_batch(edge, *map(make_item, numbers))

    assert [each["capture_id"] for each in results] == [make_capture_id(number) for number in numbers]
    assert set(list_outcomes(results)) == {"created"}


INVALID_ITEMS: dict[str, tuple[Any, str]] = {
    "null": (None, "body_invalid"),
    "a boolean": (True, "body_invalid"),
    "a number": (7, "body_invalid"),
    "a fraction": (7.5, "body_invalid"),
    "a string": ("3171075204857001", "body_invalid"),
    "a list": ([make_item(90)], "body_invalid"),
    "an empty object": ({}, "body_invalid"),
    "an unknown field": ({**make_item(91), "sex": "F"}, "body_invalid"),
    "no consent": ({**make_item(92), "consent": None}, "body_invalid"),
    "no worker": ({**make_item(93), "worker": []}, "body_invalid"),
    "an invalid capture id": ({**make_item(94), "capture_id": "7"}, "body_invalid"),
    "a wrong clock": ({**make_item(95), "captured_at": "0001-01-01T00:00:00+14:00"}, "body_invalid"),
    "an income as a string": (make_item(96, work={"monthly_income": "2500000"}), "body_invalid"),
    "half an emoji": (make_item(97, worker={"name": "Melati \ud83c"}), "json_malformed"),
    "a NIK one digit short": (make_item(98, worker={"nik": make_nik()[:-1]}), "rules_broken"),
    "another campaign": (make_item(99, campaign_id="senen-2024"), "campaign_not_yours"),
}


def test_an_invalid_item_does_not_affect_the_others(edge: Edge, log_output: LogOutput) -> None:
    valid = [make_item(number) for number in range(1, len(INVALID_ITEMS) + 1)]
    invalid = [item for item, _ in INVALID_ITEMS.values()]
    mixed = [each for pair in zip(invalid, valid, strict=True) for each in pair]

    results = send_batch(edge, *mixed)

    assert set(list_outcomes(results[1::2])) == {"created"}
    for (name, (item, code)), result in zip(INVALID_ITEMS.items(), results[::2], strict=True):
        assert (result["outcome"], result["problem"]["code"]) == ("invalid", code), name
        capture_id = item.get("capture_id") if isinstance(item, dict) else None
        assert result["capture_id"] == (capture_id if capture_id != "7" else None), name
        assert "reference" not in result
    assert send_batch(edge, *mixed) == results
    for value in ("317107520485700", "Kusumawati", "82455507001", "2500000"):
        assert value not in log_output.text
        assert value not in json.dumps(results)


def test_messages_are_in_the_language_of_the_caller(edge: Edge) -> None:
    item = make_item(1, worker={"phone": "021-5550123"})
    messages = set()
    for language in ("id", "en"):
        response = edge.send("POST", BATCH, {"items": [item]}, Accept_Language=language)
        (error,) = response.json_body["results"][0]["problem"]["errors"]
        messages.add(error["message"])
    assert len(messages) == 2


def test_repeated_items_get_the_same_results_in_any_order_and_any_batch(edge: Edge) -> None:
    known_worker, invalid = make_item(9, nik_number=1), make_item(10, worker={"nik": "1"})
    items = [*map(make_item, range(1, 9)), known_worker, invalid, make_item(1)]
    first = [json.dumps(each) for each in send_batch(edge, *items)]
    before = dump_stored_state()

    assert [json.dumps(each) for each in send_batch(edge, *items)] == first
    assert [json.dumps(each) for each in reversed(send_batch(edge, *reversed(items)))] == first
    halves = (*send_batch(edge, *items[:4]), *send_batch(edge, *items[4:]))
    assert [json.dumps(each) for each in halves] == first
    assert dump_stored_state().count("APPLICATION") == before.count("APPLICATION")


def test_only_the_first_of_several_captures_of_one_worker_is_created(edge: Edge) -> None:
    results = send_batch(
        edge, make_item(1), make_item(2, nik_number=1), make_item(3), make_item(4, nik_number=1)
    )

    assert list_outcomes(results) == ["created", "already_registered", "created", "already_registered"]
    assert results[0]["reference"] == results[1]["reference"] == results[3]["reference"]


def test_a_capture_that_is_twice_in_a_batch_has_the_same_result_twice(edge: Edge) -> None:
    results = send_batch(edge, make_item(1), make_item(2), make_item(1))

    assert results[0] == results[2]


def test_a_reused_capture_id_is_a_conflict_and_the_first_capture_is_kept(edge: Edge) -> None:
    results = send_batch(edge, make_item(1), make_item(1, nik_number=2), make_item(1, officer="ofc-13"))

    assert list_outcomes(results) == ["created", "conflict", "conflict"]
    assert list_problem_codes(results) == ["capture_reused"] * 2
    assert list_outcomes(send_batch(edge, make_item(2))) == ["created"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"items": []}, 422, "body_invalid"),
        ({"items": [1] * 201}, 422, "body_invalid"),
        ([make_item(1)], 422, "body_invalid"),
        (b"", 400, "json_malformed"),
        (b'{"items": [', 400, "json_malformed"),
        ({"items": ["x" * 1024 * 1024]}, 413, "body_too_large"),
    ],
    ids=["no items", "201 items", "a list", "an empty body", "half a body", "over a megabyte"],
)
def test_an_invalid_batch_is_refused_as_a_whole(edge: Edge, body: Any, status: int, code: str) -> None:
    before = dump_stored_state()

    assert_problem(edge.send("POST", BATCH, body), status, code)

    assert dump_stored_state() == before


def test_a_batch_of_another_media_type_is_refused(edge: Edge) -> None:
    response = edge.send("POST", BATCH, {"items": [1]}, Content_Type="text/plain")
    assert_problem(response, 415, "media_type_unsupported")


def test_two_hundred_invalid_items_have_two_hundred_results(edge: Edge) -> None:
    assert set(list_outcomes(send_batch(edge, *range(200)))) == {"invalid"}


def test_each_item_is_counted_by_its_outcome(edge: Edge, log_output: LogOutput) -> None:
    send_batch(edge, make_item(1), make_item(2, nik_number=1), make_item(3), None)
    send_batch(edge, make_item(1))

    counts = [
        (each["outcome"], each["Registrations"]) for each in log_output.metrics if "Registrations" in each
    ]
    assert counts == [
        ("already_registered", [1.0]),
        ("created", [2.0]),
        ("invalid", [1.0]),
        ("replayed", [1.0]),
    ]


@pytest.fixture
def dynamodb_proxy(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyProxy]:
    """A proxy between the functions and the tables, added after the stage was filled."""
    with run_faulty_proxy() as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", proxy.url)
        edge.restart()
        yield proxy


@pytest.mark.parametrize("error", ["ThrottlingException", "InternalServerError", "drop"])
def test_an_item_that_cannot_be_stored_now_is_created_when_it_is_sent_again(
    edge: Edge, dynamodb_proxy: FaultyProxy, error: str
) -> None:
    items = [make_item(number) for number in range(1, 6)]
    dynamodb_proxy.add_fault("TransactWriteItems", error, body_contains=f"CAPTURE#{make_capture_id(3)}")

    first = send_batch(edge, *items)

    assert list_outcomes(first) == ["created", "created", "try_again", "created", "created"]
    assert (first[2]["capture_id"], list_problem_codes(first)) == (make_capture_id(3), ["try_again"])
    assert make_capture_id(3) not in dump_stored_state()
    dynamodb_proxy.faults.clear()
    second = send_batch(edge, *items)
    assert list_outcomes(second) == ["created"] * 5
    assert [*second[:2], *second[3:]] == [*first[:2], *first[3:]]


def test_an_item_whose_write_got_no_response_is_stored_once(edge: Edge, dynamodb_proxy: FaultyProxy) -> None:
    dynamodb_proxy.add_fault(
        "TransactWriteItems", "lose the answer", body_contains=f"CAPTURE#{make_capture_id(2)}", times=1
    )

    results = send_batch(edge, make_item(1), make_item(2), make_item(3))

    assert list_outcomes(results) == ["created"] * 3
    assert send_batch(edge, make_item(2)) == results[1:2]
    assert dump_stored_state().count("APPLICATION") == 3


def test_an_item_over_the_cap_of_its_phone_number_has_the_outcome_capped(
    edge: Edge, low_phone_cap: None
) -> None:
    items = [make_item(number) for number in range(1, 6)]
    items.append(make_item(6, worker={"phone": "0824-5551-1006"}))

    results = send_batch(edge, *items)

    assert list_outcomes(results) == ["created"] * 3 + ["capped"] * 2 + ["created"]
    assert list_problem_codes(results) == ["phone_cap_reached"] * 2
    assert send_batch(edge, *items) == results


def test_a_known_worker_at_the_cap_of_a_phone_number_is_answered_as_a_new_one(
    edge: Edge, low_phone_cap: None
) -> None:
    send_batch(edge, *(make_item(number) for number in range(1, 4)))
    known, new = {**make_item(1), "capture_id": make_capture_id(11)}, make_item(12)

    in_batch = send_batch(edge, known, new)
    alone = [edge.register(each) for each in (known, new)]

    assert [{**each, "capture_id": None} for each in in_batch[:1]] == [
        {**each, "capture_id": None} for each in in_batch[1:]
    ]
    assert list_problem_codes(in_batch) == ["phone_cap_reached"] * 2
    assert [each.status_code for each in alone] == [429, 429]
    assert alone[0].body == alone[1].body


def test_an_item_over_the_cap_of_its_client_has_the_outcome_capped(edge: Edge) -> None:
    edge.enrol("capped", {"client_id": "van-5", "roles": ["kiosk"], "daily_flag": 1, "daily_cap": 3})
    items = [make_item(number, worker={"phone": f"0824-5551-{1000 + number}"}) for number in range(1, 6)]

    results = send_batch(edge, *items, caller="capped")

    assert sorted(list_outcomes(results)) == ["capped"] * 2 + ["created"] * 3
    assert list_problem_codes(results) == ["client_cap_reached"] * 2
    assert send_batch(edge, *items, caller="capped") == results
