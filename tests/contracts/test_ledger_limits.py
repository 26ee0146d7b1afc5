"""Claims of SMS: budgets, daily limits and opt-outs hold, also for many processes at once."""

from dataclasses import replace

import pytest

from chalicelib.notifications.errors import (
    BudgetExhausted,
    DailyLimitReached,
    PhoneOptedOut,
    StaleRevision,
)
from chalicelib.notifications.model import SendUpdate, SmsState
from tests.contracts.conftest import Engine
from tests.contracts.sms_ledger import committed, count_winners, make_stores
from tests.support.builders import NOW
from tests.support.registration_builders import SECOND_DAY, make_sms
from tests.support.sms_stores import LIMITS, SmsStores, mark_claimed


@pytest.fixture
def stores(engine: Engine) -> SmsStores:
    return make_stores(engine)


def test_claim_reserves_the_budget(engine: Engine, stores: SmsStores) -> None:
    sms = stores.claim(make_sms())

    assert (stores.ledger.get(sms.sms_id), committed(engine)) == (sms, 350)


def test_claim_over_the_budget_stores_nothing(engine: Engine, stores: SmsStores) -> None:
    stores.claim(make_sms(1, phone_hash="one"))
    stores.claim(make_sms(2, phone_hash="two"))

    with pytest.raises(BudgetExhausted):
        stores.claim(make_sms(3, phone_hash="three"))

    assert committed(engine) == 700
    assert stores.ledger.get(make_sms(3).sms_id) == make_sms(3, phone_hash="three")
    # It is not counted for its phone.
    stores.claim(make_sms(4, phone_hash="three"), sms_per_day=1, budget=None)


def test_sms_that_costs_more_than_the_budget_is_refused(stores: SmsStores) -> None:
    with pytest.raises(BudgetExhausted):
        stores.claim(make_sms(), budget=349)


def test_released_sms_is_claimed_without_a_budget_limit(engine: Engine, stores: SmsStores) -> None:
    stores.claim(make_sms(), budget=None)

    assert committed(engine) == 350


def test_claim_over_the_daily_limit_of_a_phone_is_refused(engine: Engine, stores: SmsStores) -> None:
    for number in (1, 2, 3):
        stores.claim(make_sms(number), budget=10_000)

    with pytest.raises(DailyLimitReached):
        stores.claim(make_sms(4), budget=10_000)

    assert committed(engine) == 3 * 350
    stores.claim(make_sms(5), budget=10_000, phone_day=SECOND_DAY)


def test_resumed_sms_is_not_reserved_or_counted_twice(engine: Engine, stores: SmsStores) -> None:
    sms = stores.claim(make_sms(), sms_per_day=1)
    deferred = stores.advance(sms, sms.defer(NOW, "stopped"))

    stores.ledger.claim(
        mark_claimed(deferred), previous=deferred, limits=replace(LIMITS, sms_per_day=1, budget=350)
    )

    assert committed(engine) == 350


def test_deferred_sms_counts_for_the_day_of_its_claim(stores: SmsStores) -> None:
    sms = stores.claim(make_sms(1), sms_per_day=1)
    deferred = stores.advance(sms, sms.defer(NOW, "stopped"))
    stores.claim(make_sms(2), sms_per_day=1, phone_day=SECOND_DAY)

    with pytest.raises(DailyLimitReached):
        stores.ledger.claim(
            mark_claimed(deferred, phone_day=SECOND_DAY),
            previous=deferred,
            limits=replace(LIMITS, sms_per_day=1),
        )


def test_second_copy_counts_for_the_daily_limit(stores: SmsStores) -> None:
    sms = stores.claim(make_sms(), sms_per_day=1)
    for after in (
        sms.start_attempt(NOW),
        sms.start_attempt(NOW).record_unknown_outcome("timeout", "aws", may_resend=True),
        sms.start_attempt(NOW).record_unknown_outcome("timeout", "aws", may_resend=True).schedule_resend(NOW),
    ):
        assert stores.ledger.update(after, previous=sms)
        sms = after

    with pytest.raises(DailyLimitReached):
        stores.ledger.claim(mark_claimed(sms), previous=sms, limits=replace(LIMITS, sms_per_day=1))
    stores.ledger.claim(mark_claimed(sms), previous=sms, limits=replace(LIMITS, sms_per_day=2))


def test_claim_for_a_phone_that_opted_out_is_refused(engine: Engine, stores: SmsStores) -> None:
    for _ in range(2):
        stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")

    with pytest.raises(PhoneOptedOut):
        stores.claim(make_sms())

    assert committed(engine) == 0
    stores.claim(make_sms(2, phone_hash="another"))


def test_stale_revision_is_reported_before_limits(stores: SmsStores) -> None:
    created = stores.ledger.get_or_create(make_sms())
    stores.ledger.update(created.defer(NOW, "stopped"), previous=created)
    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")

    with pytest.raises(StaleRevision):
        stores.ledger.claim(mark_claimed(created), previous=created, limits=replace(LIMITS, sms_per_day=0))


def test_budget_follows_the_known_price(engine: Engine, stores: SmsStores) -> None:
    sms = stores.claim(make_sms())
    started = stores.advance(sms, sms.start_attempt(NOW))
    accepted = started.record_acceptance("aws", "g-1")
    stores.ledger.update(accepted, previous=started)
    assert committed(engine) == 350

    with_receipt = accepted.apply_update(SendUpdate("aws", "g-1", SmsState.DELIVERED, price=331))
    stores.ledger.update(with_receipt, previous=accepted)

    assert committed(engine) == 331


def test_abandoned_sms_frees_its_reservation(engine: Engine, stores: SmsStores) -> None:
    sms = stores.claim(make_sms())
    deferred = stores.advance(sms, sms.defer(NOW, "stopped"))

    stores.ledger.update(deferred.abandon("expired"), previous=deferred)

    assert committed(engine) == 0


def test_stale_receipt_changes_no_budget(engine: Engine, stores: SmsStores) -> None:
    sms = stores.claim(make_sms())
    stores.advance(sms, sms.start_attempt(NOW))

    assert (
        stores.ledger.update(
            sms.apply_update(SendUpdate("aws", "g-1", SmsState.SENT, price=900)), previous=sms
        )
        is False
    )
    assert committed(engine) == 350


def test_one_of_many_processes_claims_an_sms(concurrent_engine: Engine) -> None:
    stores = make_stores(concurrent_engine)
    created = stores.ledger.get_or_create(make_sms())

    def race(_: int) -> bool:
        try:
            stores.ledger.claim(mark_claimed(created), previous=created, limits=LIMITS)
        except StaleRevision:
            return False
        return True

    assert count_winners(race) == 1
    assert committed(concurrent_engine) == 350


def test_many_processes_never_exceed_the_budget(concurrent_engine: Engine) -> None:
    stores = make_stores(concurrent_engine)

    def race(number: int) -> bool:
        created = stores.ledger.get_or_create(make_sms(number, phone_hash=str(number)))
        try:
            stores.ledger.claim(
                mark_claimed(created), previous=created, limits=replace(LIMITS, budget=5 * 350)
            )
        except BudgetExhausted:
            return False
        return True

    assert count_winners(race) == 5
    assert committed(concurrent_engine) == 5 * 350


def test_many_processes_never_exceed_the_daily_limit(concurrent_engine: Engine) -> None:
    stores = make_stores(concurrent_engine)

    def race(number: int) -> bool:
        created = stores.ledger.get_or_create(make_sms(number))
        try:
            stores.ledger.claim(mark_claimed(created), previous=created, limits=replace(LIMITS, budget=None))
        except DailyLimitReached:
            return False
        return True

    assert count_winners(race) == 3
