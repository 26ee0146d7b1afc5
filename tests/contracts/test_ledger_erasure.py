"""Erasure of SMS: only anonymous facts and costs are kept, and each reservation is freed once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.items import from_item
from chalicelib.conflicts import WriteConflict
from chalicelib.notifications.errors import (
    StaleRevision,
)
from chalicelib.notifications.model import Sms
from chalicelib.notifications.templates import SmsKind
from chalicelib.refusals import TryAgain
from tests.contracts.conftest import Engine
from tests.contracts.sms_ledger import RACERS, committed, make_stores
from tests.support.builders import NOW
from tests.support.registration_builders import FIRST_DAY, make_sms
from tests.support.sms_stores import LIMITS, SmsStores, mark_claimed


@pytest.fixture
def stores(engine: Engine) -> SmsStores:
    return make_stores(engine)


def test_sms_of_one_registration_are_found_and_erased(stores: SmsStores) -> None:
    for sms in (make_sms(1), make_sms(2), make_sms(3, reference="B3D-F5H-J7M")):
        stores.ledger.get_or_create(sms)
    assert {each.sms_id for each in stores.history.iter_by_reference(make_sms().reference)} == {
        make_sms(1).sms_id,
        make_sms(2).sms_id,
    }

    for _ in range(2):
        stores.history.erase(make_sms().reference)

    assert list(stores.history.iter_by_reference(make_sms().reference)) == []
    assert list(stores.history.iter_by_reference("B3D-F5H-J7M")) == [make_sms(3, reference="B3D-F5H-J7M")]


def test_erased_sms_keeps_only_anonymous_facts(engine: Engine, stores: SmsStores) -> None:
    sms = stores.claim(make_sms(1))
    started = stores.advance(sms, sms.start_attempt(NOW))
    stores.ledger.update(started.record_acceptance("aws", "g-1"), previous=started)
    stores.ledger.get_or_create(make_sms(2, phone_hash="another"))
    counted = sorted(stores.ledger.iter_day_facts(FIRST_DAY), key=str)

    for _ in range(2):
        stores.history.erase(make_sms().reference)

    assert sorted(stores.ledger.iter_day_facts(FIRST_DAY), key=str) == counted
    left = [item for item in map(from_item, engine.scan_items()) if "sms_id" in item]
    assert [set(item) for item in left] == [{"sms_id", "day_shard", "facts"}] * 2
    assert not {item["sms_id"] for item in left} & {make_sms(1).sms_id, make_sms(2).sms_id}
    assert list(stores.ledger.iter_due(SmsKind.CONFIRMATION, NOW + timedelta(days=9))) == []


def test_erasure_frees_the_reservation_once(engine: Engine, stores: SmsStores) -> None:
    stores.claim(make_sms(1))
    sms = stores.claim(make_sms(2))
    stores.ledger.update(sms.defer(NOW, "stopped"), previous=sms)
    stores.claim(make_sms(3, reference="B3D-F5H-J7M"), budget=None)
    assert committed(engine) == 3 * 350

    for _ in range(2):
        stores.history.erase(make_sms().reference)

    assert committed(engine) == 350
    assert sorted(facts.money for facts in stores.ledger.iter_day_facts(FIRST_DAY)) == [0, 0, 350]


@pytest.mark.parametrize(
    "change",
    [
        lambda sms: sms,
        lambda sms: sms.record_unknown_outcome("ReadTimeoutError", "aws", may_resend=True),
        lambda sms: sms.record_acceptance("aws", "g-1"),
    ],
    ids=["attempt started", "unknown", "accepted"],
)
def test_erasure_keeps_the_cost_of_started_attempts(engine: Engine, stores: SmsStores, change: Any) -> None:
    sms = stores.claim(make_sms())
    started = stores.advance(sms, sms.start_attempt(NOW))
    if change(started) is not started:
        stores.ledger.update(change(started), previous=started)

    stores.history.erase(make_sms().reference)

    assert committed(engine) == 350
    assert [facts.money for facts in stores.ledger.iter_day_facts(FIRST_DAY)] == [350]


def test_erasure_before_a_second_copy_keeps_the_cost_of_the_first(engine: Engine, stores: SmsStores) -> None:
    sms = stores.claim(make_sms())
    sms = stores.advance(sms, sms.start_attempt(NOW))
    sms = stores.advance(sms, sms.record_unknown_outcome("ReadTimeoutError", "aws", may_resend=True))
    sms = stores.advance(sms, sms.schedule_resend(NOW))
    stores.ledger.claim(mark_claimed(sms), previous=sms, limits=LIMITS)
    assert committed(engine) == 2 * 350

    stores.history.erase(make_sms().reference)

    assert committed(engine) == 350


def test_erased_sms_cannot_be_stored_again_by_its_process(stores: SmsStores) -> None:
    sms = stores.claim(make_sms())
    stores.history.erase(make_sms().reference)

    assert stores.ledger.update(sms.start_attempt(NOW), previous=sms) is False
    assert stores.ledger.update(sms.defer(NOW, "stopped").abandon("expired"), previous=sms) is False
    with pytest.raises(StaleRevision):
        stores.ledger.claim(mark_claimed(make_sms()), previous=make_sms(), limits=LIMITS)
    assert list(stores.history.iter_by_reference(make_sms().reference)) == []


def test_sms_is_erased_despite_concurrent_updates(concurrent_engine: Engine) -> None:
    stores = make_stores(concurrent_engine)

    created = stores.ledger.get_or_create(make_sms())
    with ThreadPoolExecutor(RACERS) as threads:
        senders = [
            threads.submit(stores.ledger.update, created.mark_queued(NOW), previous=created)
            for _ in range(RACERS - 1)
        ]
        stores.history.erase(created.reference)
        for sender in senders:
            sender.result()

    assert stores.ledger.get(created.sms_id) is None
    assert len(list(stores.ledger.iter_day_facts(FIRST_DAY))) == 1


def test_concurrent_erasures_and_attempts_free_each_reservation_once(
    concurrent_engine: Engine,
) -> None:
    stores = make_stores(concurrent_engine)
    texts = [stores.claim(make_sms(number, phone_hash=str(number)), budget=None) for number in range(1, 7)]

    def begin(sms: Sms) -> bool:
        for _ in range(50):
            try:
                return stores.ledger.update(sms.start_attempt(NOW), previous=sms)
            except WriteConflict:
                continue
        raise AssertionError("too many conflicts")

    def forget() -> None:
        for _ in range(50):
            try:
                return stores.history.erase(make_sms().reference)
            except TryAgain:
                continue
        raise AssertionError("too many conflicts")

    with ThreadPoolExecutor(RACERS) as threads:
        erasures = [threads.submit(forget) for _ in range(3)]
        sendings = [threads.submit(begin, sms) for sms in texts]
        for erasure in erasures:
            erasure.result()
        created = sum(sending.result() for sending in sendings)

    # An attempt that started before the erasure may have sent the SMS.
    assert committed(concurrent_engine) == created * 350
    assert sum(facts.money for facts in stores.ledger.iter_day_facts(FIRST_DAY)) == created * 350
