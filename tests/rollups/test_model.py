"""Counting a day, and saying what is new since the last count."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns.model import CampaignDay
from chalicelib.http.pagination import Position
from chalicelib.registrations.captures import CaptureFacts, DayFact, Outcome
from chalicelib.registrations.model import RegistrationFacts, Status
from chalicelib.rollups import counting
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.model import Change, Note, SmsCounts, Summary, SummaryState, Tally, summarise

DAY = CampaignDay("tanah-abang-2024", date(2024, 10, 9))

captures = st.lists(
    st.builds(
        CaptureFacts,
        outcome=st.sampled_from(Outcome),
        channel=st.sampled_from(["van", "kiosk", "bot"]),
        client_id=st.sampled_from(["van-1", "van-2"]),
        occupations=st.lists(
            st.sampled_from(["porter", "trader", "tailor"]), min_size=1, max_size=2, unique=True
        ).map(tuple),
    )
)


def tally(facts: Iterable[CaptureFacts | RegistrationFacts], texts: SmsCounts | None = None) -> Tally:
    """Count facts in the order they are given."""
    in_order = (DayFact(Position(f"{number:06}"), each) for number, each in enumerate(facts))
    return counting.count_facts(in_order, AnomalyThresholds(), texts)


def a_capture(
    outcome: Outcome = Outcome.CREATED,
    *occupations: str,
    client_id: str = "van-1",
    channel: str = "van",
) -> CaptureFacts:
    return CaptureFacts(outcome, channel, client_id, occupations or ("porter",))


def a_count(
    *counted: CaptureFacts | RegistrationFacts,
    before: Summary | None = None,
    state: SummaryState = SummaryState.PROVISIONAL,
    at: str = "2024-10-09T13:00:00.000Z",
    texts: SmsCounts | None = None,
) -> Summary:
    return summarise(tally(counted, texts), campaign_day=DAY, state=state, counted_at=at, previous=before)


def test_a_day_without_captures_counts_nothing() -> None:
    counted = tally([])
    assert set(counted.counts.model_dump().values()) == {0}
    assert (counted.by_channel, counted.by_client, counted.by_occupation) == ({}, {}, {})


def test_each_outcome_is_counted_and_refused_captures_are_not_captures() -> None:
    counted = tally(
        [a_capture(), a_capture(Outcome.ALREADY_REGISTERED), a_capture(Outcome.REFUSED), a_capture()]
    )
    assert counted.counts.model_dump() == {
        "captures": 3,
        "created": 2,
        "already_registered": 1,
        "reactivated": 0,
        "refused": 1,
    }


def test_breakdowns_are_of_created_registrations_only() -> None:
    counted = tally(
        [
            a_capture(Outcome.CREATED, "porter", "trader"),
            a_capture(Outcome.CREATED, "porter", client_id="kiosk-1", channel="kiosk"),
            a_capture(Outcome.ALREADY_REGISTERED, "tailor", client_id="van-2"),
            a_capture(Outcome.REFUSED, "tailor", client_id="van-2"),
        ]
    )
    assert counted.by_channel == {"kiosk": 1, "van": 1}
    assert counted.by_client == {"kiosk-1": 1, "van-1": 1}
    assert counted.by_occupation == {"porter": 2, "trader": 1}


@given(counted=captures)
def test_every_figure_adds_up(counted: Sequence[CaptureFacts]) -> None:
    found = tally(counted)
    counts = found.counts
    assert counts.captures + counts.refused == len(counted)
    assert counts.created + counts.already_registered + counts.reactivated == counts.captures
    assert sum(found.by_channel.values()) == sum(found.by_client.values()) == counts.created
    assert counts.created <= sum(found.by_occupation.values()) <= 2 * counts.created
    assert all(found.by_occupation.values())


@given(counted=captures, order=st.randoms())
def test_the_order_of_captures_changes_nothing_not_even_the_bytes(
    counted: list[CaptureFacts], order: Any
) -> None:
    shuffled = list(counted)
    order.shuffle(shuffled)
    assert a_count(*counted).model_dump_json() == a_count(*shuffled).model_dump_json()


def test_the_first_count_is_version_one_and_reports_no_changes() -> None:
    summary = a_count(a_capture())
    assert (summary.version, summary.state, summary.changes) == (1, SummaryState.PROVISIONAL, [])
    assert (summary.campaign_id, summary.day) == (DAY.campaign_id, DAY.day)


def test_a_count_that_finds_the_same_is_the_version_before_itself() -> None:
    before = a_count(a_capture())
    assert a_count(a_capture(), before=before, at="2024-10-09T14:00:00.000Z") is before


def test_a_count_that_finds_more_is_a_new_version_that_says_what_changed() -> None:
    before = a_count(a_capture())
    after = a_count(
        a_capture(), a_capture(Outcome.CREATED, "trader"), a_capture(Outcome.REFUSED), before=before
    )
    assert after.version == 2
    assert after.changes == [
        Change(figure="by_channel.van", was=1, now=2),
        Change(figure="by_client.van-1", was=1, now=2),
        Change(figure="by_occupation.trader", was=0, now=1),
        Change(figure="by_officer.-", was=1, now=2),
        Change(figure="counts.captures", was=1, now=2),
        Change(figure="counts.created", was=1, now=2),
        Change(figure="counts.refused", was=0, now=1),
    ]


def test_a_figure_that_is_gone_is_reported_as_none_left() -> None:
    before = a_count(a_capture(Outcome.REFUSED))
    mended = a_count(a_capture(), before=before)
    assert Change(figure="counts.refused", was=1, now=0) in mended.changes


def test_a_summary_that_becomes_final_is_a_new_version_without_changes() -> None:
    before = a_count(a_capture())
    final = a_count(a_capture(), before=before, state=SummaryState.FINAL)
    assert (final.version, final.state, final.changes) == (2, SummaryState.FINAL, [])
    assert final.content_hash != before.content_hash


@given(first=captures, second=captures)
def test_the_changes_lead_from_one_version_to_the_next(
    first: list[CaptureFacts], second: list[CaptureFacts]
) -> None:
    before = a_count(*first)
    after = a_count(*second, before=before)
    figures = {change.figure: change for change in after.changes}
    assert (after is before) is (tally(first) == tally(second))
    if after is before:
        return
    assert after.version == before.version + 1
    for group in ("counts", *(name for name in Tally.model_fields if name.startswith("by_"))):
        was, now = before.model_dump()[group], after.model_dump()[group]
        for name in was.keys() | now.keys():
            change = figures.pop(f"{group}.{name}", None)
            differs = was.get(name, 0) != now.get(name, 0)
            assert (change is not None) is differs
            assert change is None or (change.was, change.now) == (was.get(name, 0), now.get(name, 0))
    assert figures == {}


@given(counted=captures)
def test_a_summary_is_read_back_as_it_was_written(counted: list[CaptureFacts]) -> None:
    summary = a_count(*counted)
    assert Summary.model_validate_json(summary.model_dump_json()) == summary


def arrived(client_id: str, *days: int) -> list[CaptureFacts]:
    return [replace(a_capture(client_id=client_id), received_on=date(2024, 10, day)) for day in days]


def test_notes_say_through_whom_and_when_a_late_difference_came() -> None:
    before = a_count(*arrived("van-1", 9, 9), *arrived("van-2", 9))

    after = a_count(*arrived("van-1", 9), *arrived("van-2", 9, *[10] * 14), before=before)

    assert after.notes == [
        Note(difference=-1, client_id="van-1", received_on=date(2024, 10, 9)),
        Note(difference=14, client_id="van-2", received_on=date(2024, 10, 10)),
    ]


@given(first=captures, second=captures)
def test_the_notes_add_up_to_what_changed(first: list[CaptureFacts], second: list[CaptureFacts]) -> None:
    days = [date(2024, 10, 9), date(2024, 10, 10)]
    first, second = (
        [replace(each, received_on=days[number % 2]) for number, each in enumerate(some)]
        for some in (first, second)
    )
    before, after = a_count(*first), a_count(*second, before=a_count(*first))
    if after.version == 2:
        created = after.counts.created - before.counts.created
        assert sum(note.difference for note in after.notes) == created


def test_a_payment_alone_is_a_new_version_with_a_change_and_no_note() -> None:
    waiting = RegistrationFacts(Status.AWAITING_PAYMENT, quoted=49_200, paid=0)
    before = a_count(a_capture(), waiting)

    after = a_count(a_capture(), replace(waiting, status=Status.ACTIVE, paid=49_200), before=before)

    assert after.changes == [
        Change(figure="funnel.active", was=0, now=1),
        Change(figure="funnel.awaiting_payment", was=1, now=0),
        Change(figure="money.paid", was=0, now=49_200),
    ]
    assert after.notes == []


def test_texts_are_figures_too() -> None:
    def texts(**by_state: int) -> SmsCounts:
        return SmsCounts(total=1, by_state=by_state, unknown_share=0.0, parts=1, rupiah=350)

    before = a_count(a_capture(), texts=texts(accepted=1))

    after = a_count(a_capture(), before=before, texts=texts(delivered=1))

    assert after.changes == [
        Change(figure="texts.accepted", was=1, now=0),
        Change(figure="texts.delivered", was=0, now=1),
    ]


def test_a_version_after_the_final_one_is_a_revision() -> None:
    final = a_count(a_capture(), state=SummaryState.FINAL)
    revised = a_count(a_capture(), a_capture(), before=final, state=SummaryState.FINAL)

    assert (final.revision, revised.revision) == (0, 1)
