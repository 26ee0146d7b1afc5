"""The bill that `make cost` prints, from the counts of operations and dated prices."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from bench.cost.bill import Prices, count_campaign_day, count_items, count_recount, sum_dollars, to_dollars
from bench.cost.counts import load_counts
from bench.cost.judgement import judge_costs

PRICES = Prices.load()
CHECKED = date.fromisoformat(PRICES.checked)


def with_price(item: str, dollars: float) -> Prices:
    """Return the prices with another one for an item."""
    return replace(PRICES, dollars={**PRICES.dollars, item: dollars})


def test_every_item_that_is_counted_has_a_price_or_is_free() -> None:
    # Requests to DynamoDB and SQS are billed as units and chunks, those of SMS as parts.
    free = {"dynamodb.requests", "sqs.requests", "pinpoint-sms-voice-v2.requests"}
    counted = {name for counts in load_counts().values() for name in counts}
    priced = {*PRICES.dollars, "dynamodb.index_write_units"}
    assert counted <= priced | free


def test_every_operation_has_a_price_above_nothing() -> None:
    for operation in load_counts():
        assert sum_dollars(count_items(operation, PRICES), PRICES) > 0, operation


def test_writes_to_indexes_cost_as_much_as_those_to_tables() -> None:
    counts = load_counts()["register_by_an_officer"]
    items = count_items("register_by_an_officer", PRICES)
    units = counts["dynamodb.write_units"] + counts["dynamodb.index_write_units"]
    assert items["dynamodb.write_units"] == units


def test_a_count_grows_with_the_day_by_what_its_rows_take() -> None:
    units = [count_recount(size, PRICES)["dynamodb.read_units"] for size in (1_000, 2_000, 3_000)]
    assert units[1] - units[0] == pytest.approx(units[2] - units[1])
    assert units[0] < units[1]


def test_each_registration_of_a_day_pays_for_one_sms() -> None:
    day = count_campaign_day(1_000, PRICES)
    assert day["sms.parts"] == 1_000
    dollars = to_dollars(day, PRICES)
    assert dollars["sms.parts"] * PRICES.rupiah_a_dollar == pytest.approx(350_000)
    assert sum(dollars.values()) > dollars["sms.parts"]


def test_ten_times_the_registrations_cost_about_ten_times_as_much() -> None:
    small, large = (sum_dollars(count_campaign_day(size, PRICES), PRICES) for size in (1_000, 10_000))
    assert large / small == pytest.approx(10, rel=0.01)


def test_a_reminder_pays_for_one_sms_and_for_two_runs_of_its_function() -> None:
    reminder, confirmation = (
        count_items(name, PRICES) for name in ("send_a_reminder", "send_a_confirmation")
    )
    assert reminder["sms.parts"] == confirmation["sms.parts"] == 1
    for item in ("lambda.requests", "lambda.gb_seconds", "logs.gb"):
        assert reminder[item] == pytest.approx(2 * confirmation[item])


def test_the_bill_of_today_passes_its_gates() -> None:
    assert [
        gate
        for gate in judge_costs(count_campaign_day(1_000, PRICES), PRICES, today=CHECKED)
        if not gate.has_passed
    ] == []


@pytest.mark.parametrize(
    ("prices", "today", "gate"),
    [
        (with_price("dynamodb.write_units", 0.0001), CHECKED, "all but SMS, beside the SMS"),
        (PRICES, CHECKED + timedelta(days=366), "age of the prices"),
    ],
)
def test_a_dearer_unit_and_old_prices_fail_their_own_gates(prices: Prices, today: date, gate: str) -> None:
    gates = judge_costs(count_campaign_day(1_000, prices), prices, today=today)
    assert [each.name for each in gates if not each.has_passed] == [gate]
