"""The example market day on the packaged stack: what its README says comes of it, each time it is sent."""

from collections import Counter
from typing import Any

import pytest

from tests.e2e.stack_1.example.conftest import DAYS, EXPECTED, EXPECTED_IN_ORDER, MarketDay
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

# The generator's words for what it has done to a capture, and ours for what is wrong with it.
REFUSED_AS = {
    "nik_date": "nik_birth_date",
    "nik_province": "nik_province",
    "nik_serial": "nik_serial",
    "nik_too_long": "nik_length",
    "nik_too_short": "nik_length",
    "phone_landline": "phone_not_mobile",
    "phone_too_short": "phone_malformed",
}


def refusals() -> Counter[str]:
    counted: Counter[str] = Counter()
    for reason, number in EXPECTED["refused"]["by_reason"].items():
        counted[REFUSED_AS[reason]] += number
    return counted


def test_every_line_is_answered_as_the_example_says(market_day: MarketDay) -> None:
    assert market_day.outcomes == Counter(
        created=EXPECTED["workers"],
        already_registered=EXPECTED["already_registered"],
        replayed=EXPECTED["replays"],
        capture_reused=EXPECTED["conflicts"],
        **refusals(),
    )
    assert market_day.outcomes.total() == EXPECTED["sends"]["total"]


@pytest.mark.parametrize("day", DAYS)
def test_the_days_summary_is_what_the_example_says(market_day: MarketDay, day: Any) -> None:
    expected, summary = EXPECTED_IN_ORDER["days"][day], market_day.summaries[day]

    registered = expected["counts"]["created"]
    assert summary["counts"] == {**expected["counts"], "reactivated": 0, "registered": registered}
    for breakdown in ("by_channel", "by_client", "by_occupation"):
        assert summary[breakdown] == expected[breakdown], breakdown
    assert summary["state"] == "final"


def test_every_registration_sent_one_sms(market_day: MarketDay) -> None:
    told = Counter(text["context"]["sms_id"] for text in market_day.sms)

    assert len(market_day.sms) == EXPECTED["texts"] == len(market_day.phone_by_reference)
    assert set(told.values()) == {1}


def test_every_sms_went_to_the_phone_of_its_worker(market_day: MarketDay) -> None:
    told = [(text["to"], text["text"]) for text in market_day.sms]

    for reference, phone in market_day.phone_by_reference.items():
        (body,) = (body for to, body in told if to == phone and reference in body)
        assert body.startswith("BPJAMSOSTEK: ")


def test_sent_again_nothing_is_created(market_day: MarketDay, repeated_market_day: MarketDay) -> None:
    answered = market_day.outcomes
    accepted = answered["created"] + answered["already_registered"] + answered["replayed"]

    assert repeated_market_day.outcomes == Counter(
        replayed=accepted, capture_reused=answered["capture_reused"], **refusals()
    )


def test_sent_again_the_summaries_stay_as_they_are(
    market_day: MarketDay, repeated_market_day: MarketDay
) -> None:
    assert repeated_market_day.summaries == market_day.summaries


def test_sent_again_no_sms_is_sent_again(
    stack: RunningStack, market_day: MarketDay, repeated_market_day: MarketDay
) -> None:
    ours = {text["context"]["sms_id"] for text in market_day.sms}
    now = [text for text in stack.list_sms() if text["context"].get("sms_id") in ours]

    assert now == market_day.sms
