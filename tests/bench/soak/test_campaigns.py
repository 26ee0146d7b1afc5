"""Several campaigns as one load: their turns, and what is left of all of them."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bench.load.books import Settlement, SmsFaults
from bench.soak.campaigns import merge_settlements, plan_turns
from tests.support.settlements import SETTLED


@given(st.lists(st.integers(0, 50), min_size=1, max_size=6), st.integers(1, 20))
def test_the_turns_of_each_campaign_come_to_what_is_left_of_it(left: list[int], batch_size: int) -> None:
    turns = list(plan_turns(left, batch_size))

    assert all(0 < size <= batch_size for _, size in turns)
    totals: Counter[int] = Counter()
    for number, size in turns:
        totals[number] += size
    assert [totals[number] for number in range(len(left))] == left


def test_campaigns_take_turns() -> None:
    assert [number for number, _ in plan_turns([4, 2, 6], 2)] == [0, 1, 2, 0, 2, 2]


def test_what_is_left_of_any_campaign_is_left() -> None:
    one = replace(SETTLED, sms=SmsFaults(without=1, repeated=2, unexpected=3), dead_letters=4)
    other = replace(one, unsettled_sms=5, summary_differences=["counts.created: 1 and not 2"])

    assert merge_settlements([one, SETTLED, other]) == Settlement(
        sms=SmsFaults(without=2, repeated=4, unexpected=6),
        unsettled_sms=5,
        dead_letters=4,
        summary_differences=["counts.created: 1 and not 2"],
        recount_differences=[],
    )
