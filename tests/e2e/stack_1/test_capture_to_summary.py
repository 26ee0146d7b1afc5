"""The whole line on the packaged stack: a capture at a van, the worker's phone, the day's summary."""

from typing import Any

import pytest

from chalicelib.messaging.gsm7 import SEGMENT_SEPTETS, count_septets, is_gsm7
from tests.support.isolated_campaign import (
    await_pipeline_idle,
    call_concurrently,
    find_confirmation,
    open_market,
)
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

CALLERS = 20


def test_a_capture_at_a_van_reaches_the_workers_phone_and_the_days_summary(stack: RunningStack) -> None:
    market = open_market(stack)
    capture = market.make_capture_payload(work={"occupations": ["porter", "tailor"]})

    answer = market.register(capture, caller="van-1")
    text = market.await_sms(answer.json()["reference"])
    stack.fire_schedules()

    assert answer.status_code == 201
    assert answer.json()["outcome"] == "created"
    assert text["to"] == "+62" + capture["worker"]["phone"].replace("-", "").removeprefix("0")
    assert text["context"]["sms_id"] == find_confirmation(stack, answer.json()["reference"])["sms_id"]
    assert text["text"].startswith("BPJAMSOSTEK: Data Melati Kusumawati sudah kami terima.")
    assert answer.json()["reference"] in text["text"]
    assert is_gsm7(text["text"])
    assert count_septets(text["text"]) <= SEGMENT_SEPTETS
    summary = market.get_summary()
    assert summary["counts"]["captures"] == summary["counts"]["created"] == 1
    assert (summary["by_channel"], summary["by_client"]) == ({"van": 1}, {"van-1": 1})
    assert summary["by_occupation"] == {"porter": 1, "tailor": 1}
    await_pipeline_idle(stack)
    assert len(market.find_sms(answer.json()["reference"])) == 1


def test_a_capture_sent_again_gets_the_same_bytes_and_no_sms(stack: RunningStack) -> None:
    market = open_market(stack)
    capture = market.make_capture_payload()
    first = market.register(capture)

    second = market.register(capture)

    assert (second.status_code, second.content) == (first.status_code, first.content)
    assert second.headers["Idempotent-Replayed"] == "true"
    await_pipeline_idle(stack)
    assert len(market.find_sms(first.json()["reference"])) == 1


def test_a_known_worker_gets_no_second_sms_on_any_phone(stack: RunningStack) -> None:
    market = open_market(stack)
    capture = market.make_capture_payload()
    reference = market.register(capture).json()["reference"]

    stranger = market.make_capture_payload(worker={"nik": capture["worker"]["nik"]})
    again = market.register(stranger, caller="van-2")

    assert (again.status_code, again.json()["outcome"]) == (200, "already_registered")
    assert again.json()["reference"] == reference
    await_pipeline_idle(stack)
    assert len(market.find_sms(reference)) == 1
    strangers_phone = "+62" + stranger["worker"]["phone"].replace("-", "").removeprefix("0")
    assert strangers_phone not in [text["to"] for text in stack.list_sms()]


def test_of_many_callers_who_race_for_one_worker_one_registers_and_one_sms_is_sent(
    stack: RunningStack,
) -> None:
    market = open_market(stack)
    nik = market.make_capture_payload()["worker"]["nik"]
    captures = [market.make_capture_payload(worker={"nik": nik}) for _ in range(CALLERS)]

    answers = call_concurrently(CALLERS, lambda number: market.register(captures[number]))

    outcomes = sorted(answer.json()["outcome"] for answer in answers)
    assert outcomes == ["already_registered"] * (CALLERS - 1) + ["created"]
    (reference,) = {answer.json()["reference"] for answer in answers}
    await_pipeline_idle(stack)
    assert len(market.find_sms(reference)) == 1


def test_many_concurrent_sends_of_one_capture_get_the_same_answer(stack: RunningStack) -> None:
    market = open_market(stack)
    capture = market.make_capture_payload()

    answers = call_concurrently(CALLERS, lambda _: market.register(capture))

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers].count(None) == 1
    await_pipeline_idle(stack)
    assert len(market.find_sms(answers[0].json()["reference"])) == 1


def test_a_bot_gets_the_same_answer_for_a_known_worker_as_for_a_new_one(stack: RunningStack) -> None:
    market = open_market(stack)
    new = market.register(market.make_capture_payload(), caller="bot")
    known_nik = market.make_capture_payload()
    market.register(known_nik)
    known = market.register(
        market.make_capture_payload(worker={"nik": known_nik["worker"]["nik"]}), caller="bot"
    )

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


def test_one_correlation_id_connects_answer_log_lines_and_sms(stack: RunningStack) -> None:
    market = open_market(stack)

    answer = market.register(market.make_capture_payload())

    correlation_id = answer.headers["X-Correlation-Id"]
    text = market.await_sms(answer.json()["reference"])
    assert text["context"]["correlation_id"] == correlation_id
    logs = stack.aws_client("logs")

    def said(function: str, message: str) -> bool:
        found = logs.filter_log_events(
            logGroupName=f"/aws/lambda/daftar-local-{function}", filterPattern=f'"{correlation_id}"'
        )
        return any(message in event["message"] for event in found["events"])

    wait_until("the API's log line", lambda: said("APIHandler", "request answered"))
    wait_until("the sender's log line", lambda: said("OnNotifications", "sms processed"))


@pytest.mark.parametrize(
    "typed", [str.lower, lambda text: text.replace("-", "%20")], ids=["small letters", "spaces"]
)
def test_a_registration_is_shown_masked_however_its_reference_is_typed(
    stack: RunningStack, typed: Any
) -> None:
    market = open_market(stack)
    capture = market.make_capture_payload()
    reference = market.register(capture).json()["reference"]

    shown = stack.send("manager", "GET", f"/v1/registrations/{typed(reference)}")

    assert shown.json()["worker"]["name"] == "M***** K*********"
    assert capture["worker"]["nik"] not in shown.text
    assert capture["worker"]["nik"][-4:] in shown.text
