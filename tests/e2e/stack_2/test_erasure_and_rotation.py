"""One person's data on the packaged stack: erased, counted as before, and sealed anew while all runs."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.clock import Clock, utc_now
from chalicelib.crypto.encryption import read_key_id
from ops.errors import OperationError
from ops.key_rotation import MIN_KEPT_PERIOD, KeyRotation, RotationResult
from tests.support.isolated_campaign import DAY, await_pipeline_idle, open_market
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack
from tests.support.stack_contents import in_the_logs, in_the_queues, in_the_tables

pytestmark = pytest.mark.e2e

COUNTED = ("counts", "by_channel", "by_client", "by_occupation")


def make_data_request(stack: RunningStack, act: str, number: int, nik: str) -> dict[str, Any]:
    body = {"request_id": f"0192f3a1-7c00-7000-8000-{number:012d}", "nik": nik, "reason": "worker_request"}
    answer = stack.send("admin", "POST", f"/v1/{act}", body)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    told: dict[str, Any] = answer.json()
    return told


def test_an_erased_person_is_gone_from_every_table_queue_and_export_and_the_day_counts_the_same(
    stack: RunningStack,
) -> None:
    market = open_market(stack)
    day = f"/v1/campaigns/{market.campaign_id}/summaries/{DAY}"
    listed = f"/v1/registrations?campaign_id={market.campaign_id}&day={DAY}"
    capture, other = market.make_capture_payload(), market.make_capture_payload()
    by_bot = {**market.make_capture_payload(), "worker": capture["worker"]}
    reference = market.register(capture).json()["reference"]
    assert market.register(by_bot, caller="bot").status_code == 202
    staying = market.register(other).json()["reference"]
    market.await_sms(reference)
    await_pipeline_idle(stack)
    before = stack.send("manager", "POST", day).json()
    held = make_data_request(stack, "disclosures", 1, capture["worker"]["nik"])
    assert (len(held["registrations"]), len(held["captures"]), len(held["texts"])) == (1, 2, 1)

    erased = make_data_request(stack, "erasures", 2, capture["worker"]["nik"])

    assert (erased["outcome"], erased["registrations"], erased["captures"]) == ("erased", 1, 2)
    await_pipeline_idle(stack)
    after = stack.send("manager", "POST", day).json()
    assert {name: after[name] for name in COUNTED} == {name: before[name] for name in COUNTED}
    assert before["counts"]["captures"] == 3
    kept = [text for read in (in_the_tables, in_the_queues) for text in read(stack)]
    gone = (reference, capture["worker"]["nik"], capture["worker"]["phone"][-9:])
    assert not [text for text in kept if any(value in text for value in gone)]
    assert not [line for line in in_the_logs(stack) if capture["worker"]["nik"] in line]
    rows = stack.send("core", "GET", listed).json()["registrations"]
    assert [row["reference"] for row in rows] == [staying]
    assert stack.send("core", "GET", f"/v1/registrations/{reference}").status_code == 404
    assert (
        make_data_request(stack, "disclosures", 3, capture["worker"]["nik"])["request"]["outcome"]
        == "nothing_held"
    )
    again = market.register(capture)
    assert (again.status_code, again.json()["code"]) == (410, "capture_forgotten")
    assert market.register(by_bot, caller="bot").status_code == 202
    assert make_data_request(stack, "disclosures", 4, capture["worker"]["nik"])["registrations"] == []


def keys_in_use(stack: RunningStack) -> set[str]:
    """The keys that any value of any table is sealed under."""
    dynamodb, outputs = stack.aws_client("dynamodb"), stack.description.outputs
    found = set()
    for table in (outputs["RegistrationsTableName"], outputs["CampaignsTableName"]):
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                sealed = [item[name]["B"] for name in ("answer", "money", "managers") if name in item]
                sealed += [each["B"] for each in item.get("sealed", {"M": {}})["M"].values()]
                found |= set(map(read_key_id, sealed))
    return found


def dirty_days(stack: RunningStack, campaign_id: str) -> list[str]:
    """How often each day of a campaign was marked to be counted again."""
    items = stack.aws_client("dynamodb").query(
        TableName=stack.description.outputs["SummariesTableName"],
        KeyConditionExpression="pk = :dirty",
        ExpressionAttributeValues={":dirty": {"S": "DIRTY"}},
    )["Items"]
    return sorted(json.dumps(item) for item in items if item["campaign_id"]["S"] == campaign_id)


def ended(rotation: KeyRotation) -> RotationResult | None:
    """What a rotation came to; none where values kept coming in and it says to run it again."""
    try:
        return rotation.rotate()
    except OperationError:
        return None


def test_the_field_key_is_changed_while_the_stack_runs(stack: RunningStack) -> None:
    settled, busy = open_market(stack), open_market(stack)
    capture = settled.make_capture_payload()
    first = settled.register(capture)
    reference = first.json()["reference"]
    settled.await_sms(reference)
    await_pipeline_idle(stack)
    marked, told = dirty_days(stack, settled.campaign_id), len(settled.find_sms(reference))
    rotation = make_rotation(stack)

    with ThreadPoolExecutor(1) as threads:
        registering = threads.submit(lambda: [busy.register(busy.make_capture_payload()) for _ in range(15)])
        rotated = wait_until("the rotation to end", lambda: ended(rotation))
        meanwhile = registering.result()

    assert {answer.status_code for answer in meanwhile} == {201}
    # Every function meets a value under the new key, and seals under it from then on.
    shown = stack.send("core", "GET", f"/v1/registrations/{reference}").json()
    assert shown["worker"]["nik"] == capture["worker"]["nik"]
    replay = settled.register(capture)
    assert (replay.content, replay.headers["Idempotent-Replayed"]) == (first.content, "true")
    for answer in meanwhile:
        path = f"/v1/registrations/{answer.json()['reference']}"
        assert stack.send("core", "GET", path).status_code == 200
    assert rotated is not None
    assert rotation.rotate().current_key_id == rotated.current_key_id
    assert keys_in_use(stack) == {rotated.current_key_id}
    await_pipeline_idle(stack)
    assert dirty_days(stack, settled.campaign_id) == marked
    assert len(settled.find_sms(reference)) == told
    retire_and_take_back(stack, rotated)


def retire_and_take_back(stack: RunningStack, rotated: RotationResult) -> None:
    """Retire the older keys, as at the time when it is allowed, and take them back, while people register."""
    market = open_market(stack)
    rotation = make_rotation(stack, lambda: rotated.retirable_at)

    retired = rotation.retire(kept_for=MIN_KEPT_PERIOD)

    assert retired.retired_key_ids == rotated.older_key_ids
    reference = market.register(market.make_capture_payload()).json()["reference"]
    market.await_sms(reference)
    for key_id in retired.retired_key_ids:
        rotation.reinstate(key_id)
    assert stack.send("core", "GET", f"/v1/registrations/{reference}").status_code == 200
    assert keys_in_use(stack) == {rotated.current_key_id}


def make_rotation(stack: RunningStack, clock: Clock = utc_now) -> KeyRotation:
    return KeyRotation(
        outputs=stack.description.outputs,
        aws_client=stack.local_stack.emulator.make_client,
        clock=clock,
        on_progress=lambda step: None,
    )
