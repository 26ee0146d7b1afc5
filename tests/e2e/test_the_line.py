"""The whole line on the packaged stack: a capture at a van, the worker's phone, the day's summary."""

from typing import Any

import pytest

from chalicelib.notifications.gsm7 import SEGMENT_SEPTETS, is_gsm7, septets
from tests.e2e.conftest import RunningStack
from tests.e2e.market import a_market, all_at_once, let_everything_arrive, text_id
from tests.e2e.waiting import until

pytestmark = pytest.mark.e2e

CALLERS = 20


def test_a_capture_at_a_van_reaches_the_workers_phone_and_the_days_summary(stack: RunningStack) -> None:
    market = a_market(stack)
    capture = market.capture(work={"occupations": ["porter", "tailor"]})

    answer = market.register(capture, by="van-1")
    text = market.await_text_of(answer.json()["reference"])
    stack.fire_schedule()

    assert answer.status_code == 201
    assert answer.json()["outcome"] == "created"
    assert text["to"] == "+62" + capture["worker"]["phone"].replace("-", "").removeprefix("0")
    assert text["context"]["message_id"] == text_id(answer.json()["reference"])
    assert text["text"].startswith("BPJAMSOSTEK: Data Melati Kusumawati sudah kami terima.")
    assert answer.json()["reference"] in text["text"]
    assert is_gsm7(text["text"])
    assert septets(text["text"]) <= SEGMENT_SEPTETS
    summary = market.counted()
    assert summary["counts"]["captures"] == summary["counts"]["created"] == 1
    assert (summary["by_channel"], summary["by_client"]) == ({"van": 1}, {"van-1": 1})
    assert summary["by_occupation"] == {"porter": 1, "tailor": 1}
    let_everything_arrive(stack)
    assert len(market.texts_of(answer.json()["reference"])) == 1


def test_a_capture_sent_again_gets_the_same_bytes_and_no_text(stack: RunningStack) -> None:
    market = a_market(stack)
    capture = market.capture()
    first = market.register(capture)

    second = market.register(capture)

    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers["Idempotent-Replayed"] == "true"
    let_everything_arrive(stack)
    assert len(market.texts_of(first.json()["reference"])) == 1


def test_a_known_worker_gets_no_second_text_on_any_phone(stack: RunningStack) -> None:
    market = a_market(stack)
    capture = market.capture()
    reference = market.register(capture).json()["reference"]

    stranger = market.capture(worker={"nik": capture["worker"]["nik"]})
    again = market.register(stranger, by="van-2")

    assert (again.status_code, again.json()["outcome"]) == (200, "already_registered")
    assert again.json()["reference"] == reference
    let_everything_arrive(stack)
    assert len(market.texts_of(reference)) == 1
    strangers_phone = "+62" + stranger["worker"]["phone"].replace("-", "").removeprefix("0")
    assert strangers_phone not in [text["to"] for text in stack.messages()]


def test_of_many_callers_who_race_for_one_worker_one_registers_and_one_text_is_sent(
    stack: RunningStack,
) -> None:
    market = a_market(stack)
    nik = market.capture()["worker"]["nik"]
    captures = [market.capture(worker={"nik": nik}) for _ in range(CALLERS)]

    answers = all_at_once(CALLERS, lambda number: market.register(captures[number]))

    outcomes = sorted(answer.json()["outcome"] for answer in answers)
    assert outcomes == ["already_registered"] * (CALLERS - 1) + ["created"]
    (reference,) = {answer.json()["reference"] for answer in answers}
    let_everything_arrive(stack)
    assert len(market.texts_of(reference)) == 1


def test_of_many_sends_of_one_capture_at_once_all_are_told_the_same(stack: RunningStack) -> None:
    market = a_market(stack)
    capture = market.capture()

    answers = all_at_once(CALLERS, lambda _: market.register(capture))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers].count(None) == 1
    let_everything_arrive(stack)
    assert len(market.texts_of(answers[0].json()["reference"])) == 1


def test_a_bot_is_told_the_same_of_a_known_worker_as_of_a_new_one(stack: RunningStack) -> None:
    market = a_market(stack)
    new = market.register(market.capture(), by="bot")
    known_nik = market.capture()
    market.register(known_nik)
    known = market.register(market.capture(worker={"nik": known_nik["worker"]["nik"]}), by="bot")

    assert (known.status_code, new.status_code) == (202, 202)
    assert {**known.json(), "capture_id": None} == {**new.json(), "capture_id": None}
    own = {
        "x-correlation-id",
        "date",
        "x-amzn-requestid",
        "x-amz-apigw-id",
        "x-amzn-trace-id",
        "x-amz-request-id",
        "x-amz-id-2",
    }
    assert {name for name in known.headers if name not in own} == {
        name for name in new.headers if name not in own
    }


def test_one_id_ties_the_answer_to_the_log_lines_and_the_text(stack: RunningStack) -> None:
    market = a_market(stack)

    answer = market.register(market.capture())

    correlation_id = answer.headers["X-Correlation-Id"]
    text = market.await_text_of(answer.json()["reference"])
    assert text["context"]["correlation_id"] == correlation_id
    logs = stack.aws("logs")

    def said(function: str, message: str) -> bool:
        found = logs.filter_log_events(
            logGroupName=f"/aws/lambda/daftar-local-{function}", filterPattern=f'"{correlation_id}"'
        )
        return any(message in event["message"] for event in found["events"])

    until("the API's log line", lambda: said("APIHandler", "request answered"))
    until("the sender's log line", lambda: said("OnNotifications", "worker told"))


@pytest.mark.parametrize(
    "typed", [str.lower, lambda text: text.replace("-", "%20")], ids=["small letters", "spaces"]
)
def test_a_registration_is_shown_masked_however_its_reference_is_typed(
    stack: RunningStack, typed: Any
) -> None:
    market = a_market(stack)
    capture = market.capture()
    reference = market.register(capture).json()["reference"]

    shown = stack.send("manager", "GET", f"/v1/registrations/{typed(reference)}")

    assert shown.json()["worker"]["name"] == "M***** K*********"
    assert capture["worker"]["nik"] not in shown.text
    assert capture["worker"]["nik"][-4:] in shown.text
