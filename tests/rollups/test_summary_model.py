"""Versions of a summary: when there is a new one, its changes and its notes."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns.model import CampaignDay
from chalicelib.http.pagination import Position
from chalicelib.registrations.captures import CaptureFacts, DayFact, Outcome
from chalicelib.registrations.model import RegistrationFacts, Status
from chalicelib.rollups.counting import AnomalyThresholds
from chalicelib.rollups.model import Change, Note, SmsCounts, Summary, SummaryState, Tally, summarise
from tests.support.day_tally import count_facts

DAY = CampaignDay("tanah-abang-2024", date(2024, 10, 9))

CAPTURES = st.lists(
    st.builds(
        CaptureFacts,
        outcome=st.sampled_from(Outcome),
        channel=st.sampled_from(["van", "kiosk", "bot"]),
        client_id=st.sampled_from(["van-1", "van-2"]),
        occupations=st.lists(
            st.sampled_from(["porter", "trader", "tailor"]), min_size=1, max_size=2, unique=True
        ).map(tuple),
        is_cancelled=st.booleans(),
    )
)


def make_tally(facts: Iterable[CaptureFacts | RegistrationFacts], sms: SmsCounts | None = None) -> Tally:
    """Return the figures of facts that are read in the given order."""
    day_facts = (DayFact(Position(f"{number:06}"), each) for number, each in enumerate(facts))
    return count_facts(day_facts, AnomalyThresholds(), sms)


def make_capture(
    outcome: Outcome = Outcome.CREATED,
    *occupations: str,
    client_id: str = "van-1",
    channel: str = "van",
) -> CaptureFacts:
    return CaptureFacts(outcome, channel, client_id, occupations or ("porter",))


def make_summary(
    *facts: CaptureFacts | RegistrationFacts,
    before: Summary | None = None,
    state: SummaryState = SummaryState.PROVISIONAL,
    counted_at: str = "2024-10-09T13:00:00.000Z",
    sms: SmsCounts | None = None,
) -> Summary:
    tally = make_tally(facts, sms)
    return summarise(tally, campaign_day=DAY, state=state, counted_at=counted_at, previous=before)


@given(facts=CAPTURES, order=st.randoms())
def test_the_order_of_captures_does_not_change_the_json_bytes(
    facts: list[CaptureFacts], order: Random
) -> None:
    shuffled = list(facts)
    order.shuffle(shuffled)
    assert make_summary(*facts).model_dump_json() == make_summary(*shuffled).model_dump_json()


def test_the_first_count_is_version_one_and_reports_no_changes() -> None:
    summary = make_summary(make_capture())
    assert (summary.version, summary.state, summary.changes) == (1, SummaryState.PROVISIONAL, [])
    assert (summary.campaign_id, summary.day) == (DAY.campaign_id, DAY.day)


def test_a_count_with_equal_figures_returns_the_previous_version() -> None:
    before = make_summary(make_capture())
    assert make_summary(make_capture(), before=before, counted_at="2024-10-09T14:00:00.000Z") is before


def test_a_count_with_other_figures_is_a_new_version_with_changes() -> None:
    before = make_summary(make_capture())
    after = make_summary(
        make_capture(), make_capture(Outcome.CREATED, "trader"), make_capture(Outcome.REFUSED), before=before
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
        Change(figure="counts.registered", was=1, now=2),
    ]


def test_a_figure_that_is_gone_changes_to_zero() -> None:
    before = make_summary(make_capture(Outcome.REFUSED))
    corrected = make_summary(make_capture(), before=before)
    assert Change(figure="counts.refused", was=1, now=0) in corrected.changes


def test_a_summary_that_becomes_final_is_a_new_version_without_changes() -> None:
    before = make_summary(make_capture())
    final = make_summary(make_capture(), before=before, state=SummaryState.FINAL)
    assert (final.version, final.state, final.changes) == (2, SummaryState.FINAL, [])
    assert final.content_hash != before.content_hash


@given(first=CAPTURES, second=CAPTURES)
def test_changes_are_exactly_the_differences_between_two_versions(
    first: list[CaptureFacts], second: list[CaptureFacts]
) -> None:
    before = make_summary(*first)
    after = make_summary(*second, before=before)
    figures = {change.figure: change for change in after.changes}
    assert (after is before) is (make_tally(first) == make_tally(second))
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


@given(facts=CAPTURES)
def test_a_summary_is_read_back_as_it_was_written(facts: list[CaptureFacts]) -> None:
    summary = make_summary(*facts)
    assert Summary.model_validate_json(summary.model_dump_json()) == summary


def make_arrivals(client_id: str, *days: int) -> list[CaptureFacts]:
    """Return a capture for each day of October on which it arrived."""
    return [replace(make_capture(client_id=client_id), received_on=date(2024, 10, day)) for day in days]


def test_notes_have_the_client_and_day_of_late_arrivals() -> None:
    before = make_summary(*make_arrivals("van-1", 9, 9), *make_arrivals("van-2", 9))

    after = make_summary(*make_arrivals("van-1", 9), *make_arrivals("van-2", 9, *[10] * 14), before=before)

    assert after.notes == [
        Note(difference=-1, client_id="van-1", received_on=date(2024, 10, 9)),
        Note(difference=14, client_id="van-2", received_on=date(2024, 10, 10)),
    ]


@given(first=CAPTURES, second=CAPTURES)
def test_notes_add_up_to_the_change_of_registered(
    first: list[CaptureFacts], second: list[CaptureFacts]
) -> None:
    days = [date(2024, 10, 9), date(2024, 10, 10)]
    first, second = (
        [replace(each, received_on=days[number % 2]) for number, each in enumerate(facts)]
        for facts in (first, second)
    )
    before, after = make_summary(*first), make_summary(*second, before=make_summary(*first))
    if after.version == 2:
        registered = after.counts.registered - before.counts.registered
        assert sum(note.difference for note in after.notes) == registered


def test_a_payment_alone_is_a_new_version_with_a_change_and_no_note() -> None:
    unpaid = RegistrationFacts(Status.AWAITING_PAYMENT, quoted=49_200, paid=0)
    before = make_summary(make_capture(), unpaid)

    after = make_summary(make_capture(), replace(unpaid, status=Status.ACTIVE, paid=49_200), before=before)

    assert after.changes == [
        Change(figure="funnel.active", was=0, now=1),
        Change(figure="funnel.awaiting_payment", was=1, now=0),
        Change(figure="money.paid", was=0, now=49_200),
    ]
    assert after.notes == []


def test_sms_are_figures_too() -> None:
    def make_sms_counts(**by_state: int) -> SmsCounts:
        return SmsCounts(total=1, by_state=by_state, unknown_share=0.0, parts=1, rupiah=350)

    before = make_summary(make_capture(), sms=make_sms_counts(accepted=1))

    after = make_summary(make_capture(), before=before, sms=make_sms_counts(delivered=1))

    assert after.changes == [
        Change(figure="texts.accepted", was=1, now=0),
        Change(figure="texts.delivered", was=0, now=1),
    ]


def test_a_version_after_the_final_one_is_a_revision() -> None:
    final = make_summary(make_capture(), state=SummaryState.FINAL)
    revised = make_summary(make_capture(), make_capture(), before=final, state=SummaryState.FINAL)

    assert (final.revision, revised.revision) == (0, 1)
