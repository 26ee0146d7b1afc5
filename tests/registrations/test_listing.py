"""Lists of registrations: pages that show each once, pulls that miss none, and the gaps of devices."""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.http.pagination import Page, Position
from chalicelib.refusals import RulesBroken
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.reading import ReadingService, SequenceGap
from chalicelib.registrations.references import Reference
from chalicelib.registrations.reported_events import Cancellation
from tests.registrations.conftest import CORE_CALLER, RegistrationHarness
from tests.support.builders import NOW, make_caller
from tests.support.fakes.clock import FixedClock
from tests.support.lifecycle_events import make_payment_at_capture

FIRST_DAY = CampaignDay("tanah-abang-2024", date(2024, 10, 9))
SECOND_DAY = CampaignDay("tanah-abang-2024", date(2024, 10, 10))
A_SECOND = timedelta(seconds=1)
MANY = 13

ReadPage = Callable[..., Page[Registration]]


def read_all(read_page: ReadPage, size: int, after: Position | None = None) -> list[Reference]:
    """Return every reference after a position, page by page."""
    seen: list[Reference] = []
    while True:
        page = read_page(after=after, size=size)
        assert len(page.rows) <= size
        seen += [each.reference for each in page.rows]
        if page.next_position is None:
            return seen
        assert page.rows, "a page that is not the last one has rows"
        after = page.next_position


def register_many(harness: RegistrationHarness) -> list[Reference]:
    """Return registrations captured within seconds of one another, some in the same second, in no order."""
    taken = {}
    for number in range(1, MANY + 1):
        at = f"2024-10-09T10:00:{number * 7 % 20:02d}+07:00"
        taken[harness.submit(number, captured_at=at).reference] = (at, number)
        harness.clock.advance(A_SECOND * (number % 3))
    return list(taken)


def test_pages_of_any_size_show_every_registration_of_a_day_once_and_in_order(
    harness: RegistrationHarness,
) -> None:
    everyone = register_many(harness)

    def read_page(*, after: Position | None, size: int) -> Page[Registration]:
        return harness.stores.reading.list_by_campaign_day(FIRST_DAY, start_after=after, page_size=size)

    whole = read_all(read_page, 200)
    assert sorted(whole) == sorted(everyone)
    captured = [harness.stores.reading.get(reference).capture_metadata.captured_at for reference in whole]
    assert captured == sorted(captured)
    for size in (1, 2, 3, 5, MANY - 1, MANY, MANY + 1):
        assert read_all(read_page, size) == whole, size


def test_pages_of_any_size_show_every_registration_in_a_status_once_and_in_order(
    harness: RegistrationHarness,
) -> None:
    everyone = register_many(harness)

    def read_page(*, after: Position | None, size: int) -> Page[Registration]:
        return harness.stores.reading.list_by_status(Status.RECEIVED, start_after=after, page_size=size)

    whole = read_all(read_page, 200)
    assert sorted(whole) == sorted(everyone)
    for size in (1, 2, 5, MANY - 1, MANY, MANY + 1):
        assert read_all(read_page, size) == whole, size


def test_a_list_can_be_resumed_after_any_row(harness: RegistrationHarness) -> None:
    register_many(harness)
    rows = harness.stores.reading.list_by_status(Status.RECEIVED, start_after=None, page_size=200).rows
    for read, row in enumerate(rows, start=1):
        after = Position(f"{to_timestamp(row.lifecycle.status_since)}#{row.reference}")
        rest = harness.stores.reading.list_by_status(Status.RECEIVED, start_after=after, page_size=200)
        assert [each.reference for each in rest.rows] == [each.reference for each in rows[read:]]


def test_an_empty_page_has_no_position(harness: RegistrationHarness) -> None:
    for page in (
        harness.stores.reading.list_by_campaign_day(FIRST_DAY, start_after=None, page_size=10),
        harness.stores.reading.list_by_status(Status.RECEIVED, start_after=Position("~"), page_size=10),
    ):
        assert (list(page.rows), page.last_position, page.next_position) == ([], None, None)


def test_a_day_lists_its_own_registrations_and_no_repeats_or_refusals(
    harness: RegistrationHarness,
) -> None:
    today = harness.submit(1).reference
    harness.submit(2, nik_number=1)
    with pytest.raises(RulesBroken):
        harness.submit(3, worker={"phone": "021-5550123"})
    harness.advance_days(1)
    tomorrow = harness.submit(4, captured_at="2024-10-10T00:00:00+07:00").reference

    found = [
        [
            each.reference
            for each in harness.stores.reading.list_by_campaign_day(day, start_after=None, page_size=10).rows
        ]
        for day in (FIRST_DAY, SECOND_DAY, CampaignDay("senen-2024", FIRST_DAY.day))
    ]
    assert found == [[today], [tomorrow], []]


def test_a_registration_is_listed_under_its_status_by_the_time_since_when_it_has_it(
    harness: RegistrationHarness,
) -> None:
    first, second = harness.submit(1).reference, harness.submit(2).reference
    for reference in (second, first):
        harness.advance_days(1)
        harness.lifecycle_service.record_payment(reference, make_payment_at_capture(), caller=CORE_CALLER)
    third = harness.submit(3).reference
    harness.lifecycle_service.cancel(third, Cancellation(reason="other"), caller=make_caller())

    found = {
        status: [
            each.reference
            for each in harness.stores.reading.list_by_status(status, start_after=None, page_size=10).rows
        ]
        for status in Status
    }
    assert {status: rows for status, rows in found.items() if rows} == {
        Status.ACTIVE: [second, first],
        Status.CANCELLED: [third],
    }


class Puller:
    """The core system, which pulls new registrations and resumes where its last pull ended."""

    def __init__(
        self, harness: RegistrationHarness, *, size: int = 2, page_takes: timedelta = timedelta()
    ) -> None:
        self._harness, self._size, self._page_takes = harness, size, page_takes
        self._resume: Position | None = None
        self.seen: set[Reference] = set()

    def pull(self, *, meanwhile: Callable[[], object] = lambda: None) -> None:
        """Read all pages of one pull. `meanwhile` happens once, after the first page."""
        after = self._resume
        settled = self._harness.reading_service.get_settled_position()
        while True:
            page = self._harness.stores.reading.list_by_status(
                Status.RECEIVED, start_after=after, page_size=self._size
            )
            self.seen |= {each.reference for each in page.rows}
            self._resume = self._harness.reading_service.compute_resume_position(
                page, start_after=after, settled=settled
            )
            meanwhile()
            meanwhile = lambda: None  # noqa: E731
            self._harness.clock.advance(self._page_takes)
            if page.next_position is None:
                return
            after = page.next_position


def register_late(harness: RegistrationHarness, number: int, *, by: timedelta, into: set[Reference]) -> None:
    """Register with a writer that read the clock some time ago."""
    harness.clock.advance(-by)
    into.add(harness.submit(number).reference)
    harness.clock.advance(by)


def test_a_pull_resumes_where_the_last_one_ended_once_that_is_a_minute_ago(
    harness: RegistrationHarness,
) -> None:
    harness.submit(1)
    page = harness.stores.reading.list_by_status(Status.RECEIVED, start_after=None, page_size=10)
    assert harness.reading_service.compute_resume_position(page, start_after=None) == to_timestamp(
        NOW - timedelta(minutes=1)
    )
    harness.clock.advance(timedelta(minutes=2))
    assert harness.reading_service.compute_resume_position(page, start_after=None) == page.last_position


def test_a_pull_that_found_nothing_resumes_where_it_began(harness: RegistrationHarness) -> None:
    nothing = Page[Registration]([], None, has_more=False)
    assert harness.reading_service.compute_resume_position(nothing, start_after=None) is None
    earlier = Position(to_timestamp(NOW - timedelta(hours=1)))
    assert harness.reading_service.compute_resume_position(nothing, start_after=earlier) == earlier


@given(reached=st.none() | st.timedeltas(timedelta(days=-2), timedelta(days=2)))
def test_no_pull_resumes_less_than_a_minute_ago(reached: timedelta | None) -> None:
    no_store: Any = None
    service = ReadingService(store=no_store, clock=FixedClock(NOW))
    end = None if reached is None else Position(f"{to_timestamp(NOW + reached)}#7K4-M2Q-X9P")
    resume = service.compute_resume_position(Page([], end, has_more=False), start_after=None)
    assert (resume is None) == (end is None)
    assert resume is None or end is None or resume <= min(end, to_timestamp(NOW - timedelta(minutes=1)))


def test_a_pull_misses_nothing_that_is_written_while_it_reads(harness: RegistrationHarness) -> None:
    written = {harness.submit(number).reference for number in range(1, 6)}
    puller = Puller(harness)
    for number in range(10, 20):
        puller.pull(meanwhile=partial(register_late, harness, number, by=timedelta(seconds=50), into=written))
        harness.clock.advance(timedelta(seconds=number))
    harness.clock.advance(timedelta(minutes=5))
    puller.pull()
    assert puller.seen == written


def test_a_pull_that_takes_minutes_misses_nothing_either(harness: RegistrationHarness) -> None:
    written = set()
    for number in range(1, 4):
        written.add(harness.submit(number).reference)
        harness.clock.advance(A_SECOND)
    puller = Puller(harness, page_takes=timedelta(minutes=2))
    puller.pull(meanwhile=lambda: register_late(harness, 9, by=timedelta(seconds=2.5), into=written))
    puller.pull()
    assert puller.seen == written


class ArrivedSequences:
    """A store that knows only the sequence numbers of a device."""

    def __init__(self, numbers: Iterable[int]) -> None:
        self._numbers = sorted(numbers)

    def iter_device_sequences(self, client_id: str, *, start_after: int = 0) -> Iterable[int]:
        return (each for each in self._numbers if each > start_after)


@given(arrived=st.lists(st.integers(1, 60)), page_size=st.integers(1, 9))
def test_the_gaps_of_a_device_are_the_missing_numbers_below_its_highest(
    arrived: list[int], page_size: int
) -> None:
    store: Any = ArrivedSequences(arrived)
    service = ReadingService(store=store, clock=FixedClock(NOW))
    page = service.list_gaps("van-2", start_after=None, page_size=page_size)
    gaps = [*page.rows]
    while page.has_more:
        assert len(page.rows) == page_size
        page = service.list_gaps("van-2", start_after=page.next_position, page_size=page_size)
        gaps += page.rows

    missing = [number for gap in gaps for number in range(gap.first, gap.last + 1)]
    assert missing == [number for number in range(1, max(arrived, default=0)) if number not in arrived]
    # Runs are as long as they can be.
    assert all(one.last + 1 < other.first for one, other in pairwise(gaps))


def test_refused_captures_have_arrived_and_repeats_and_replays_count_once(
    harness: RegistrationHarness,
) -> None:
    for number, sequence in ((1, 1), (1, 1), (2, 2), (4, 4), (9, 9)):
        harness.submit(number, nik_number=1, device_sequence=sequence)
    with pytest.raises(RulesBroken):
        harness.submit(6, device_sequence=6, worker={"nik": "1"})
    harness.submit(20)

    gaps = harness.reading_service.list_gaps("van-1", start_after=None, page_size=9)
    assert gaps.rows == [
        SequenceGap(3, 3),
        SequenceGap(5, 5),
        SequenceGap(7, 8),
    ]
    assert harness.reading_service.list_gaps("van-2", start_after=None, page_size=9).rows == []
