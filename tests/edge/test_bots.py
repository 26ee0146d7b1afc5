"""Bots speak with strangers: nothing they are told, or are not told, may say that a worker is known."""

import pytest
from chalice.test import HTTPResponse

from tests.builders import a_capture, a_capture_id, a_nik
from tests.edge.conftest import Edge, the_problem

ANOTHER = a_capture_id(2)


def as_seen(answer: HTTPResponse) -> tuple[int, dict[str, str], bytes]:
    """An answer as its reader sees it, without the ids of the capture and of the request."""
    headers = {name: value for name, value in answer.headers.items() if name != "X-Correlation-Id"}
    body = answer.body.replace(a_capture_id().encode(), b"ID").replace(ANOTHER.encode(), b"ID")
    return answer.status_code, headers, body


def test_a_bot_is_told_that_a_capture_was_accepted_and_no_more(edge):
    answer = edge.register(a_capture(), by="bot")

    assert answer.status_code == 202
    told = answer.json_body
    assert list(told) == ["capture_id", "outcome", "quote"]
    assert (told["capture_id"], told["outcome"]) == (a_capture_id(), "accepted")
    assert told["quote"]["total"] == 98_400


@pytest.mark.parametrize("first", ["kiosk", "bot"])
def test_a_known_worker_looks_to_a_bot_like_a_new_one(edge, first):
    new = edge.register(a_capture(worker={"nik": a_nik(7009)}), by="bot")
    edge.register(a_capture(capture_id=a_capture_id(3)), by=first)

    known = edge.register(a_capture(capture_id=ANOTHER), by="bot")

    assert as_seen(known) == as_seen(new)


def test_a_replay_of_a_known_worker_looks_like_a_replay_of_a_new_one(edge):
    edge.register(a_capture(capture_id=a_capture_id(3)))
    answers = []
    for capture in (a_capture(worker={"nik": a_nik(7009)}), a_capture(capture_id=ANOTHER)):
        edge.register(capture, by="bot")
        answers.append(edge.register(capture, by="bot"))

    new, known = answers

    assert as_seen(known) == as_seen(new)
    assert new.headers["Idempotent-Replayed"] == "true"


def test_a_bot_that_sends_an_officers_capture_again_is_not_told_the_reference(edge):
    reference = edge.register(a_capture()).json_body["reference"]

    replayed = edge.register(a_capture(), by="bot")

    assert replayed.status_code == 202
    assert reference not in replayed.body.decode()


def test_a_capture_id_used_again_is_refused_alike_for_known_and_for_new_workers(edge: Edge):
    edge.register(a_capture(), by="bot")

    known = edge.register(a_capture(officer="ofc-13"), by="bot")
    new = edge.register(a_capture(worker={"nik": a_nik(7009)}), by="bot")

    the_problem(known, 409, "capture_reused")
    assert as_seen(known) == as_seen(new)


def test_a_bots_mistyped_nik_is_refused_by_rule_whoever_it_may_have_meant(edge):
    edge.register(a_capture())

    problem = the_problem(
        edge.register(a_capture(capture_id=ANOTHER, worker={"nik": a_nik()[:-1]}), by="bot"),
        422,
        "rules_broken",
    )

    assert [error["code"] for error in problem["errors"]] == ["nik_length"]


def test_a_bot_cannot_look_up_what_it_registered(edge):
    edge.register(a_capture(), by="bot")
    reference = edge.register(a_capture()).json_body["reference"]

    the_problem(edge.send("GET", f"/v1/registrations/{reference}", by="bot"), 403, "role_not_allowed")
