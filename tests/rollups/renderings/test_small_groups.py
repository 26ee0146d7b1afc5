"""What leaves by mail counts no handful of people, and lets nobody reckon one out."""

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from chalicelib.rollups.model import Anomaly, Change, Counts, Funnel, Money, Note
from chalicelib.rollups.renderings import mail
from chalicelib.rollups.renderings.report_data import MERGED_KEY, ReportData, build_report_data
from chalicelib.rollups.renderings.small_groups import MIN_GROUP_SIZE, is_small, suppress_small_groups
from tests.support.report_builders import FIRST_DAY, SECOND_DAY, make_report


def mailed(**changes: Any) -> ReportData:
    """What of a report may be mailed; changes are of the day's summary."""
    return suppress_small_groups(build_report_data(make_report(summary=changes)))


NOBODY_CAME_BACK = Counts(captures=167, created=157, already_registered=10, reactivated=0, refused=7)


def cells(figures: ReportData, group: str) -> Mapping[str, int]:
    return {cell.key: cell.count for cell in figures.group(group).cells}


def test_groups_that_are_large_enough_are_told_as_they_are() -> None:
    assert cells(mailed(), "by_sex") == {"male": 91, "female": 66}
    assert cells(mailed(), "by_client") == {"kiosk-1": 34, "van-1": 64, "van-2": 59}


def test_a_single_small_group_is_put_together_with_the_next_one() -> None:
    """Alone it would be what is missing from the day's total."""
    told = cells(mailed(by_age={"15-24": 3, "25-34": 9, "35-44": 60, "45-54": 85}), "by_age")

    assert told == {"35-44": 60, "45-54": 85, MERGED_KEY: 12}


def test_small_groups_are_put_together_until_their_sum_is_not_small_either() -> None:
    told = cells(mailed(by_age={"15-24": 1, "25-34": 2, "35-44": 70, "45-54": 84}), "by_age")

    assert told == {"45-54": 84, MERGED_KEY: 73}


def test_where_only_two_groups_are_nothing_is_told_of_either() -> None:
    told = mailed(by_sex={"female": 2, "male": 155}).group("by_sex")

    assert (told.cells, told.is_withheld) == ((), True)


def test_groups_of_nobody_go_with_the_small_ones() -> None:
    """What stands there with a 0 would say which ones were put together."""
    funnel = Funnel(received=61, awaiting_payment=74, mismatch=2, active=17, cancelled=3)
    figures = mailed(funnel=funnel, counts=NOBODY_CAME_BACK)

    assert cells(figures, "funnel") == {"received": 61, "awaiting_payment": 74, "active": 17, MERGED_KEY: 5}


@pytest.mark.parametrize("jht", [1, 4, 153, 156])
def test_a_programme_tells_of_those_without_it_too(jht: int) -> None:
    told = cells(mailed(by_programme={"JHT": jht, "JKK": 157, "JKM": 157}), "by_programme")

    assert told == {"JKK": 157, "JKM": 157}


@pytest.mark.parametrize("drivers", [2, 153, 156])
def test_an_occupation_tells_of_those_without_it_too_because_a_worker_may_have_two(drivers: int) -> None:
    told = cells(mailed(by_occupation={"ojek_driver": drivers, "porter": 40, "tailor": 6}), "by_occupation")

    assert told == {"porter": 40, "tailor": 6}


def test_a_reason_tells_of_those_refused_for_others_too_because_a_capture_may_have_two() -> None:
    counts = Counts(captures=157, created=157, already_registered=0, reactivated=0, refused=20)
    reasons = {"nik_length": 18, "phone_malformed": 9, "nik_serial": 1}

    assert cells(mailed(counts=counts, refused_by_reason=reasons), "refused_by_reason") == {
        "phone_malformed": 9
    }


def test_the_funnel_is_left_out_where_it_would_give_away_how_few_came_back() -> None:
    """It is of all who were registered, the day's total of the new ones alone."""
    counts = Counts(captures=101, created=98, already_registered=0, reactivated=3, refused=0)
    figures = mailed(counts=counts, funnel=Funnel(received=50, awaiting_payment=31, active=20))

    assert (cells(figures, "funnel"), figures.group("funnel").is_withheld) == ({}, True)
    assert figures.active is None


def test_devices_are_left_out_where_one_is_small_because_channels_are_their_sums() -> None:
    figures = mailed(by_client={"kiosk-1": 34, "van-1": 120, "van-2": 3})

    assert figures.group("by_client").is_withheld
    assert cells(figures, "by_channel") == {"van": 123, "kiosk": 34}
    assert [oddity.workers for oddity in figures.anomalies] == [0, 0, 0]


def test_few_refusals_are_neither_counted_nor_explained() -> None:
    counts = Counts(captures=168, created=157, already_registered=6, reactivated=5, refused=3)
    figures = mailed(counts=counts, refused_by_reason={"nik_length": 3})

    assert dict(figures.counts) == {"captures": 168, "already_registered": 6, "reactivated": 5}
    assert figures.group("refused_by_reason").is_withheld


def test_captures_are_not_told_where_they_would_give_away_the_rest() -> None:
    counts = Counts(captures=160, created=157, already_registered=3, reactivated=0, refused=0)

    assert "captures" not in mailed(counts=counts).counts


def test_what_a_few_people_paid_is_not_told() -> None:
    funnel = Funnel(received=153, active=3, lapsed=1)

    assert dict(mailed(funnel=funnel, money=Money(quoted=7_000_000, paid=65_600)).money) == {
        "quoted": 7_000_000
    }


def test_the_total_of_a_day_is_told_whatever_it_is() -> None:
    counts = Counts(captures=2, created=2, already_registered=0, reactivated=0, refused=0)
    figures = mailed(counts=counts, by_sex={"female": 2}, money=Money(quoted=32_800))

    assert figures.created == 2
    assert figures.group("by_sex").is_withheld
    assert dict(figures.money) == {"paid": 0}


def test_a_share_of_unknown_texts_is_not_told_where_it_counts_a_handful() -> None:
    texts = make_report().summary.texts
    few = texts.model_copy(update={"by_state": {"delivered": 228, "unknown": 3}, "unknown_share": 0.013})

    assert "unknown_share" in mailed().sms
    assert "unknown_share" not in mailed(texts=few).sms


def test_a_note_on_a_handful_is_not_told_and_changes_are_told_of_the_total_alone() -> None:
    notes = [
        Note(difference=14, client_id="van-2", received_on=SECOND_DAY),
        Note(difference=-2, client_id="van-1", received_on=FIRST_DAY),
    ]
    changes = [
        Change(figure="counts.created", was=145, now=157),
        Change(figure="by_sex.female", was=64, now=66),
    ]
    figures = mailed(notes=notes, changes=changes)

    assert [note.client_id for note in figures.notes] == ["van-2"]
    assert [change.figure for change in figures.changes] == ["counts.created"]


def test_an_oddity_about_a_handful_is_told_without_its_number() -> None:
    oddity = Anomaly(pattern="neighbouring_serials", client_id="van-1", workers=4)
    report = make_report(summary={"oddities": [oddity]})

    told = mail.compose(report, "id").text

    assert "Nomor urut NIK berderet pada beberapa pekerja, lewat van-1" in told


A_BREAKDOWN = some.dictionaries(some.sampled_from("abcdefghijkl"), some.integers(0, 12), max_size=12)


@given(counts=A_BREAKDOWN, group=some.sampled_from(["by_age", "by_sex", "by_hour", "by_client"]))
def test_nothing_told_is_small_and_nothing_small_can_be_reckoned_out(counts: Any, group: Any) -> None:
    figures = mailed(**{group: counts})
    told = cells(figures, group)

    assert not [key for key, count in told.items() if is_small(count)]
    if figures.group(group).is_withheld:
        assert told == {}
    elif told != counts:
        hidden = [count for key, count in counts.items() if count and key not in told]
        assert len(hidden) > 1
        assert told[MERGED_KEY] == sum(hidden) >= MIN_GROUP_SIZE
        assert sum(told.values()) == sum(counts.values())
        assert set(told) - {MERGED_KEY}, "with one kind left, there is nothing to compare"


FEW_KINDS = some.lists(some.sets(some.sampled_from("abcd"), min_size=1, max_size=2), max_size=30)
FEW = some.integers(0, 9)
OF_ONE_KIND_EACH = ("by_age", "by_channel", "by_client", "by_officer", "by_hour", "by_received_day")


def reckoned(figures: ReportData) -> Iterator[int]:
    """What somebody works out of a mail who knows the totals, what they are of, and which groups overlap."""
    counts = figures.counts
    everybody = {
        "by_occupation": figures.created,
        "by_programme": figures.created,
        "refused_by_reason": counts.get("refused"),
    }
    yield from counts.values()
    for group in figures.groups:
        yield from (cell.count for cell in group.cells)
        if (all_of_them := everybody.get(group.name)) is not None:
            yield from (all_of_them - cell.count for cell in group.cells)
    known = dict(counts)
    if funnel := figures.group("funnel").cells:
        known["reactivated"] = sum(cell.count for cell in funnel) - figures.created
        yield known["reactivated"]
    for one, other in (("reactivated", "already_registered"), ("already_registered", "reactivated")):
        if "captures" in known and one in known:
            yield known["captures"] - figures.created - known[one]
            known[other] = known["captures"] - figures.created - known[one]


@settings(max_examples=300)
@given(
    workers=FEW_KINDS,
    refusals=FEW_KINDS,
    already_registered=FEW,
    reactivated=FEW,
    active=some.integers(0, 40),
)
def test_nothing_small_can_be_reckoned_out_of_groups_that_overlap(
    workers: Any, refusals: Any, already_registered: Any, reactivated: Any, active: Any
) -> None:
    registered = len(workers) + reactivated
    active = min(active, registered)
    figures = mailed(
        counts=Counts(
            captures=registered + already_registered,
            created=len(workers),
            already_registered=already_registered,
            reactivated=reactivated,
            refused=len(refusals),
        ),
        by_occupation=dict(Counter(each for kinds in workers for each in kinds)),
        by_programme=dict(Counter(each for kinds in workers for each in kinds)),
        refused_by_reason=dict(Counter(each for kinds in refusals for each in kinds)),
        funnel=Funnel(received=registered - active, active=active),
        by_sex={"female": len(workers)},
        **{name: {} for name in OF_ONE_KIND_EACH},
    )

    assert not [count for count in reckoned(figures) if is_small(count)]


SMALL_DAYS = some.fixed_dictionaries(
    {
        "by_occupation": A_BREAKDOWN,
        "by_age": A_BREAKDOWN,
        "by_client": A_BREAKDOWN,
        "by_officer": A_BREAKDOWN,
        "refused_by_reason": A_BREAKDOWN,
        "funnel": some.builds(Funnel, received=some.integers(0, 9), active=some.integers(0, 9)),
    }
)


@settings(max_examples=40)
@given(summary=SMALL_DAYS)
def test_neither_the_mail_nor_what_is_attached_has_a_small_count(summary: Any) -> None:
    letter = mail.compose(make_report(summary=summary), "id")

    counted_in_text = re.findall(r"^ +(\d+)  ", letter.text, re.MULTILINE)
    rows = list(openpyxl.load_workbook(io.BytesIO(letter.workbook))["Rincian"].values)[1:]
    counted_in_workbook = [row[3] for row in rows if row[3] is not None]
    assert not [count for count in map(int, counted_in_text) if is_small(count)]
    assert not [count for count in counted_in_workbook if is_small(count)]
    assert not re.findall(r">[1-4]</td>", letter.html)


def test_the_mail_says_what_it_leaves_out() -> None:
    letter = mail.compose(make_report(), "en")

    assert "groups of fewer than 5 people" in letter.text
    assert "groups of fewer than 5 people" in letter.html
