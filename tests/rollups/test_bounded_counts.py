"""A day with more devices and officers than a summary names: the first ones, and the others together."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.http.pagination import Position
from chalicelib.registrations.captures import DayFact, Outcome
from chalicelib.registrations.model import Flag
from chalicelib.rollups.bounded_counter import MAX_KEYS, OTHERS, BoundedCounter
from chalicelib.rollups.counting import AnomalyThresholds, DayCounter
from chalicelib.rollups.model import Tally
from chalicelib.rollups.renderings.i18n import Localizer
from tests.rollups.test_day_counts import A_PORTER
from tests.support.day_tally import count_facts

OPENED = datetime(2024, 10, 9, 1, tzinfo=UTC)
MORE = MAX_KEYS + 50


def make_crowded_day(number: int = MORE) -> list[DayFact]:
    """Return a new worker and a differing repeat of each of `number` devices, with an officer each."""
    numbers = count()
    porters = [
        replace(
            A_PORTER,
            client_id=f"van-{each:04}",
            officer=f"ofc-{each:04}",
            outcome=outcome,
            flags=(Flag.PHONE_BUSY,),
            differs=("name",) if outcome is Outcome.ALREADY_REGISTERED else (),
            neighbours=("abc", f"{each % 4096:03x}"),
        )
        for each in range(number)
        for outcome in (Outcome.CREATED, Outcome.ALREADY_REGISTERED)
    ]
    return [
        DayFact(Position(f"{place:06}"), porter, OPENED + timedelta(seconds=place))
        for place, porter in zip(numbers, porters, strict=False)
    ]


@pytest.fixture(scope="module")
def tally() -> Tally:
    return count_facts(make_crowded_day(), AnomalyThresholds())


@pytest.mark.parametrize("group", ["by_client", "by_officer"])
def test_a_breakdown_names_the_first_and_adds_up_the_others(tally: Tally, group: str) -> None:
    cells = getattr(tally, group)

    assert len(cells) == MAX_KEYS + 1
    assert cells[OTHERS] == MORE - MAX_KEYS
    assert sum(cells.values()) == tally.counts.created == MORE


def test_arrivals_and_anomalies_are_bounded_and_name_no_device_that_does_not_exist(tally: Tally) -> None:
    patterns = Counter(anomaly.pattern for anomaly in tally.oddities)

    assert len(tally.arrivals) == MAX_KEYS
    assert patterns == {"one_phone_many_workers": MAX_KEYS + 1, "repeats_differ": MAX_KEYS + 1}
    others = [anomaly.workers for anomaly in tally.oddities if anomaly.client_id is None]
    assert others == [MORE - MAX_KEYS] * 2
    assert OTHERS not in {anomaly.client_id for anomaly in tally.oddities}


def test_a_count_that_is_resumed_has_the_same_figures(tally: Tally) -> None:
    facts = make_crowded_day()
    counter = DayCounter(AnomalyThresholds())
    for fact in facts[: 2 * MAX_KEYS + 7]:
        counter.add(fact)

    resumed = DayCounter.resume(counter.dump_state(), AnomalyThresholds())
    for fact in facts[2 * MAX_KEYS + 7 :]:
        resumed.add(fact)

    assert resumed.to_tally() == tally


@pytest.mark.parametrize(
    ("group", "label"), [("by_client", "Lainnya"), ("by_officer", "Lainnya"), ("by_received_day", "Lainnya")]
)
def test_the_others_have_a_label(group: str, label: str) -> None:
    assert Localizer("id").get_cell_label(group, OTHERS) == label
    assert Localizer("en").get_cell_label(group, OTHERS) == "Others"


@given(keys=st.lists(st.integers(0, 2 * MAX_KEYS).map(str), max_size=3 * MAX_KEYS))
def test_a_bounded_counter_loses_nothing_and_keeps_the_first_keys(keys: list[str]) -> None:
    one_by_one, at_once = BoundedCounter(), BoundedCounter()
    for key in keys:
        one_by_one[key] += 1
    at_once.update(keys)

    assert one_by_one == at_once
    assert at_once.total() == len(keys)
    first = list(dict.fromkeys(keys))[:MAX_KEYS]
    assert {key: at_once[key] for key in first} == {key: Counter(keys)[key] for key in first}
    assert at_once.keys() <= {*first, OTHERS}
