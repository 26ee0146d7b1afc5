"""No count in a mail is of a few people, and none can be computed from the others."""

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.rollups.model import Anomaly, Change, Counts, Funnel, Money, Note
from chalicelib.rollups.renderings import mail
from chalicelib.rollups.renderings.report_data import MERGED_KEY, ReportData, build_report_data
from chalicelib.rollups.renderings.small_groups import MIN_GROUP_SIZE, is_small, suppress_small_groups
from tests.support.report_builders import FIRST_DAY, SECOND_DAY, make_report


def build_mailed_data(**changes: Any) -> ReportData:
    """Return the data that may be mailed of a report whose summary has these changes."""
    return suppress_small_groups(build_report_data(make_report(summary=changes)))


NONE_REACTIVATED = Counts(
    captures=167, created=157, already_registered=10, reactivated=0, refused=7, registered=157
)


def get_cells(data: ReportData, group: str) -> Mapping[str, int]:
    return {cell.key: cell.count for cell in data.get_group(group).cells}


def test_groups_that_are_large_enough_are_shown_unchanged() -> None:
    assert get_cells(build_mailed_data(), "by_sex") == {"male": 91, "female": 66}
    assert get_cells(build_mailed_data(), "by_client") == {"kiosk-1": 34, "van-1": 64, "van-2": 59}


def test_a_single_small_group_is_merged_with_the_next_one() -> None:
    """Alone it would follow from the day's total."""
    shown = get_cells(build_mailed_data(by_age={"15-24": 3, "25-34": 9, "35-44": 60, "45-54": 85}), "by_age")

    assert shown == {"35-44": 60, "45-54": 85, MERGED_KEY: 12}


def test_small_groups_are_merged_until_their_sum_is_not_small() -> None:
    shown = get_cells(build_mailed_data(by_age={"15-24": 1, "25-34": 2, "35-44": 70, "45-54": 84}), "by_age")

    assert shown == {"45-54": 84, MERGED_KEY: 73}


def test_a_breakdown_of_two_groups_is_withheld_if_one_is_small() -> None:
    shown = build_mailed_data(by_sex={"female": 2, "male": 155}).get_group("by_sex")

    assert (shown.cells, shown.is_withheld) == ((), True)


def test_empty_groups_are_merged_with_the_small_ones() -> None:
    """A group shown with 0 would exclude itself from the merged ones."""
    funnel = Funnel(received=61, awaiting_payment=74, mismatch=2, active=17, cancelled=3)
    data = build_mailed_data(funnel=funnel, counts=NONE_REACTIVATED)

    assert get_cells(data, "funnel") == {"received": 61, "awaiting_payment": 74, "active": 17, MERGED_KEY: 5}


@pytest.mark.parametrize("jht", [1, 4, 153, 156])
def test_a_programme_is_left_out_if_those_with_or_without_it_are_few(jht: int) -> None:
    shown = get_cells(build_mailed_data(by_programme={"JHT": jht, "JKK": 157, "JKM": 157}), "by_programme")

    assert shown == {"JKK": 157, "JKM": 157}


@pytest.mark.parametrize("drivers", [2, 153, 156])
def test_an_occupation_is_left_out_if_those_with_or_without_it_are_few(drivers: int) -> None:
    shown = get_cells(
        build_mailed_data(by_occupation={"ojek_driver": drivers, "porter": 40, "tailor": 6}), "by_occupation"
    )

    assert shown == {"porter": 40, "tailor": 6}


def test_a_refusal_reason_is_left_out_if_those_with_or_without_it_are_few() -> None:
    counts = Counts(
        captures=157, created=157, already_registered=0, reactivated=0, refused=20, registered=157
    )
    reasons = {"nik_length": 18, "phone_malformed": 9, "nik_serial": 1}

    assert get_cells(build_mailed_data(counts=counts, refused_by_reason=reasons), "refused_by_reason") == {
        "phone_malformed": 9
    }


def test_the_funnel_is_withheld_if_it_would_reveal_a_few_cancellations() -> None:
    """It counts the cancelled registrations too, the day's total does not."""
    counts = Counts(captures=104, created=104, already_registered=0, reactivated=0, refused=0, registered=101)
    funnel = Funnel(received=50, awaiting_payment=31, active=20, cancelled=3)
    data = build_mailed_data(counts=counts, funnel=funnel)

    assert (get_cells(data, "funnel"), data.get_group("funnel").is_withheld) == ({}, True)
    assert data.active is None


@pytest.mark.parametrize(("reactivated", "cancelled"), [(3, 0), (0, 3), (10, 3), (3, 10)])
def test_the_new_registrations_are_left_out_if_they_would_reveal_a_few(
    reactivated: int, cancelled: int
) -> None:
    """The day's total is of them and of the reactivated ones, less the cancelled ones."""
    counts = Counts(
        captures=100,
        created=100 - reactivated,
        already_registered=0,
        reactivated=reactivated,
        refused=0,
        registered=100 - cancelled,
    )

    assert not {"created", "captures"} & build_mailed_data(counts=counts).counts.keys()


def test_devices_are_withheld_if_one_is_small_because_channels_are_their_sums() -> None:
    data = build_mailed_data(by_client={"kiosk-1": 34, "van-1": 120, "van-2": 3})

    assert data.get_group("by_client").is_withheld
    assert get_cells(data, "by_channel") == {"van": 123, "kiosk": 34}
    assert {anomaly.workers for anomaly in data.anomalies} == {0}


def test_few_refusals_are_neither_counted_nor_broken_down() -> None:
    counts = Counts(captures=168, created=157, already_registered=6, reactivated=5, refused=3, registered=162)
    data = build_mailed_data(counts=counts, refused_by_reason={"nik_length": 3})

    shown = {"created": 157, "captures": 168, "already_registered": 6, "reactivated": 5}
    assert dict(data.counts) == shown
    assert data.get_group("refused_by_reason").is_withheld


def test_captures_are_left_out_if_they_would_reveal_another_count() -> None:
    counts = Counts(captures=160, created=157, already_registered=3, reactivated=0, refused=0, registered=157)

    assert "captures" not in build_mailed_data(counts=counts).counts


def test_the_payments_of_a_few_people_are_left_out() -> None:
    funnel = Funnel(received=153, active=3, lapsed=1)

    assert dict(build_mailed_data(funnel=funnel, money=Money(quoted=7_000_000, paid=65_600)).money) == {
        "quoted": 7_000_000
    }


def test_the_total_of_a_day_is_always_shown() -> None:
    counts = Counts(captures=2, created=2, already_registered=0, reactivated=0, refused=0, registered=2)
    data = build_mailed_data(counts=counts, by_sex={"female": 2}, money=Money(quoted=32_800))

    assert data.registered == 2
    assert data.get_group("by_sex").is_withheld
    assert dict(data.money) == {"paid": 0}


def test_the_share_of_unknown_sms_is_left_out_if_it_counts_a_few() -> None:
    sms_counts = make_report().summary.texts
    assert sms_counts
    few = sms_counts.model_copy(update={"by_state": {"delivered": 228, "unknown": 3}, "unknown_share": 0.013})

    assert "unknown_share" in build_mailed_data().sms
    assert "unknown_share" not in build_mailed_data(texts=few).sms


def test_notes_about_a_few_are_left_out_and_only_the_change_of_the_total_is_shown() -> None:
    notes = [
        Note(difference=14, client_id="van-2", received_on=SECOND_DAY),
        Note(difference=-2, client_id="van-1", received_on=FIRST_DAY),
    ]
    changes = [
        Change(figure="counts.created", was=145, now=158),
        Change(figure="counts.registered", was=145, now=157),
        Change(figure="by_sex.female", was=64, now=66),
    ]
    data = build_mailed_data(notes=notes, changes=changes)

    assert [note.client_id for note in data.notes] == ["van-2"]
    assert [change.figure for change in data.changes] == ["counts.registered"]


def test_an_anomaly_about_a_few_is_shown_without_its_number() -> None:
    anomaly = Anomaly(pattern="neighbouring_serials", client_id="van-1", workers=4)
    report = make_report(summary={"oddities": [anomaly]})

    text = mail.compose(report, "id").text

    assert "NIK dengan nomor urut berdekatan: beberapa pekerja, lewat van-1" in text


BREAKDOWNS = st.dictionaries(st.sampled_from("abcdefghijkl"), st.integers(0, 12), max_size=12)


@given(counts=BREAKDOWNS, group=st.sampled_from(["by_age", "by_sex", "by_hour", "by_client"]))
def test_no_shown_count_is_small_and_no_small_one_can_be_computed(counts: dict[str, int], group: str) -> None:
    data = build_mailed_data(**{group: counts})
    shown = get_cells(data, group)

    assert not [key for key, count in shown.items() if is_small(count)]
    if data.get_group(group).is_withheld:
        assert shown == {}
    elif shown != counts:
        hidden = [count for key, count in counts.items() if count and key not in shown]
        assert len(hidden) > 1
        assert shown[MERGED_KEY] == sum(hidden) >= MIN_GROUP_SIZE
        assert sum(shown.values()) == sum(counts.values())
        assert set(shown) - {MERGED_KEY}, "a merged group alone shows nothing"


OVERLAPPING_GROUPS = st.lists(st.sets(st.sampled_from("abcd"), min_size=1, max_size=2), max_size=30)
FEW = st.integers(0, 9)
DISJOINT_BREAKDOWNS = ("by_age", "by_channel", "by_client", "by_officer", "by_hour", "by_received_day")


# What a reader knows of the counts: each is the sum of others.
_SUMS = (
    ("captures", ("applications", "already_registered")),
    ("applications", ("created", "reactivated")),
    ("applications", ("registered", "cancelled")),
)


def iter_computable_counts(data: ReportData) -> Iterator[int]:
    """Yield every count that can be computed from a mail: from totals, sums and differences."""
    counts = data.counts
    totals = {
        "by_occupation": data.registered,
        "by_programme": data.registered,
        "refused_by_reason": counts.get("refused"),
    }
    yield from counts.values()
    for group in data.groups:
        yield from (cell.count for cell in group.cells)
        if (total := totals.get(group.name)) is not None:
            yield from (total - cell.count for cell in group.cells)
    known = derive_counts(data)
    yield from (known[name] for name in ("cancelled", "reactivated", "already_registered") if name in known)
    if known.get("created") != data.registered:
        yield known.get("created", 0)


def derive_counts(data: ReportData) -> dict[str, int]:
    """Return the counts of a mail with those that follow from them."""
    known = {**data.counts, "registered": data.registered}
    if funnel := data.get_group("funnel").cells:
        known["applications"] = sum(cell.count for cell in funnel)
    for _ in _SUMS:
        for whole, parts in _SUMS:
            unknown = [name for name in (whole, *parts) if name not in known]
            if unknown == [whole]:
                known[whole] = sum(known[name] for name in parts)
            elif len(unknown) == 1:
                known[unknown[0]] = known[whole] - sum(known[name] for name in parts if name in known)
    return known


@settings(max_examples=300)
@given(
    workers=OVERLAPPING_GROUPS,
    refusals=OVERLAPPING_GROUPS,
    already_registered=FEW,
    reactivated=FEW,
    cancelled=FEW,
    active=st.integers(0, 40),
)
def test_no_small_count_can_be_computed_from_overlapping_groups(
    workers: list[set[str]],
    refusals: list[set[str]],
    already_registered: int,
    reactivated: int,
    cancelled: int,
    active: int,
) -> None:
    registered = len(workers)
    reactivated = min(reactivated, registered + cancelled)
    active = min(active, registered)
    data = build_mailed_data(
        counts=Counts(
            captures=registered + cancelled + already_registered,
            created=registered + cancelled - reactivated,
            already_registered=already_registered,
            reactivated=reactivated,
            refused=len(refusals),
            registered=registered,
        ),
        by_occupation=dict(Counter(key for keys in workers for key in keys)),
        by_programme=dict(Counter(key for keys in workers for key in keys)),
        refused_by_reason=dict(Counter(key for keys in refusals for key in keys)),
        funnel=Funnel(received=registered - active, active=active, cancelled=cancelled),
        by_sex={"female": len(workers)},
        **{name: {} for name in DISJOINT_BREAKDOWNS},
    )

    assert not [count for count in iter_computable_counts(data) if is_small(count)]


SMALL_DAYS = st.fixed_dictionaries(
    {
        "by_occupation": BREAKDOWNS,
        "by_age": BREAKDOWNS,
        "by_client": BREAKDOWNS,
        "by_officer": BREAKDOWNS,
        "refused_by_reason": BREAKDOWNS,
        "funnel": st.builds(Funnel, received=st.integers(0, 9), active=st.integers(0, 9)),
    }
)


@settings(max_examples=40)
@given(summary=SMALL_DAYS)
def test_neither_the_mail_nor_its_attachment_has_a_small_count(summary: dict[str, Any]) -> None:
    composed = mail.compose(make_report(summary=summary), "id")

    counted_in_text = re.findall(r"^ +(\d+)  ", composed.text, re.MULTILINE)
    rows = list(openpyxl.load_workbook(io.BytesIO(composed.workbook))["Rincian"].values)[1:]
    counted_in_workbook = [row[3] for row in rows if isinstance(row[3], int)]
    assert not [count for count in map(int, counted_in_text) if is_small(count)]
    assert not [count for count in counted_in_workbook if is_small(count)]
    assert not re.findall(r">[1-4]</td>", composed.html)


def test_the_mail_explains_what_it_leaves_out() -> None:
    composed = mail.compose(make_report(), "en")

    assert "groups of fewer than 5 people" in composed.text
    assert "groups of fewer than 5 people" in composed.html


def test_a_sponsor_of_a_few_workers_is_not_mailed() -> None:
    shown = build_mailed_data(by_sponsor={"-": 3, "yayasan-contoh": 24}).get_group("by_sponsor")

    assert [(cell.key, cell.label, cell.count) for cell in shown.cells] == [
        ("yayasan-contoh", "Yayasan Contoh", 24)
    ]


def test_sponsors_are_withheld_if_a_few_workers_are_in_none_of_their_cells() -> None:
    assert build_mailed_data(by_sponsor={"yayasan-contoh": 154}).get_group("by_sponsor").is_withheld
    assert build_mailed_data(by_sponsor={"-": 2, "yayasan-contoh": 154}).get_group("by_sponsor").is_withheld
    assert not build_mailed_data(by_sponsor={"yayasan-contoh": 157}).get_group("by_sponsor").is_withheld


@pytest.mark.parametrize(("without_phone", "is_shown"), [(3, False), (11, True), (154, False), (157, True)])
def test_how_many_have_no_phone_is_mailed_unless_few_have_none_or_one(
    without_phone: int, is_shown: bool
) -> None:
    texts = make_report().summary.texts
    assert texts is not None

    mailed = build_mailed_data(texts=texts.model_copy(update={"without_phone": without_phone}))

    assert ("without_phone" in mailed.sms) is is_shown
