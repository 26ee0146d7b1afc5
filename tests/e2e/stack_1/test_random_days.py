"""A random scenario is sent in, and the stack's summaries are compared with an independent recount.

The recount knows what was sent and answered, and nothing of how the stack counts.
DAFTAR_SCENARIO_STEPS sets the length of the scenario, DAFTAR_SCENARIO_SEED its seed.
"""

import json
import os
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from tests.e2e.stack_1.market_scenario import DAYS, SPONSORS, Scenario
from tests.support.isolated_campaign import Market, await_pipeline_idle, open_market
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

STEPS = int(os.environ.get("DAFTAR_SCENARIO_STEPS", "160"))
SEED = int(os.environ.get("DAFTAR_SCENARIO_SEED", "4711"))


# What of a summary the recount knows to the last one. Texts are on their way while it is made.
TOLD = (
    *("counts", "by_channel", "by_client", "by_occupation", "by_officer", "by_programme", "by_sex"),
    *("by_age", "by_hour", "by_sponsor", "refused_by_reason", "funnel", "money"),
)


def counted(market: Market, day: str, version: int | None = None) -> dict[str, Any]:
    """What the stack says of a day, in the terms of the recount; without counting."""
    asked = "" if version is None else f"?version={version}"
    path = f"/v1/campaigns/{market.campaign_id}/summaries/{day}{asked}"
    answer = market.stack.send("manager", "GET", path)
    assert answer.status_code == 200, answer.text
    summary: dict[str, Any] = answer.json()
    return summary


def to_recount_form(summary: dict[str, Any]) -> dict[str, Any]:
    oddities = [
        (each["pattern"], each["client_id"] or each["sponsor_id"] or "", each["workers"])
        for each in summary["oddities"]
        # What is unusual of a client comes from all that it did today, in other tests too.
        if each["pattern"] not in {"client_above_peers", "client_unusual"}
    ]
    without_phone = summary["texts"]["without_phone"]
    told = {name: summary[name] for name in TOLD}
    return {**told, "without_phone": without_phone, "oddities": sorted(oddities)}


@pytest.fixture(scope="module")
def scenario(stack: RunningStack) -> Scenario:
    """A story that was told to its end, with ticks in between, and one tick after all was announced."""
    market = open_market(stack)
    path = f"/v1/campaigns/{market.campaign_id}"
    assert stack.send("manager", "PATCH", path, {"sponsors": SPONSORS}).status_code == 200
    told = Scenario(market=market, chance=Random(SEED))  # noqa: S311 - the same story each time
    told.run(STEPS // 2)
    told.register_run(6)
    told.run(STEPS - STEPS // 2)
    await_pipeline_idle(stack)
    told.fire_hourly_run()
    return told


def test_the_scenario_covers_every_kind_of_event(scenario: Scenario) -> None:
    taken = scenario.sent_captures.values()
    assert {each.outcome for each in taken} == {"created", "already_registered", "reactivated", "refused"}
    assert {each.status for each in scenario.applied} >= {
        "received",
        "awaiting_payment",
        "active",
        "cancelled",
    }
    assert any(each.is_erased and each.paid for each in scenario.applied)
    assert any(each.over_flag for each in taken)
    assert any(each.is_over_quota for each in taken)
    assert any(each.person.phone is None and each.outcome == "created" for each in taken)
    assert "neighbouring_serials" in str([scenario.recount(day) for day in DAYS])


@pytest.mark.parametrize("day", DAYS)
def test_a_day_finally_counts_what_was_sent_whatever_the_order_of_events(
    scenario: Scenario, day: Any
) -> None:
    assert to_recount_form(counted(scenario.market, day)) == scenario.recount(day), f"seed {SEED}"


@pytest.mark.parametrize("day", DAYS)
def test_every_version_stays_readable_and_its_changes_and_notes_lead_to_the_next(
    scenario: Scenario, day: Any
) -> None:
    newest = counted(scenario.market, day)
    versions = [counted(scenario.market, day, number) for number in range(1, newest["version"] + 1)]

    assert versions[-1]["content_hash"] == newest["content_hash"]
    assert len(versions) > 2
    for before, after in pairwise(versions):
        assert before["content_hash"] != after["content_hash"]
        registered = after["counts"]["registered"] - before["counts"]["registered"]
        assert sum(note["difference"] for note in after["notes"]) == registered
        for change in after["changes"]:
            group, _, name = change["figure"].partition(".")
            if group != "texts":
                assert (change["was"], change["now"]) == (
                    before[group].get(name, 0),
                    after[group].get(name, 0),
                )


@pytest.mark.parametrize("day", DAYS)
def test_a_recount_of_an_unchanged_day_writes_nothing_and_is_identical(scenario: Scenario, day: Any) -> None:
    path = f"/v1/campaigns/{scenario.market.campaign_id}/summaries/{day}"
    first = scenario.market.stack.send("manager", "POST", path)
    scenario.fire_hourly_run()

    assert scenario.market.stack.send("manager", "POST", path).content == first.content
    assert scenario.market.stack.send("manager", "GET", path).content == first.content


def test_each_cancellation_is_told_once_and_only_of_a_cancelled_registration(scenario: Scenario) -> None:
    market = scenario.market
    told = [
        sms["text"].partition("No. daftar ")[2][:11]
        for sms in market.stack.list_sms()
        if sms["context"].get("campaign_id") == market.campaign_id and "dibatalkan" in sms["text"]
    ]
    assert told
    assert len(told) == len(set(told)), f"seed {SEED}"
    not_cancelled = {each.reference for each in scenario.applied if each.status != "cancelled"}
    assert not not_cancelled & set(told), f"seed {SEED}"


def test_the_days_are_listed_with_what_they_came_to(scenario: Scenario) -> None:
    path = f"/v1/campaigns/{scenario.market.campaign_id}/summaries"
    listed = scenario.market.stack.send("manager", "GET", path).json()["days"]

    shown = [counted(scenario.market, day) for day in DAYS]
    assert [(each["day"], each["version"], each["content_hash"], each["created"]) for each in listed] == [
        (each["day"], each["version"], each["content_hash"], each["counts"]["created"]) for each in shown
    ]
    for count in ("created", "registered"):
        assert [each[count] for each in listed] == [each["counts"][count] for each in shown]
        assert shown[1]["progress"][count] == sum(each["counts"][count] for each in shown)


def test_facts_for_counting_reveal_no_amount(scenario: Scenario) -> None:
    name = scenario.market.stack.description.outputs["RegistrationsTableName"]
    pages = scenario.market.stack.aws_client("dynamodb").get_paginator("scan").paginate(TableName=name)
    kept = json.dumps([item for page in pages for item in page["Items"]], default=str)

    amounts = {
        str(amount) for each in scenario.applied for amount in (each.quoted, each.paid) if amount > 9_999
    }
    assert amounts
    assert not [amount for amount in amounts if f'"{amount}"' in kept]
