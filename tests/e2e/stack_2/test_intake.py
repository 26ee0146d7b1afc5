"""Races and repeats on the deployed stack: one record per person, one answer per capture, no event lost."""

import json
import random
from collections import Counter
from typing import Any

import httpx
import pytest

from tests.support.isolated_campaign import DAY, Market, await_pipeline_idle, call_concurrently, open_market
from tests.support.payloads import make_expiry_day, make_nik
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

CALLERS = 50
DEVICES = ("van-1", "van-2", "kiosk-1")

Capture = dict[str, Any]
Verdict = dict[str, Any]


@pytest.fixture
def market(stack: RunningStack) -> Market:
    return open_market(stack)


def send_batch(market: Market, items: list[Any], *, by: str = "van-1") -> list[str]:
    """What became of each item, as the very text of the answer; items to be tried again are sent again."""
    results: list[Any] = [None] * len(items)
    waiting = list(range(len(items)))
    for _ in range(10):
        body = {"items": [items[position] for position in waiting]}
        answer = market.stack.send(by, "POST", "/v1/registrations/batch", body)
        assert answer.status_code == 200, answer.text
        for position, result in zip(waiting, answer.json()["results"], strict=True):
            results[position] = result
        waiting = [position for position in waiting if results[position]["outcome"] == "try_again"]
        if not waiting:
            return [json.dumps(each) for each in results]
    raise AssertionError(f"{len(waiting)} items were to be tried again for ever")


def outcomes(results: list[str]) -> Counter[str]:
    return Counter(json.loads(each)["outcome"] for each in results)


def listed(market: Market) -> list[Any]:
    """All registrations of the day, page by page."""
    rows: list[Any] = []
    query = f"campaign_id={market.campaign_id}&day={DAY}&size=200"
    cursor: str | None = ""
    while cursor is not None:
        page = market.stack.send("core", "GET", f"/v1/registrations?{query}{cursor}").json()
        rows += page["registrations"]
        cursor = page["cursor"] and f"&cursor={page['cursor']}"
    return rows


def recounted(market: Market) -> dict[str, Any]:
    """The day, counted now: what stays the same as long as nothing new has come."""
    path = f"/v1/campaigns/{market.campaign_id}/summaries/{DAY}"
    summary = market.stack.send("manager", "POST", path).json()
    return {name: summary[name] for name in ("counts", "by_channel", "by_client", "by_occupation")}


def test_of_fifty_callers_who_race_for_one_worker_one_registers_and_one_sms_is_sent(
    stack: RunningStack, market: Market
) -> None:
    captures = [
        market.make_capture_payload(worker={"nik": make_nik(9001), "phone": "0824-5552-9001"})
        for _ in range(CALLERS)
    ]

    for device in DEVICES:  # The gateway knows the devices already, as on any working day.
        market.stack.send(device, "GET", "/v1/registrations/7K4-M2Q-X9P")

    answers = call_concurrently(
        CALLERS, lambda number: market.register(captures[number], caller=DEVICES[number % 3])
    )

    told = Counter((answer.status_code, answer.json()["outcome"]) for answer in answers)
    assert told == {(201, "created"): 1, (200, "already_registered"): CALLERS - 1}
    (reference,) = {answer.json()["reference"] for answer in answers}
    assert [row["reference"] for row in listed(market)] == [reference]
    await_pipeline_idle(stack)
    assert [each for each in stack.list_sms() if each["to"] == "+6282455529001"] == market.find_sms(reference)
    assert len(market.find_sms(reference)) == 1
    assert recounted(market)["counts"]["created"] == 1


def test_fifty_sends_of_one_capture_at_once_get_the_same_bytes(market: Market) -> None:
    capture = market.make_capture_payload()

    answers = call_concurrently(CALLERS, lambda number: market.register(capture, caller=DEVICES[number % 3]))

    assert {(answer.status_code, answer.content) for answer in answers} == {(201, answers[0].content)}
    first_told = [answer for answer in answers if "Idempotent-Replayed" not in answer.headers]
    # More than one only where an answer got lost on its way to a caller who then asked again.
    assert len(first_told) <= 1
    assert len(listed(market)) == 1


def test_a_batch_sent_again_whole_in_parts_reversed_or_concurrently_gets_the_same_bytes(
    market: Market,
) -> None:
    items = [market.make_capture_payload() for _ in range(180)]
    items += [
        market.make_capture_payload(worker={"nik": items[number]["worker"]["nik"]}) for number in range(10)
    ]
    items += [market.make_capture_payload(worker={"nik": "317107520485"}) for _ in range(10)]
    first = send_batch(market, items)
    assert outcomes(first) == {"created": 180, "already_registered": 10, "invalid": 10}
    before = (listed(market), recounted(market))

    assert send_batch(market, items) == first
    assert send_batch(market, items[::-1], by="van-2") == first[::-1]
    parts = call_concurrently(5, lambda part: send_batch(market, items[part * 40 : part * 40 + 40]))  # type: ignore[arg-type,return-value]
    assert [each for part in parts for each in part] == first  # type: ignore[attr-defined]

    assert (listed(market), recounted(market)) == before


def test_a_batch_that_five_callers_send_at_once_is_stored_once(market: Market) -> None:
    items = [market.make_capture_payload() for _ in range(40)]

    answers = call_concurrently(5, lambda number: send_batch(market, items, by=DEVICES[number % 3]))  # type: ignore[arg-type,return-value]

    assert all(answer == answers[0] for answer in answers)
    assert outcomes(answers[0]) == {"created": 40}  # type: ignore[arg-type]
    assert recounted(market)["counts"]["captures"] == len(listed(market)) == 40


def test_bad_items_of_every_kind_leave_the_others_alone(market: Market) -> None:
    bad: list[Any] = [
        None,
        7,
        "3171075204857001",
        [],
        {},
        market.make_capture_payload(worker={"nik": "1"}),
        market.make_capture_payload(worker={"phone": "021-5550123"}),
        market.make_capture_payload(captured_at="2024-10-08T11:12:00+07:00"),
        market.make_capture_payload(captured_at="9999-12-31T23:59:59-12:00"),
        market.make_capture_payload(campaign_id="no-such-market"),
        market.make_capture_payload(consent=None),
        market.make_capture_payload(work={"occupations": ["astronaut"]}),
    ]
    good = [market.make_capture_payload() for _ in bad]

    results = send_batch(market, [each for pair in zip(bad, good, strict=True) for each in pair])

    assert outcomes(results[::2]) == {"invalid": len(bad)}
    assert outcomes(results[1::2]) == {"created": len(good)}
    assert len(listed(market)) == len(good)


def test_any_part_sent_again_in_any_order_by_anyone_at_once_leaves_the_same_state(market: Market) -> None:
    # Devices of its own: the refusals of one that met many today are no longer stored.
    devices = [f"{market.campaign_id}-{name}" for name in DEVICES]
    for device in devices:
        market.stack.enrol(device, "kiosk", market.campaign_id)
    chance = random.Random(20241009)  # noqa: S311 - a story that can be told again, not a secret
    items = [market.make_capture_payload() for _ in range(20)]
    items += [
        market.make_capture_payload(worker={"nik": chance.choice(items)["worker"]["nik"]}) for _ in range(10)
    ]
    items += [market.make_capture_payload(worker={"nik": "1"}) for _ in range(4)]
    first = dict(zip(map(str, range(len(items))), send_batch(market, items, by=devices[0]), strict=True))
    before = (listed(market), recounted(market))

    def again(number: int) -> bool:
        own = random.Random(number)  # noqa: S311 - as above
        part = own.sample(range(len(items)), own.randint(1, len(items)))
        told = send_batch(market, [items[each] for each in part], by=own.choice(devices))
        alone = items[own.randrange(30)]
        answer = market.register(alone, caller=own.choice(devices))
        same = json.dumps(answer.json()) == first[str(items.index(alone))]
        return same and told == [first[str(each)] for each in part]

    assert call_concurrently(8, again) == [True] * 8  # type: ignore[comparison-overlap,arg-type]
    assert (listed(market), recounted(market)) == before


def report(market: Market, what: str, reference: str, body: Any, *, by: str = "core") -> httpx.Response:
    """Report an event of a registration."""
    method = "PUT" if what == "payment-code" else "POST"
    return market.stack.send(by, method, f"/v1/registrations/{reference}/{what}", body)


def a_payment(number: int) -> dict[str, Any]:
    return {
        "payment_id": f"p-{number}",
        "amount": 32_800,
        "months": 1,
        "paid_at": "2024-10-12T09:00:00+07:00",
    }


def test_of_twenty_payments_reported_at_once_none_is_lost(market: Market) -> None:
    reference = market.register(market.make_capture_payload()).json()["reference"]

    answers = call_concurrently(20, lambda number: report(market, "payments", reference, a_payment(number)))

    assert {answer.status_code for answer in answers} == {200}
    whole = market.stack.send("core", "GET", f"/v1/registrations/{reference}").json()
    paid = [event["detail"]["payment_id"] for event in whole["history"] if event["event"] == "paid"]
    assert sorted(paid) == sorted(f"p-{number}" for number in range(20))
    assert (whole["status"], whole["active_until"]) == ("active", "2026-05-31")


def test_one_payment_reported_twenty_times_at_once_counts_once(market: Market) -> None:
    reference = market.register(market.make_capture_payload()).json()["reference"]

    answers = call_concurrently(20, lambda number: report(market, "payments", reference, a_payment(1)))

    assert {(answer.status_code, answer.content) for answer in answers} == {(200, answers[0].content)}
    assert answers[0].json()["active_until"] == "2024-10-31"


def a_tick() -> dict[str, Any]:
    """What EventBridge hands over; the function looks at none of it."""
    told = ("version", "account", "region", "id", "source", "detail-type", "time")
    return {**dict.fromkeys(told, "-"), "resources": [], "detail": {}}


def a_round(stack: RunningStack) -> Any:
    """Fire the schedule of time-outs now, through the target of its rule; what the function answered."""
    events = stack.aws_client("events")
    (target,) = (
        target
        for rule in events.list_rules()["Rules"]
        if rule.get("ScheduleExpression") == "cron(10/30 * * * ? *)"
        for target in events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
    )
    answer = stack.aws_client("lambda").invoke(FunctionName=target["Arn"], Payload=json.dumps(a_tick()))
    told = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, told
    return told


def test_a_run_lapses_due_registrations_and_no_others(stack: RunningStack, market: Market) -> None:
    paid_long_ago, waiting, cancelled = (
        market.register(market.make_capture_payload()).json()["reference"] for _ in "123"
    )
    report(market, "payments", paid_long_ago, a_payment(1))
    report(market, "cancellation", cancelled, {"reason": "worker_request"}, by="van-1")
    before = {row["reference"]: row for row in listed(market)}

    a_round(stack)
    once = {row["reference"]: row for row in listed(market)}
    a_round(stack)

    assert {row["reference"]: row for row in listed(market)} == once
    assert (once[waiting], once[cancelled]) == (before[waiting], before[cancelled])
    assert (before[paid_long_ago]["status"], once[paid_long_ago]["status"]) == ("active", "lapsed")
    assert once[paid_long_ago]["history"][-1]["client_id"] == "system"


def test_a_registration_goes_from_capture_to_card_to_lapse_and_back(market: Market) -> None:
    capture = market.make_capture_payload(device_sequence=3)
    reference = market.register(capture).json()["reference"]
    code = {"code": "EPS-4711", "amount": 32_800, "expires_on": make_expiry_day()}
    statuses = [
        report(market, what, reference, body, by=by).json()["status"]
        for what, body, by in (
            ("verification", {"result": "mismatch"}, "core"),
            ("verification", {"result": "matched"}, "core"),
            ("payment-code", code, "core"),
            ("payments", {**a_payment(1), "kpj": "21012345678"}, "core"),
        )
    ]
    assert statuses == ["mismatch", "received", "awaiting_payment", "active"]
    refused = report(market, "cancellation", reference, {"reason": "other"}, by="van-1")
    assert (refused.status_code, refused.json()["code"]) == (409, "transition_not_allowed")
    a_round(market.stack)

    again = market.register(market.make_capture_payload(worker={"nik": capture["worker"]["nik"]})).json()

    assert (again["outcome"], again["status"]) == ("reactivated", "received")
    late = report(market, "payments", reference, a_payment(2))
    assert (late.status_code, late.json()["code"]) == (409, "registration_superseded")
    assert recounted(market)["counts"] == {
        "captures": 2, "created": 1, "already_registered": 0, "reactivated": 1, "refused": 0, "registered": 2
    }  # fmt: skip
    assert market.register(capture).json()["reference"] == reference


def test_gaps_list_the_captures_of_a_device_that_have_not_arrived(market: Market) -> None:
    for sequence in (1001, 1002, 1005):
        market.register(market.make_capture_payload(device_sequence=sequence), caller="van-2")
    owed = market.stack.send("van-2", "GET", "/v1/clients/van-2/gaps").json()["missing"]
    assert {"first": 1003, "last": 1004} in owed
    assert not any(each["first"] <= number <= each["last"] for each in owed for number in (1001, 1002, 1005))
