"""On the packaged stack: a van takes over what a bot of another campaign registered."""

from typing import Any

import pytest

from tests.support.isolated_campaign import DAY, Market, await_pipeline_idle, open_market
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e


def count(market: Market) -> dict[str, Any]:
    path = f"/v1/campaigns/{market.campaign_id}/summaries/{DAY}"
    counted: dict[str, Any] = market.stack.send("manager", "POST", path).json()
    return counted


def list_patterns(summary: dict[str, Any]) -> list[str]:
    return [each["pattern"] for each in summary["oddities"]]


def test_a_van_takes_over_and_the_earlier_phone_hears_nothing_of_it(stack: RunningStack) -> None:
    squatters, vans = open_market(stack), open_market(stack)
    by_bot, by_van = squatters.make_capture_payload(), vans.make_capture_payload()
    by_van["worker"]["nik"] = by_bot["worker"]["nik"]
    digits = by_bot["worker"]["phone"].replace("-", "").lstrip("0")

    def list_sms_to_the_earlier_phone() -> list[dict[str, Any]]:
        return [each for each in stack.list_sms() if each["to"].endswith(digits)]

    assert squatters.register(by_bot, caller="bot").status_code == 202
    wait_until("the confirmation to the earlier phone", list_sms_to_the_earlier_phone)
    assert count(squatters)["counts"]["registered"] == 1

    answer = vans.register(by_van)

    assert (answer.status_code, answer.json()["outcome"]) == (201, "reactivated")
    own = vans.await_sms(answer.json()["reference"])
    assert own["to"].endswith(by_van["worker"]["phone"].replace("-", "").lstrip("0"))
    await_pipeline_idle(stack)
    assert len(list_sms_to_the_earlier_phone()) == 1
    path = f"/v1/registrations?campaign_id={squatters.campaign_id}&day={DAY}"
    (earlier,) = stack.send("core", "GET", path).json()["registrations"]
    assert (earlier["status"], earlier["history"][-1]["event"]) == ("cancelled", "taken_over")
    left, gained = count(squatters), count(vans)
    assert (left["counts"]["created"], left["counts"]["registered"]) == (1, 0)
    assert gained["counts"]["registered"] == gained["counts"]["reactivated"] == 1
    assert (list_patterns(left), list_patterns(gained)) == (["taken_over"], ["took_over"])
    assert {"figure": "counts.registered", "was": 1, "now": 0} in left["changes"]
    assert vans.register(by_van).headers["Idempotent-Replayed"] == "true"
    assert squatters.register(by_bot, caller="bot").status_code == 202
