"""Bots speak with strangers: nothing they are told, or are not told, may say that a worker is known."""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest
from chalice.test import HTTPResponse

from tests.edge.conftest import Edge, assert_problem
from tests.support.dynamodb_faults import run_faulty_proxy
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

ANOTHER = make_capture_id(2)
A_DAY = "campaign_id=tanah-abang-2024&day=2024-10-09"
A_CAPTURE_ID = re.compile(rb"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def as_seen(answer: HTTPResponse) -> tuple[int, dict[str, str], bytes]:
    """An answer as its reader sees it, without the ids of the capture and of the request."""
    headers = {name: value for name, value in answer.headers.items() if name != "X-Correlation-Id"}
    return answer.status_code, headers, A_CAPTURE_ID.sub(b"ID", answer.body)


def test_a_bot_is_told_that_a_capture_was_accepted_and_no_more(edge: Edge) -> None:
    answer = edge.register(make_capture_payload(), caller="bot")

    assert answer.status_code == 202
    told = answer.json_body
    assert list(told) == ["capture_id", "outcome", "quote"]
    assert (told["capture_id"], told["outcome"]) == (make_capture_id(), "accepted")
    assert told["quote"]["total"] == 98_400


@pytest.mark.parametrize("first", ["kiosk", "bot"])
def test_a_known_worker_looks_to_a_bot_like_a_new_one(edge: Edge, first: str) -> None:
    new = edge.register(make_capture_payload(worker={"nik": make_nik(7009)}), caller="bot")
    edge.register(make_capture_payload(capture_id=make_capture_id(3)), caller=first)

    known = edge.register(make_capture_payload(capture_id=ANOTHER), caller="bot")

    assert as_seen(known) == as_seen(new)


def test_a_replay_of_a_known_worker_looks_like_a_replay_of_a_new_one(edge: Edge) -> None:
    edge.register(make_capture_payload(capture_id=make_capture_id(3)))
    answers = []
    for capture in (
        make_capture_payload(worker={"nik": make_nik(7009)}),
        make_capture_payload(capture_id=ANOTHER),
    ):
        edge.register(capture, caller="bot")
        answers.append(edge.register(capture, caller="bot"))

    new, known = answers

    assert as_seen(known) == as_seen(new)
    assert new.headers["Idempotent-Replayed"] == "true"


def test_a_bot_that_sends_an_officers_capture_again_is_not_told_the_reference(edge: Edge) -> None:
    reference = edge.register(make_capture_payload()).json_body["reference"]

    replayed = edge.register(make_capture_payload(), caller="bot")

    assert replayed.status_code == 202
    assert reference not in replayed.body.decode()


def test_a_capture_id_used_again_is_refused_alike_for_known_and_for_new_workers(edge: Edge) -> None:
    edge.register(make_capture_payload(), caller="bot")

    known = edge.register(make_capture_payload(officer="ofc-13"), caller="bot")
    new = edge.register(make_capture_payload(worker={"nik": make_nik(7009)}), caller="bot")

    assert_problem(known, 409, "capture_reused")
    assert as_seen(known) == as_seen(new)


def test_a_bots_mistyped_nik_is_refused_by_rule_whoever_it_may_have_meant(edge: Edge) -> None:
    edge.register(make_capture_payload())

    problem = assert_problem(
        edge.register(
            make_capture_payload(capture_id=ANOTHER, worker={"nik": make_nik()[:-1]}), caller="bot"
        ),
        422,
        "rules_broken",
    )

    assert [error["code"] for error in problem["errors"]] == ["nik_length"]


def test_a_bot_cannot_look_up_what_it_registered(edge: Edge) -> None:
    edge.register(make_capture_payload(), caller="bot")
    reference = edge.register(make_capture_payload()).json_body["reference"]

    assert_problem(edge.send("GET", f"/v1/registrations/{reference}", caller="bot"), 403, "role_not_allowed")


@dataclass(frozen=True)
class Watched:
    """The edge, and all that its functions ask the tables on the way."""

    edge: Edge
    sent: list[tuple[str, bytes]]

    def register(self, capture: dict[str, Any]) -> tuple[object, list[object], list[int]]:
        """What a bot sees of its answer; what was asked of the tables, in order; and how large that was."""
        self.sent.clear()
        seen = as_seen(self.edge.register(capture, caller="bot"))
        asked = [(operation, _kinds(json.loads(body))) for operation, body in self.sent]
        return seen, asked, [len(body) for _, body in self.sent]


def _kinds(request: dict[str, Any]) -> list[tuple[str, str]]:
    """What each part of a transaction is, and whether it has a condition."""
    parts = [part for each in request.get("TransactItems", ()) for part in each.items()]
    return [(kind, "conditional" * ("ConditionExpression" in part)) for kind, part in parts]


@pytest.fixture
def dynamodb_proxy(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> Watched:
    with run_faulty_proxy() as between:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", between.url)
        edge.restart()
        dynamodb_proxy = Watched(edge, between.request_bodies)
        # Keys, the campaign and the bot's count are asked for once in a container.
        dynamodb_proxy.register(sent_by(90))
        dynamodb_proxy.register(sent_by(91))
        yield dynamodb_proxy


def sent_by(number: int, **changes: Any) -> dict[str, Any]:
    """A capture of a worker; another number, another worker and phone, and all of them equally long."""
    worker = {"nik": make_nik(7000 + number), "phone": f"0824-5551-{1000 + number}"}
    return make_capture_payload(**{"capture_id": make_capture_id(number), "worker": worker, **changes})


def test_the_tables_are_asked_the_same_for_a_new_and_for_a_known_worker(dynamodb_proxy: Watched) -> None:
    dynamodb_proxy.edge.register(sent_by(10))

    new = dynamodb_proxy.register(sent_by(11))
    known = dynamodb_proxy.register({**sent_by(10), "capture_id": make_capture_id(12)})

    assert known[:2] == new[:2]
    assert [operation for operation, _ in new[1]] == ["GetItem", "BatchGetItem", "TransactWriteItems"]
    puts = [("Put", "conditional")]
    assert new[1][-1][1] == puts * 3 + [("Update", "conditional")] + puts
    # Bytes: the condition on what stands, and the words of the outcome.
    assert all(abs(one - other) <= 400 for one, other in zip(new[2], known[2], strict=True))


def test_the_tables_are_asked_the_same_for_a_worker_whose_registration_has_ended(
    dynamodb_proxy: Watched,
) -> None:
    reference = dynamodb_proxy.edge.register(sent_by(10)).json_body["reference"]
    ended = {"reason": "worker_request"}
    dynamodb_proxy.edge.send("POST", f"/v1/registrations/{reference}/cancellation", ended)

    new = dynamodb_proxy.register(sent_by(11))
    reactivated = dynamodb_proxy.register({**sent_by(10), "capture_id": make_capture_id(12)})

    assert reactivated[:2] == new[:2]


def test_the_tables_are_asked_the_same_when_a_capture_is_sent_again(dynamodb_proxy: Watched) -> None:
    dynamodb_proxy.edge.register(sent_by(10))
    known = {**sent_by(10), "capture_id": make_capture_id(12)}
    for first in (sent_by(11), known):
        dynamodb_proxy.edge.register(first, caller="bot")

    assert dynamodb_proxy.register(sent_by(11))[:2] == dynamodb_proxy.register(known)[:2]


def test_the_tables_are_asked_the_same_when_an_id_is_used_again(dynamodb_proxy: Watched) -> None:
    dynamodb_proxy.edge.register(sent_by(10))
    for number in (10, 11):
        dynamodb_proxy.edge.register(
            {**sent_by(number), "capture_id": make_capture_id(20 + number)}, caller="bot"
        )

    known, new = (
        dynamodb_proxy.register(
            {**sent_by(number), "capture_id": make_capture_id(20 + number), "officer": "ofc-99"}
        )
        for number in (10, 11)
    )

    assert known[:2] == new[:2]
    assert new[0][0] == 409


@pytest.mark.parametrize("given", [1, 3], ids=["flagged", "over the cap"])
def test_the_tables_are_asked_the_same_whatever_a_phone_was_given_for(
    low_phone_cap: None, dynamodb_proxy: Watched, given: int
) -> None:
    phone = {"phone": "0824-5550-7777"}
    for number in range(100, 100 + given):
        dynamodb_proxy.edge.register(sent_by(number, worker={"nik": make_nik(7000 + number), **phone}))

    fresh = dynamodb_proxy.register(sent_by(11))
    busy = dynamodb_proxy.register(sent_by(12, worker={"nik": make_nik(7012), **phone}))
    busy_and_known = dynamodb_proxy.register(sent_by(13, worker={"nik": make_nik(7011), **phone}))

    assert fresh[:2] == busy[:2] == busy_and_known[:2]


def test_managers_see_what_was_out_of_the_ordinary(edge: Edge, low_phone_cap: None) -> None:
    phone = {"phone": "0824-5550-7777"}
    for number in range(100, 103):
        edge.register(sent_by(number, worker={"nik": make_nik(7000 + number), **phone}))

    edge.register(sent_by(11, worker={"nik": make_nik(7011), **phone}), caller="bot")

    page = edge.send("GET", f"/v1/registrations?{A_DAY}", caller="manager").json_body["registrations"]
    flags = [each.get("flags", []) for each in page if each["worker"]["phone"].endswith("7777")]
    assert sorted(map(tuple, flags)) == [(), *[("phone_busy",)] * 2, ("phone_over_cap",)]
