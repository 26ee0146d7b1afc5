"""The figures of a campaign day, counted without interruption."""

from collections.abc import Iterable

from chalicelib.registrations.captures import DayFact
from chalicelib.rollups.counting import AnomalyThresholds, DayCounter
from chalicelib.rollups.model import SmsCounts, Tally


def count_facts(
    facts: Iterable[DayFact], thresholds: AnomalyThresholds, sms_totals: SmsCounts | None = None
) -> Tally:
    counter = DayCounter(thresholds)
    for fact in facts:
        counter.add(fact)
    return counter.to_tally(sms_totals)
