"""Workers without a phone, sponsors with a quota, and SMS that are sent once more, on the packaged stack."""

from collections import Counter
from typing import Any

import pytest

from tests.support.isolated_campaign import Market, await_pipeline_idle, call_concurrently, open_market
from tests.support.payloads import make_expiry_day
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

NOTHING = {"phone": None, "address": None, "postal_code": None}
CALLERS = 12
QUOTA = 5


def show(stack: RunningStack, reference: str) -> dict[str, Any]:
    shown: dict[str, Any] = stack.send("manager", "GET", f"/v1/registrations/{reference}").json()
    return shown


def list_sms_to(market: Market, capture: dict[str, Any]) -> list[dict[str, Any]]:
    phone = "+62" + capture["worker"]["phone"].replace("-", "").removeprefix("0")
    return [each for each in market.stack.list_sms() if each["to"] == phone]


def list_sponsors_over_quota(market: Market) -> list[str]:
    await_pipeline_idle(market.stack)
    market.stack.fire_schedules()
    return [each["sponsor_id"] for each in market.get_summary()["anomalies"] if each["sponsor_id"]]


def test_a_worker_without_a_phone_is_registered_and_paid_for_without_any_sms(stack: RunningStack) -> None:
    market = open_market(stack)
    answer = market.register(market.make_capture_payload(worker=NOTHING))
    reference = answer.json()["reference"]
    code = {"code": "EPS-4711", "amount": 32_800, "expires_on": make_expiry_day()}
    stack.send("core", "PUT", f"/v1/registrations/{reference}/payment-code", code)
    refused = stack.send("van-1", "POST", f"/v1/registrations/{reference}/sms", {"purpose": "payment_code"})
    await_pipeline_idle(stack)
    stack.fire_schedules()

    assert (answer.status_code, answer.json()["outcome"]) == (201, "created")
    assert (refused.status_code, refused.json()["code"]) == (409, "worker_without_phone")
    shown = show(stack, reference)
    assert (shown["status"], shown["worker"]["phone"]) == ("awaiting_payment", None)
    assert market.find_sms(reference) == []
    assert not [each for each in stack.list_sms() if each["context"].get("campaign_id") == market.campaign_id]
    texts = market.get_summary()["texts"]
    assert (texts["total"], texts["without_phone"]) == (0, 1)


def test_an_officer_has_an_sms_sent_once_more_and_a_repeat_sends_no_other(stack: RunningStack) -> None:
    market = open_market(stack)
    capture = market.make_capture_payload()
    reference = market.register(capture).json()["reference"]
    market.await_sms(reference)
    path = f"/v1/registrations/{reference}/sms"

    answers = call_concurrently(CALLERS, lambda _: stack.send("van-1", "POST", path, {"purpose": "received"}))

    assert {answer.status_code for answer in answers} == {202}
    assert [answer.headers.get("Idempotent-Replayed") for answer in answers].count(None) == 1
    wait_until("the second SMS", lambda: len(list_sms_to(market, capture)) == 2)
    await_pipeline_idle(stack)
    first, again = list_sms_to(market, capture)
    assert (again["text"], again["context"]["sms_id"] != first["context"]["sms_id"]) == (first["text"], True)
    events = [(event["event"], event["client_id"]) for event in show(stack, reference)["history"]]
    assert events == [("registered", "van-1"), ("sms_requested", "van-1")]
    stack.fire_schedules()
    assert market.get_summary()["texts"]["total"] == 2


def test_of_racing_devices_exactly_the_quota_gets_places_and_nobody_is_refused(stack: RunningStack) -> None:
    market = open_market(stack)
    sponsors = [{"sponsor_id": "yayasan-contoh", "name": "Yayasan Contoh", "quota": QUOTA}]
    changed = stack.send("manager", "PATCH", f"/v1/campaigns/{market.campaign_id}", {"sponsors": sponsors})
    assert changed.status_code == 200, changed.text
    coverage = {"payer": "sponsor", "sponsor_id": "yayasan-contoh"}
    captures = [market.make_capture_payload(worker=NOTHING, coverage=coverage) for _ in range(CALLERS)]

    def register(number: int) -> Any:
        for _ in range(20):
            answer = market.register(captures[number], caller=("van-1", "van-2", "kiosk-1")[number % 3])
            if answer.status_code != 503:
                break
        return answer

    answers = call_concurrently(CALLERS, register)

    assert Counter(answer.status_code for answer in answers) == {201: CALLERS}
    references = [answer.json()["reference"] for answer in answers]
    flags = Counter(tuple(show(stack, each).get("flags", ())) for each in references)
    assert flags == {(): QUOTA, ("sponsor_over_quota",): CALLERS - QUOTA}

    assert list_sponsors_over_quota(market) == ["yayasan-contoh"]

    within = next(each for each in references if "flags" not in show(stack, each))
    reason = {"reason": "worker_request"}
    for reference in [within, *(each for each in references if "flags" in show(stack, each))]:
        stack.send("manager", "POST", f"/v1/registrations/{reference}/cancellation", reason)
    late = market.register(market.make_capture_payload(worker=NOTHING, coverage=coverage))
    assert "flags" not in show(stack, late.json()["reference"])
    assert list_sponsors_over_quota(market) == []
    assert market.get_summary()["by_sponsor"] == {"yayasan-contoh": QUOTA}
