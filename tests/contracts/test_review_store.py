"""The store of review items on each engine: one for each subject, in order, and nothing left of a person."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import count
from threading import Barrier, Thread

import pytest

from chalicelib.audit.model import Action, AuditRecord, Subject
from chalicelib.audit.store import DynamoAuditTrail
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.reviews.errors import ReviewItemUnknown
from chalicelib.reviews.model import (
    MAX_REFERENCES,
    ReviewedRegistration,
    ReviewItem,
    ReviewKind,
    ReviewState,
    make_item_id,
)
from chalicelib.reviews.store import DynamoReviewStore
from tests.contracts.conftest import Engine
from tests.support.builders import NOW

CAMPAIGN_ID, DAY = "tanah-abang-2024", date(2024, 10, 9)
EXPIRES_AT = int(NOW.timestamp())


def open_store(engine: Engine, cipher: FieldCipher) -> DynamoReviewStore:
    ids = count()
    trail = DynamoAuditTrail(
        engine.client,
        engine.create_table("AuditTable"),
        retention_period=timedelta(days=30),
        new_id=lambda: f"{next(ids):016x}",
        get_correlation_id=lambda: "c-1",
    )
    return DynamoReviewStore(
        engine.client, engine.create_table("ReviewsTable"), cipher, build_audit_write=trail.build_append
    )


@pytest.fixture
def store(engine: Engine, cipher: FieldCipher) -> DynamoReviewStore:
    return open_store(engine, cipher)


def make_item(key: str, *references: str, minute: int = 0) -> ReviewItem:
    return ReviewItem(
        item_id=make_item_id(CAMPAIGN_ID, ReviewKind.PHONE_OVERUSED, key),
        campaign_id=CAMPAIGN_ID,
        kind=ReviewKind.PHONE_OVERUSED,
        state=ReviewState.OPEN,
        opened_at=NOW + timedelta(minutes=minute),
        day=DAY,
        registrations=tuple(ReviewedRegistration(each, DAY) for each in references),
    )


def open_item(store: DynamoReviewStore, *items: ReviewItem) -> None:
    for item in items:
        store.open(item, expires_at=EXPIRES_AT)


def change(
    store: DynamoReviewStore, item: ReviewItem, state: ReviewState, note: str | None = None
) -> ReviewItem:
    changed = item.change(state, note, changed_by="branch-office", changed_at=NOW)
    record = AuditRecord(Subject.review_item(item.item_id), Action.CHANGED, "branch-office", NOW)
    store.replace(changed, previous=item, record=record)
    return changed


def list_ids(store: DynamoReviewStore, state: ReviewState, *, page_size: int) -> list[str]:
    found, start_after, has_more = [], None, True
    while has_more:
        page = store.list_page(CAMPAIGN_ID, state, start_after=start_after, page_size=page_size)
        found += [each.item_id for each in page.rows]
        start_after, has_more = page.last_position, page.has_more
    return found


def test_an_item_is_read_as_it_was_stored_and_stored_once(store: DynamoReviewStore) -> None:
    item = replace(
        make_item("a", "7K4-M2Q-X9P"), note="Tanya petugas.", client_id="van-1", figures={"workers": 2}
    )

    open_item(store, item, replace(item, opened_at=NOW + timedelta(days=1)))

    assert store.get(CAMPAIGN_ID, item.item_id) == item
    assert list_ids(store, ReviewState.OPEN, page_size=9) == [item.item_id]


@pytest.mark.parametrize("page_size", [1, 2, 9])
def test_items_of_a_state_are_listed_newest_first_page_by_page(
    store: DynamoReviewStore, page_size: int
) -> None:
    items = [make_item(f"key {minute}", minute=minute) for minute in (2, 0, 3, 1)]
    open_item(store, *items)
    change(store, items[2], ReviewState.LOOKED_AT)

    by_minute = {item.opened_at: item.item_id for item in items}
    expected = [by_minute[NOW + timedelta(minutes=minute)] for minute in (2, 1, 0)]
    assert list_ids(store, ReviewState.OPEN, page_size=page_size) == expected
    assert list_ids(store, ReviewState.LOOKED_AT, page_size=page_size) == [items[2].item_id]
    assert list_ids(store, ReviewState.ACTED_ON, page_size=page_size) == []


def test_a_new_registration_opens_an_item_again_and_a_known_one_does_not(store: DynamoReviewStore) -> None:
    item = make_item("a", "7K4-M2Q-X9P")
    open_item(store, item)
    looked_at = change(store, item, ReviewState.LOOKED_AT, "Sudah ditanya.")

    open_item(store, item)
    assert store.get(CAMPAIGN_ID, item.item_id) == looked_at

    open_item(store, make_item("a", "B3D-F5H-J7M"))
    grown = store.get(CAMPAIGN_ID, item.item_id)
    assert (grown.state, grown.note, len(grown.registrations)) == (ReviewState.OPEN, "Sudah ditanya.", 2)


def test_figures_that_are_counted_again_leave_the_state_as_it_is(store: DynamoReviewStore) -> None:
    item = replace(make_item("a"), figures={"workers": 2})
    open_item(store, item)
    change(store, item, ReviewState.ACTED_ON)

    open_item(store, replace(item, figures={"workers": 3}))

    counted = store.get(CAMPAIGN_ID, item.item_id)
    assert (counted.figures, counted.state) == ({"workers": 3}, ReviewState.ACTED_ON)


def test_an_item_names_a_bounded_number_of_registrations(store: DynamoReviewStore) -> None:
    for number in range(MAX_REFERENCES + 3):
        open_item(store, make_item("a", f"REF-{number:03d}-AAA"))

    assert len(store.get(CAMPAIGN_ID, make_item("a").item_id).registrations) == MAX_REFERENCES


def test_an_erased_registration_takes_its_own_items_and_its_place_and_the_note_of_others(
    store: DynamoReviewStore, engine: Engine
) -> None:
    own, shared = make_item("own", "7K4-M2Q-X9P"), make_item("shared", "7K4-M2Q-X9P", "B3D-F5H-J7M")
    other = make_item("other", "B3D-F5H-J7M")
    open_item(store, *(replace(each, note="Ibu Melati.") for each in (own, shared, other)))

    for _ in range(2):
        store.erase_reference("7K4-M2Q-X9P")

    with pytest.raises(ReviewItemUnknown):
        store.get(CAMPAIGN_ID, own.item_id)
    left = store.get(CAMPAIGN_ID, shared.item_id)
    assert (left.note, left.registrations) == (None, (ReviewedRegistration("B3D-F5H-J7M", DAY),))
    assert store.get(CAMPAIGN_ID, other.item_id).note == "Ibu Melati."
    assert list(store.iter_by_reference("7K4-M2Q-X9P")) == []
    assert {each.item_id for each in store.iter_by_reference("B3D-F5H-J7M")} == {
        shared.item_id,
        other.item_id,
    }
    assert "7K4-M2Q-X9P" not in repr(engine.scan_items())


def test_a_deleted_item_leaves_nothing_and_cannot_be_changed(
    store: DynamoReviewStore, engine: Engine
) -> None:
    item = make_item("a", "7K4-M2Q-X9P")
    open_item(store, item)

    store.delete(item.item_id)

    assert engine.scan_items() == []
    with pytest.raises(ReviewItemUnknown):
        change(store, item, ReviewState.LOOKED_AT)
    assert engine.scan_items() == []


def test_an_item_is_found_in_its_own_campaign_alone(store: DynamoReviewStore) -> None:
    item = make_item("a")
    open_item(store, item)

    for campaign_id, item_id in (("senen-2024", item.item_id), (CAMPAIGN_ID, "x" * 3000), ("x" * 3000, "a")):
        with pytest.raises(ReviewItemUnknown):
            store.get(campaign_id, item_id)


def test_registrations_that_come_at_once_are_all_named(
    concurrent_engine: Engine, cipher: FieldCipher
) -> None:
    store, start = open_store(concurrent_engine, cipher), Barrier(8)

    def add(number: int) -> None:
        start.wait()
        open_item(store, make_item("a", f"REF-{number:03d}-AAA"))

    threads = [Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(store.get(CAMPAIGN_ID, make_item("a").item_id).registrations) == 8
