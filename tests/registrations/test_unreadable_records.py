"""Readers of many registrations: one that cannot be read is named and passed, and all others are read."""

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from chalicelib.http.pagination import Page
from chalicelib.refusals import RecordUnreadable
from chalicelib.registrations.captures import CaptureFacts, UnreadableFacts
from chalicelib.registrations.model import Registration, RegistrationFacts, Status
from chalicelib.registrations.store_reading import DynamoReadingStore
from chalicelib.rollups.counting import AnomalyThresholds, DayCounter
from chalicelib.rollups.model import Anomaly
from tests.registrations.conftest import RegistrationHarness
from tests.support.damaged_items import SEALED_DAMAGES, damage_item, garble_item
from tests.support.payloads import make_capture_id
from tests.support.registration_builders import FIRST_DAY

TABLE = "RegistrationsTable"
SEALED_PATHS = ("money", "sealed.nik", "sealed.particulars", "sealed.monthly_income")
PEOPLE = 5
DAMAGED = 3

Listing = Callable[..., Page[Registration]]


def list_day(store: DynamoReadingStore, **options: Any) -> Page[Registration]:
    return store.list_by_campaign_day(FIRST_DAY, **options)


def list_status(store: DynamoReadingStore, **options: Any) -> Page[Registration]:
    return store.list_by_status(Status.RECEIVED, **options)


@pytest.fixture
def references(harness: RegistrationHarness) -> list[str]:
    """Register some workers. Return their references."""
    return [harness.register(number).reference for number in range(1, PEOPLE + 1)]


def damage(harness: RegistrationHarness, reference: str, path: str, kind: str) -> None:
    damage_item(harness.dynamodb, TABLE, f"REGISTRATION#{reference}", path, SEALED_DAMAGES[kind])


@pytest.mark.parametrize("kind", SEALED_DAMAGES)
@pytest.mark.parametrize("listing", [list_day, list_status])
def test_listings_name_unreadable_registrations_and_pass_them(
    harness: RegistrationHarness, references: list[str], listing: Listing, kind: str
) -> None:
    damaged = references[: len(SEALED_PATHS)]
    for reference, path in zip(damaged, SEALED_PATHS, strict=True):
        damage(harness, reference, path, kind)

    for page_size in (1, 2, PEOPLE):
        listed, unreadable = read_pages(harness, listing, page_size)
        assert sorted(listed) == sorted(set(references) - set(damaged))
        assert sorted(unreadable) == sorted(damaged)


def test_listings_pass_items_that_do_not_parse(harness: RegistrationHarness, references: list[str]) -> None:
    paths = ("history", "version", "taken.captured_at", "coverage")
    damaged = references[: len(paths)]
    for reference, path in zip(damaged, paths, strict=True):
        garble_item(harness.dynamodb, TABLE, f"REGISTRATION#{reference}", path)

    for listing in (list_day, list_status):
        listed, unreadable = read_pages(harness, listing, 2)
        assert (listed, sorted(unreadable)) == (references[len(paths) :], sorted(damaged))


def read_pages(harness: RegistrationHarness, listing: Listing, size: int) -> tuple[list[str], list[str]]:
    """Read a listing to its end. Return the references, and those of unreadable registrations."""
    listed: list[str] = []
    unreadable: list[str] = []
    position = None
    while True:
        page = listing(harness.stores.reading, start_after=position, page_size=size)
        assert len(page.rows) + len(page.unreadable) <= size
        listed += [row.reference for row in page.rows]
        unreadable += page.unreadable
        position = page.next_position
        if position is None:
            return listed, unreadable


@pytest.mark.parametrize("kind", SEALED_DAMAGES)
def test_a_day_is_counted_without_the_sums_that_cannot_be_read(
    harness: RegistrationHarness, references: list[str], kind: str
) -> None:
    complete = count_day(harness)
    damage(harness, references[DAMAGED], "facts.figures", kind)

    facts = list(harness.stores.reading.iter_day_facts(FIRST_DAY))
    tally = count_day(harness)

    assert [type(each.facts) for each in facts].count(UnreadableFacts) == 1
    assert [type(each.facts) for each in facts].count(RegistrationFacts) == PEOPLE - 1
    assert tally.counts == complete.counts
    assert tally.funnel.received == PEOPLE - 1
    assert tally.oddities[-1] == Anomaly(pattern="records_unreadable", workers=1)


def test_captures_that_do_not_parse_are_counted_as_unreadable(
    harness: RegistrationHarness, references: list[str]
) -> None:
    for number, path in ((2, "facts"), (3, "facts.outcome")):
        garble_item(harness.dynamodb, TABLE, f"CAPTURE#{make_capture_id(number)}", path)

    facts = [each.facts for each in harness.stores.reading.iter_capture_facts(FIRST_DAY)]
    tally = count_day(harness)

    assert len(facts) == PEOPLE
    assert sum(isinstance(each, CaptureFacts) for each in facts) == tally.counts.created == PEOPLE - 2
    assert tally.oddities[-1] == Anomaly(pattern="records_unreadable", workers=2)


def test_a_count_resumes_after_an_unreadable_fact(
    harness: RegistrationHarness, references: list[str]
) -> None:
    damage(harness, references[DAMAGED], "facts.figures", "flipped byte")
    facts = list(harness.stores.reading.iter_day_facts(FIRST_DAY))
    unreadable = next(each for each in facts if isinstance(each.facts, UnreadableFacts))

    rest = list(harness.stores.reading.iter_day_facts(FIRST_DAY, start_after=unreadable.position))

    assert rest == facts[facts.index(unreadable) + 1 :]


def test_ageing_goes_on_past_an_unreadable_registration(
    harness: RegistrationHarness, references: list[str]
) -> None:
    damage(harness, references[DAMAGED], "money", "lost key")
    harness.advance_days(60)

    assert harness.age_due() == {"expired": PEOPLE - 1}

    harness.advance_days(120)
    assert harness.age_due() == {"destroyed": PEOPLE - 1}


@pytest.mark.parametrize("kind", SEALED_DAMAGES)
def test_a_single_unreadable_record_is_refused_and_named(
    harness: RegistrationHarness, references: list[str], kind: str
) -> None:
    damage(harness, references[DAMAGED], "money", kind)
    damage_item(harness.dynamodb, TABLE, f"CAPTURE#{make_capture_id(1)}", "answer", SEALED_DAMAGES[kind])

    with pytest.raises(RecordUnreadable) as registration_error:
        harness.reading_service.get(references[DAMAGED])
    with pytest.raises(RecordUnreadable) as capture_error:
        harness.stores.reading.get_capture(make_capture_id(1))

    assert registration_error.value.record == f"REGISTRATION#{references[DAMAGED]}"
    assert capture_error.value.record == f"CAPTURE#{make_capture_id(1)}"


@pytest.mark.parametrize("listing", [list_day, list_status])
def test_a_fault_of_the_moment_passes_no_record(
    harness: RegistrationHarness, references: list[str], listing: Listing
) -> None:
    def get_keys() -> FieldKeys:
        raise ConnectionError

    store = DynamoReadingStore(harness.dynamodb, TABLE, FieldCipher(get_keys))

    with pytest.raises(ConnectionError):
        listing(store, start_after=None, page_size=PEOPLE)
    with pytest.raises(ConnectionError):
        list(store.iter_day_facts(FIRST_DAY))


def count_day(harness: RegistrationHarness) -> Any:
    counter = DayCounter(AnomalyThresholds())
    for fact in harness.stores.reading.iter_day_facts(FIRST_DAY):
        counter.add(fact)
    return counter.to_tally()
