"""Batches over HTTP: answered item by item and in order, the same bytes for the same items, however often."""

import json
import threading
from typing import Any

import pytest
from moto.dynamodb.responses import DynamoHandler

from tests.edge.conftest import Edge, LogOutput, assert_problem, dump_stored_state
from tests.support.builders import make_capture_id, make_capture_payload, make_nik
from tests.support.dynamodb_faults import FaultyProxy, run_faulty_proxy

BATCH = "/v1/registrations/batch"


@pytest.fixture(autouse=True)
def _one_request_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """moto walks its tables while others write to them; what races prove is proven on the other engines."""
    lock, answer = threading.RLock(), DynamoHandler.call_action

    def alone(handler: DynamoHandler) -> Any:
        with lock:
            return answer(handler)

    monkeypatch.setattr(DynamoHandler, "call_action", alone)


def an_item(number: int, *, nik: int | None = None, **changes: Any) -> dict[str, Any]:
    """A capture; another number, another capture, of another worker unless `nik` tells."""
    worker = {"nik": make_nik(7000 + (nik or number)), **changes.pop("worker", {})}
    return make_capture_payload(capture_id=make_capture_id(number), worker=worker, **changes)


def sent(edge: Edge, *items: Any) -> list[dict[str, Any]]:
    """What became of each item."""
    answer = edge.send("POST", BATCH, {"items": items})
    assert answer.status_code == 200, answer.body
    results: list[dict[str, Any]] = answer.json_body["results"]
    assert len(results) == len(items)
    return results


def outcomes(results: list[dict[str, Any]]) -> list[str]:
    return [each["outcome"] for each in results]


def codes(result: dict[str, Any]) -> list[str]:
    return [error["code"] for error in result["problem"].get("errors", [])]


def test_each_item_is_answered_as_if_it_had_come_alone(edge: Edge) -> None:
    results = sent(edge, an_item(1), an_item(2))
    alone = edge.register(an_item(1))
    assert alone.headers["Idempotent-Replayed"] == "true"
    assert json.loads(alone.body) == results[0]
    assert list(results[1]) == ["capture_id", "outcome", "reference", "status", "received_at", "quote"]


def test_answers_come_in_the_order_of_the_items(edge: Edge) -> None:
    numbers = [5, 3, 8, 1, 12, 2, 11, 4]
    results = sent(edge, *map(an_item, numbers))
    assert [each["capture_id"] for each in results] == [make_capture_id(number) for number in numbers]
    assert set(outcomes(results)) == {"created"}


# What may stand in place of a capture, and what its sender is told. None of it may touch its neighbours.
BAD = {
    "nothing": (None, "body_invalid"),
    "a truth": (True, "body_invalid"),
    "a number": (7, "body_invalid"),
    "a fraction": (7.5, "body_invalid"),
    "a text": ("3171075204857001", "body_invalid"),
    "a list": ([an_item(90)], "body_invalid"),
    "an empty object": ({}, "body_invalid"),
    "a capture with a field too many": ({**an_item(91), "sex": "F"}, "body_invalid"),
    "a capture without consent": ({**an_item(92), "consent": None}, "body_invalid"),
    "a capture without a worker": ({**an_item(93), "worker": []}, "body_invalid"),
    "a capture with no id": ({**an_item(94), "capture_id": "7"}, "body_invalid"),
    "a broken clock": ({**an_item(95), "captured_at": "0001-01-01T00:00:00+14:00"}, "body_invalid"),
    "an income in words": (an_item(96, work={"monthly_income": "2500000"}), "body_invalid"),
    "a NIK one digit short": (an_item(97, worker={"nik": make_nik()[:-1]}), "rules_broken"),
    "a day of no campaign": (an_item(98, captured_at="2024-10-08T11:12:00+07:00"), "rules_broken"),
    "another campaign": (an_item(99, campaign_id="senen-2024"), "campaign_not_yours"),
}


def test_a_bad_item_of_any_kind_touches_no_other(edge: Edge, log_output: LogOutput) -> None:
    good = [an_item(number) for number in range(1, len(BAD) + 1)]
    mixed = [each for pair in zip([item for item, _ in BAD.values()], good, strict=True) for each in pair]

    results = sent(edge, *mixed)

    assert set(outcomes(results[1::2])) == {"created"}
    for (what, (item, code)), result in zip(BAD.items(), results[::2], strict=True):
        assert (result["outcome"], result["problem"]["code"]) == ("invalid", code), what
        given = item.get("capture_id") if isinstance(item, dict) else None
        assert result["capture_id"] == (given if given != "7" else None), what
        assert "reference" not in result
    assert sent(edge, *mixed) == results
    for value in ("317107520485700", "Kusumawati", "82455507001", "2500000"):
        assert value not in log_output.text
        assert value not in json.dumps(results)


def test_what_is_wrong_is_told_in_the_language_asked_for(edge: Edge) -> None:
    item = an_item(1, worker={"phone": "021-5550123"})
    told = {}
    for language in ("id", "en"):
        answer = edge.send("POST", BATCH, {"items": [item]}, Accept_Language=language)
        (error,) = answer.json_body["results"][0]["problem"]["errors"]
        told[language] = error["message"]
    assert told["id"] != told["en"]


def test_a_batch_sent_again_whole_or_in_parts_or_backwards_gets_the_same_bytes(edge: Edge) -> None:
    items = [*map(an_item, range(1, 9)), an_item(9, nik=1), an_item(10, worker={"nik": "1"}), an_item(1)]
    first = [json.dumps(each) for each in sent(edge, *items)]
    before = dump_stored_state()

    assert [json.dumps(each) for each in sent(edge, *items)] == first
    assert [json.dumps(each) for each in reversed(sent(edge, *reversed(items)))] == first
    assert [json.dumps(each) for each in (*sent(edge, *items[:4]), *sent(edge, *items[4:]))] == first
    assert dump_stored_state().count("APPLICATION") == before.count("APPLICATION")


def test_of_two_captures_of_one_worker_the_earlier_is_created(edge: Edge) -> None:
    results = sent(edge, an_item(1), an_item(2, nik=1), an_item(3), an_item(4, nik=1))
    assert outcomes(results) == ["created", "already_registered", "created", "already_registered"]
    assert results[0]["reference"] == results[1]["reference"] == results[3]["reference"]


def test_a_capture_that_stands_in_a_batch_twice_is_answered_twice_alike(edge: Edge) -> None:
    results = sent(edge, an_item(1), an_item(2), an_item(1))
    assert results[0] == results[2]


def test_an_id_used_for_two_captures_is_a_conflict_and_the_earlier_stands(edge: Edge) -> None:
    results = sent(edge, an_item(1), an_item(1, nik=2), an_item(1, officer="ofc-13"))
    assert outcomes(results) == ["created", "conflict", "conflict"]
    assert {each["problem"]["code"] for each in results[1:]} == {"capture_reused"}
    assert outcomes(sent(edge, an_item(2))) == ["created"]


def test_a_batch_that_is_none_is_refused_whole(edge: Edge) -> None:
    before = dump_stored_state()
    assert_problem(edge.send("POST", BATCH, {"items": []}), 422, "body_invalid")
    assert_problem(edge.send("POST", BATCH, {"items": [an_item(1)] * 201}), 422, "body_invalid")
    assert_problem(edge.send("POST", BATCH, [an_item(1)]), 422, "body_invalid")
    assert_problem(edge.send("POST", BATCH, b""), 400, "json_malformed")
    assert_problem(edge.send("POST", BATCH, b'{"items": ['), 400, "json_malformed")
    assert_problem(edge.send("POST", BATCH, {"items": ["x" * 1024 * 1024]}), 413, "body_too_large")
    plain = edge.send("POST", BATCH, {"items": [1]}, Content_Type="text/plain")
    assert_problem(plain, 415, "media_type_unsupported")
    assert dump_stored_state() == before


def test_only_a_kiosk_may_send_a_batch(edge: Edge) -> None:
    for role in ("bot", "manager", "core", "admin"):
        assert_problem(
            edge.send("POST", BATCH, {"items": [an_item(1)]}, caller=role), 403, "role_not_allowed"
        )


def test_two_hundred_items_that_are_all_bad_are_all_answered(edge: Edge) -> None:
    results = sent(edge, *range(200))
    assert set(outcomes(results)) == {"invalid"}


def test_half_a_character_in_one_item_touches_no_other(edge: Edge) -> None:
    # Tablets cut texts by UTF-16 units, and JSON may carry what is left of an emoji as an escape.
    results = sent(edge, an_item(1), an_item(2, worker={"name": "Melati \ud83c"}), an_item(3))
    assert outcomes(results) == ["created", "invalid", "created"]


def test_outcomes_are_counted_once_an_item(edge: Edge, log_output: LogOutput) -> None:
    sent(edge, an_item(1), an_item(2, nik=1), an_item(3), None)
    sent(edge, an_item(1))
    counted = [
        (each["outcome"], each["Registrations"]) for each in log_output.metrics if "Registrations" in each
    ]
    assert counted == [
        ("already_registered", [1.0]),
        ("created", [2.0]),
        ("invalid", [1.0]),
        ("replayed", [1.0]),
    ]


@pytest.fixture
def dynamodb_proxy(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> FaultyProxy:
    """What stands between the functions and their tables, once the stage has been filled without it."""
    with run_faulty_proxy() as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", between.url)
        edge.restart()
        yield between


@pytest.mark.parametrize("error", ["ThrottlingException", "InternalServerError", "drop"])
def test_a_throttled_item_is_to_be_sent_again_is_not_stored_and_then_succeeds(
    edge: Edge, dynamodb_proxy: FaultyProxy, error: str
) -> None:
    items = [an_item(number) for number in range(1, 6)]
    dynamodb_proxy.add_fault("TransactWriteItems", error, body_contains=f"CAPTURE#{make_capture_id(3)}")

    first = sent(edge, *items)

    assert outcomes(first) == ["created", "created", "try_again", "created", "created"]
    assert (first[2]["capture_id"], first[2]["problem"]["code"]) == (make_capture_id(3), "try_again")
    assert make_capture_id(3) not in dump_stored_state()
    dynamodb_proxy.faults.clear()
    second = sent(edge, *items)
    assert outcomes(second) == ["created"] * 5
    assert [*second[:2], *second[3:]] == [*first[:2], *first[3:]]


def test_an_item_whose_answer_was_lost_was_stored_once(edge: Edge, dynamodb_proxy: FaultyProxy) -> None:
    dynamodb_proxy.add_fault(
        "TransactWriteItems", "lose the answer", body_contains=f"CAPTURE#{make_capture_id(2)}", times=1
    )
    results = sent(edge, an_item(1), an_item(2), an_item(3))
    assert outcomes(results) == ["created"] * 3
    assert sent(edge, an_item(2)) == results[1:2]
    assert dump_stored_state().count("APPLICATION") == 3


def test_an_item_over_the_cap_of_its_phone_fails_alone(edge: Edge, low_phone_cap: None) -> None:
    shared = [an_item(number) for number in range(1, 6)]
    own = [an_item(6, worker={"phone": "0824-5551-1006"}), an_item(7, worker={"phone": "0824-5551-1007"})]

    results = sent(edge, *shared, *own)

    assert outcomes(results) == ["created"] * 3 + ["capped"] * 2 + ["created"] * 2
    assert {each["problem"]["code"] for each in results if "problem" in each} == {"phone_cap_reached"}
    assert sent(edge, *shared, *own) == results


def test_items_over_the_cap_of_their_client_fail_alone(edge: Edge) -> None:
    edge.enrol("capped", {"client_id": "van-5", "roles": ["kiosk"], "daily_flag": 1, "daily_cap": 3})
    items = [an_item(number, worker={"phone": f"0824-5551-{1000 + number}"}) for number in range(1, 6)]

    first = edge.send("POST", BATCH, {"items": items}, caller="capped").json_body["results"]

    assert sorted(outcomes(first)) == ["capped"] * 2 + ["created"] * 3
    assert {each["problem"]["code"] for each in first if "problem" in each} == {"client_cap_reached"}
    assert edge.send("POST", BATCH, {"items": items}, caller="capped").json_body["results"] == first
