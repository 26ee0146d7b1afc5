"""The national model: heat of partitions, backlogs, limits, and the data that they come from."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.cost.bill import Prices
from bench.cost.counts import load_counts
from bench.model import quotas
from bench.model.backlogs import drain, make_day
from bench.model.designs import name_design
from bench.model.heat import count_place_units, count_units, list_heat
from bench.model.limits import Model, find_relay_limit, list_limits
from bench.model.profile import load_profiles
from bench.model.quotas import load_quotas, load_scenarios, read_stage_limits
from bench.model.times import list_jobs
from infra.warm_throughput import UNITS
from tests.support.moto_tables import read_table_definitions

NATIONAL, TEN_TIMES = load_scenarios()
MODEL = Model(load_profiles(), load_counts(), load_quotas(), read_stage_limits(), Prices.load(), NATIONAL)


def test_every_quota_has_a_source_and_a_confidence() -> None:
    data = json.loads(quotas._QUOTAS_FILE.read_text(encoding="utf-8"))
    assert data["checked"]
    for name, quota in data["quotas"].items():
        assert quota["source"], name
        assert quota["confidence"] in {"high", "medium", "low"}, name


def test_every_written_key_belongs_to_a_table_or_an_index() -> None:
    known = {
        place
        for table, definition in read_table_definitions().items()
        for place in (
            table,
            *(f"{table}.{index['IndexName']}" for index in definition.get("GlobalSecondaryIndexes", ())),
        )
    }
    written = {design.partition(" ")[0] for each in MODEL.profiles.values() for design in each.written}
    assert written <= known


def test_no_id_of_a_test_is_left_in_a_key_design() -> None:
    for operation, profile in MODEL.profiles.items():
        for design in profile.written:
            assert not any(character.isdigit() for character in design), (operation, design)


@pytest.mark.parametrize(
    ("value", "design"),
    [
        ("pasar-1#2024-10-09#3", "{campaign}#{day}#{shard}"),
        ("R#pasar-1#2024-10-09#3", "R#{campaign}#{day}#{shard}"),
        ("pasar-10#2024-10-09#3", "pasar-10#{day}#{shard}"),
        ("REGISTRATION#7K4-M2Q-X9P", "REGISTRATION#{one}"),
        ("CAPTURE#01926f3e-7c00-7000-8000-000000000007", "CAPTURE#{one}"),
        ("CLIENT#van-1", "CLIENT#{client}"),
        ("LINE", "LINE"),
    ],
)
def test_a_key_design_names_what_varies(value: str, design: str) -> None:
    assert name_design("T", value, campaigns=["pasar-1"], clients=["van-1"]) == f"T {design}"


def test_a_key_of_its_own_for_each_record_is_no_hot_partition() -> None:
    assert list_heat(MODEL.profiles, NATIONAL)
    assert not any("{one}" in heat.design for heat in list_heat(MODEL.profiles, NATIONAL))


def test_a_campaign_of_half_the_load_fills_its_partitions_at_twice_the_rate() -> None:
    def find(share: float) -> float:
        load = replace(NATIONAL, values={**NATIONAL.values, "share_of_the_largest_campaign": share})
        heats = {heat.design: heat for heat in list_heat(MODEL.profiles, load)}
        design = "RegistrationsTable.by_campaign_day {campaign}#{day}#{shard}"
        return heats[design].count_registrations(1_000)

    # Eight shards of 1,000 writes, one write a capture.
    assert (find(1.0), find(0.5)) == (8_000, 16_000)


def test_no_units_are_lost_between_operations_and_tables() -> None:
    units = count_units(MODEL.profiles, NATIONAL)
    operations = (
        "publish_a_registration",
        "send_a_confirmation",
        "record_a_receipt",
        "issue_a_payment_code",
        "report_a_payment",
        "register_by_a_bot",
    )
    counted = sum(
        MODEL.counts[each]["dynamodb.write_units"] + MODEL.counts[each]["dynamodb.index_write_units"]
        for each in operations
    )
    # A bot and an officer write the same.
    assert sum(count_place_units(units).values()) == pytest.approx(counted)


@given(
    arrivals=st.lists(st.integers(0, 500), min_size=1, max_size=60),
    rate=st.integers(1, 300),
)
def test_all_that_arrives_is_served_in_its_order(arrivals: list[int], rate: int) -> None:
    result = drain(arrivals, rate)
    last = max((minute for minute, each in enumerate(arrivals) if each), default=0)
    assert result.done_after * rate >= sum(arrivals)
    assert result.done_after >= last
    assert 0 <= result.longest_wait <= result.done_after
    # With a rate above every arrival, nobody waits.
    assert drain(arrivals, 500).longest_wait == 0


def test_a_backlog_waits_as_long_as_what_is_before_it_takes() -> None:
    # 600 come in one minute, 10 are served in each: the last waits 59 minutes.
    result = drain([600], 10)
    assert (result.largest_backlog, result.longest_wait, result.done_after) == (590, 59, 60)


def test_a_day_has_its_peak_and_its_other_hours() -> None:
    day = make_day(NATIONAL)
    assert (len(day), day[0], day[-1]) == (12 * 60, 30_000, 7_500)


def test_sms_are_what_breaks_first() -> None:
    first = list_limits(MODEL)[0]
    assert first.part.startswith("SMS")
    assert first.registrations_a_second == MODEL.stage.parameters["SmsPartsASecond"]


def test_the_stream_of_a_new_table_is_published_at_the_rate_of_a_national_day() -> None:
    assert find_relay_limit(MODEL).registrations_a_second > NATIONAL.registrations_a_second


def test_warm_throughput_covers_what_a_registration_writes_and_little_more() -> None:
    for place, units in count_place_units(count_units(MODEL.profiles, NATIONAL)).items():
        if units * TEN_TIMES.registrations_a_second / 10 > 4_000 / 4:
            assert units <= UNITS[place] <= units * 1.3 + 1, place


def test_ten_times_the_load_takes_no_less_time() -> None:
    small = {job.name: job.needed for job in list_jobs(MODEL)}
    large = {job.name: job.needed for job in list_jobs(replace(MODEL, load=TEN_TIMES))}
    assert small.keys() == large.keys()
    assert all(large[name] >= needed for name, needed in small.items())


def test_runs_side_by_side_are_in_time_on_a_national_day_where_one_is_not() -> None:
    fits = {job.name: job.fits for job in list_jobs(MODEL) if " in " in job.name and "run" in job.name}
    assert fits == {
        "Hourly count of 10,000 small days in one run": False,
        "Hourly count of 10,000 small days in 8 runs side by side": True,
        "Hourly count of 30,000 small days in 8 runs side by side": True,
        "Expiry and deletion of a day's registrations in one run": False,
        "Expiry and deletion of a day's registrations in 8 runs side by side": True,
    }
