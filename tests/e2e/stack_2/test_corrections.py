"""Corrections on the packaged stack: the right phone, the counted day, nothing left behind, and races."""

from collections import Counter
from itertools import count
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.isolated_campaign import (
    DAY,
    Market,
    await_pipeline_idle,
    call_concurrently,
    open_market,
)
from tests.support.payloads import make_capture_id
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack
from tests.support.stack_contents import in_the_logs, in_the_queues, in_the_tables

pytestmark = pytest.mark.e2e

# Apart from those of captures.
_IDS = count(900_000)


def correct(market: Market, reference: str, caller: str = "manager", **fields: Any) -> httpx.Response:
    body = {"correction_id": make_capture_id(next(_IDS)), "fields": fields, "reason": "salah ketik"}
    return market.stack.send(caller, "POST", f"/v1/registrations/{reference}/corrections", body)


def find_sms_to(stack: RunningStack, phone: str) -> list[dict[str, Any]]:
    digits = phone.replace("-", "").lstrip("0")
    return [each for each in stack.list_sms() if each["to"].endswith(digits)]


def count_day(market: Market) -> dict[str, Any]:
    path = f"/v1/campaigns/{market.campaign_id}/summaries/{DAY}"
    counted: dict[str, Any] = market.stack.send("manager", "POST", path).json()
    return counted


def ask_about(stack: RunningStack, act: str, nik: str) -> dict[str, Any]:
    answer = stack.send(
        "admin", "POST", f"/v1/{act}", {"request_id": make_capture_id(next(_IDS)), "nik": nik}
    )
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def test_a_corrected_phone_gets_one_sms_and_the_day_is_counted_again_and_nothing_stays_after_an_erasure(
    stack: RunningStack,
) -> None:
    market = open_market(stack)
    capture, right = market.make_capture_payload(), market.make_capture_payload()["worker"]
    wrong = capture["worker"]
    reference = market.register(capture).json()["reference"]
    market.await_sms(reference)
    count_day(market)

    corrected = correct(
        market, reference, phone=right["phone"], nik=right["nik"], occupations=["ojek_driver"], name="Mawar"
    )

    assert (corrected.status_code, corrected.json()["correction"]["state"]) == (200, "applied")
    wait_until("the SMS to the right phone", lambda: find_sms_to(stack, right["phone"]))
    await_pipeline_idle(stack)
    (sms,) = find_sms_to(stack, right["phone"])
    assert reference in sms["text"]
    assert len(find_sms_to(stack, wrong["phone"])) == 1
    summary = count_day(market)
    assert (summary["version"], summary["by_occupation"]) == (2, {"ojek_driver": 1})
    assert {"figure": "corrections.total", "was": 0, "now": 1} in summary["changes"]
    page = f"/v1/campaigns/{market.campaign_id}/summaries/{DAY}?format=html&language=en"
    assert "recorded data was corrected: 1 times" in stack.send("manager", "GET", page).text

    values = [wrong["nik"], right["nik"], wrong["phone"][-9:], right["phone"][-9:], "salah ketik"]
    values += [each.replace("-", "") for each in values[2:4]]
    assert not [line for line in in_the_logs(stack) if any(value in line for value in values)]
    assert ask_about(stack, "erasures", right["nik"])["outcome"] == "erased"
    kept = [text for read in (in_the_tables, in_the_queues) for text in read(stack)]
    assert not [text for text in kept if any(value in text for value in values)]


def test_after_a_death_no_sms_goes_out(stack: RunningStack) -> None:
    market = open_market(stack)
    capture = market.make_capture_payload()
    reference = market.register(capture).json()["reference"]
    market.await_sms(reference)

    ended = stack.send("core", "POST", f"/v1/registrations/{reference}/cancellation", {"reason": "deceased"})
    await_pipeline_idle(stack)

    assert ended.json()["status"] == "deceased"
    assert len(find_sms_to(stack, capture["worker"]["phone"])) == 1
    assert (count_day(market)["counts"]["registered"], count_day(market)["funnel"]["deceased"]) == (1, 1)


ACTIONS = ("correct phone", "correct name", "pay", "move", "capture of the right NIK", "capture of the wrong")


def normalise(value: str) -> str:
    """Return a name in capitals, or the digits of a phone without its prefix."""
    return value.replace("-", "").removeprefix("+62").removeprefix("0").upper()


class Race:
    """A worker registered under a wrong NIK, and what is done about it at once."""

    def __init__(self, stack: RunningStack) -> None:
        self.stack = stack
        self.market = open_market(stack)
        self.capture = self.market.make_capture_payload()
        self.wrong_nik: str = self.capture["worker"]["nik"]
        self.right_nik: str = self.market.make_capture_payload()["worker"]["nik"]
        self.reference: str = self.market.register(self.capture).json()["reference"]

    def act(self, action: str, number: int) -> httpx.Response:
        """Send the request of an action; each number has another value."""
        match action:
            case "correct phone":
                return correct(self.market, self.reference, phone=self.get_value(action, number))
            case "correct name":
                return correct(self.market, self.reference, name=self.get_value(action, number))
            case "move":
                return correct(self.market, self.reference, nik=self.right_nik)
            case "pay":
                paid_at = f"{DAY}T13:00:00+07:00"
                payment = {
                    "payment_id": f"{self.reference}-1",
                    "amount": 98_400,
                    "months": 3,
                    "paid_at": paid_at,
                }
                path = f"/v1/registrations/{self.reference}/payments"
                return self.stack.send("core", "POST", path, payment)
        nik = self.right_nik if action == "capture of the right NIK" else self.wrong_nik
        return self.market.register(self.market.make_capture_payload(worker={"nik": nik}))

    def get_value(self, action: str, number: int) -> str:
        """Return the value that a correction asks for."""
        return f"0824-5552-{number:04d}" if action == "correct phone" else "Mawar " + "ABCDEFGHIJ"[number]

    def show(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.stack.send("core", "GET", f"/v1/registrations/{self.reference}").json()
        return shown


def assert_values_are_those_of_applied_corrections(
    race: Race, actions: list[str], answers: list[httpx.Response]
) -> None:
    """Check that each value is one that was applied, or the first one if none was."""
    worker, recorded = race.show()["worker"], race.capture["worker"]
    for field, action in (("phone", "correct phone"), ("name", "correct name")):
        applied = {
            race.get_value(action, number)
            for number, (each, answer) in enumerate(zip(actions, answers, strict=True))
            if each == action and answer.json().get("correction", {}).get("state") == "applied"
        }
        assert normalise(worker[field]) in {normalise(each) for each in applied or {recorded[field]}}, field


# The races that must be among them whatever is drawn, each several times at once.
@example(actions=["correct phone", "correct name"] * 3)
@example(actions=["correct phone", "pay"] * 2)
@example(actions=["move", "capture of the right NIK"] * 2)
@given(actions=st.lists(st.sampled_from(ACTIONS), min_size=3, max_size=8))
@settings(max_examples=3, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_done_at_once_nothing_is_lost_and_each_worker_has_one_open_registration(
    stack: RunningStack, actions: list[str]
) -> None:
    race = Race(stack)

    answers = call_concurrently(len(actions), lambda number: race.act(actions[number], number))

    assert {each.status_code for each in answers} <= {200, 201, 202, 409}, [each.text for each in answers]
    shown = race.show()
    events = [each["event"] for each in shown["history"]]
    states = Counter(each.json()["correction"]["state"] for each in answers if "correction" in each.json())
    path = f"/v1/registrations/{race.reference}/corrections"
    recorded = stack.send("core", "GET", path).json()["corrections"]
    assert Counter(each["state"] for each in recorded) == states - Counter(unchanged=states["unchanged"])
    assert events.count("corrected") == states["applied"]
    assert events.count("paid") == ("pay" in actions)
    if "paid" in events:
        assert "corrected" not in events[events.index("paid") :]
    assert_values_are_those_of_applied_corrections(race, actions, answers)
    people = {nik: ask_about(stack, "disclosures", nik) for nik in (race.wrong_nik, race.right_nik)}
    for nik, told in people.items():
        open_ones = [each for each in told["registrations"] if each["status"] in {"received", "active"}]
        assert len(open_ones) <= 1, nik
    held_by = [
        nik
        for nik, told in people.items()
        if race.reference in [each["reference"] for each in told["registrations"]]
    ]
    assert held_by == [shown["worker"]["nik"]]
    taken = [each for each, action in zip(answers, actions, strict=True) if action.startswith("capture")]
    assert sum(len(told["captures"]) for told in people.values()) == 1 + len(taken)
    outcomes = Counter(each.json()["outcome"] for each in taken)
    assert outcomes["created"] == sum(len(told["registrations"]) for told in people.values()) - 1
