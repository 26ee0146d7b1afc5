"""The stores of SMS: creation, updates, claims within limits, queries, erasure and opt-outs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.items import from_item
from chalicelib.conflicts import WriteConflict
from chalicelib.messaging.opt_outs import OptOut
from chalicelib.notifications.bodies import Purpose
from chalicelib.notifications.counting import SmsFacts
from chalicelib.notifications.errors import (
    BudgetExhausted,
    DailyLimitReached,
    PhoneOptedOut,
    StaleRevision,
)
from chalicelib.notifications.model import SendUpdate, Sms, SmsState
from chalicelib.notifications.templates import SmsKind
from chalicelib.refusals import TryAgain
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_sms
from tests.support.sms_stores import LIMITS, SmsStores, mark_claimed

RACERS = 12


def make_stores(engine: Engine) -> SmsStores:
    return SmsStores(
        engine.client,
        sms_table=engine.create_table("SmsLedgerTable"),
        sending_table=engine.create_table("SendingTable"),
    )


@pytest.fixture
def stores(engine: Engine) -> SmsStores:
    return make_stores(engine)


def committed(engine: Engine) -> int:
    """Return the rupiah committed of the first day's budget."""
    items = [from_item(item) for item in engine.scan_items()]
    return sum(int(item["committed"]) for item in items if "committed" in item)


def test_new_sms_is_created_and_found(stores: SmsStores) -> None:
    assert stores.ledger.get(make_sms().sms_id) is None
    assert stores.ledger.get_or_create(make_sms()) == make_sms()
    assert stores.ledger.get(make_sms().sms_id) == make_sms()


def test_second_creation_returns_the_first_sms(stores: SmsStores) -> None:
    stores.ledger.get_or_create(make_sms())

    assert stores.ledger.get_or_create(make_sms(begun_at=NOW + timedelta(minutes=1))) == make_sms()


def test_other_sms_is_created(stores: SmsStores) -> None:
    stores.ledger.get_or_create(make_sms(1))

    assert stores.ledger.get_or_create(make_sms(2)) == make_sms(2)


def test_every_revision_is_stored(stores: SmsStores) -> None:
    sms = stores.claim(make_sms())
    changes: list[Callable[[Sms], Sms]] = [
        lambda sms: sms.start_attempt(NOW),
        lambda sms: sms.record_acceptance("aws", "g-1"),
        lambda sms: sms.apply_update(SendUpdate("aws", "g-1", SmsState.SENT, parts=1, price=350)),
        lambda sms: sms.apply_update(
            SendUpdate("twilio", "g-2", SmsState.FAILED, parts=2, price=700, reason="no")
        ),
    ]
    for change in changes:
        sms = stores.advance(sms, change(sms))
        assert stores.ledger.get(sms.sms_id) == sms


@pytest.mark.parametrize(
    "sms",
    [
        make_sms().defer(NOW + timedelta(hours=9), "quiet_hours"),
        make_sms().hold("budget_exhausted"),
        make_sms().abandon("opted_out"),
        make_sms(purpose=Purpose.LAPSING_SOON, kind=SmsKind.REMINDER, event_version=4),
    ],
    ids=["deferred", "held", "abandoned", "reminder"],
)
def test_sms_in_any_state_is_read_as_stored(stores: SmsStores, sms: Any) -> None:
    stores.ledger.get_or_create(sms)

    assert stores.ledger.get(sms.sms_id) == sms


def test_update_of_a_stale_revision_changes_nothing(stores: SmsStores) -> None:
    created = stores.ledger.get_or_create(make_sms())
    first = stores.advance(created, created.defer(NOW, "stopped"))

    assert stores.ledger.update(created.abandon("expired"), previous=created) is False
    assert stores.ledger.get(created.sms_id) == first


def test_update_of_an_unknown_sms_changes_nothing(stores: SmsStores) -> None:
    assert stores.ledger.update(make_sms().abandon("expired"), previous=make_sms()) is False
    assert stores.ledger.get(make_sms().sms_id) is None


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


def test_due_sms_are_found_by_kind(stores: SmsStores) -> None:
    soon = stores.ledger.get_or_create(make_sms(1, due_at=NOW + timedelta(minutes=1)))
    stores.ledger.get_or_create(make_sms(2, due_at=NOW + timedelta(minutes=3)))
    stores.ledger.get_or_create(make_sms(3, due_at=NOW, kind=SmsKind.REMINDER))
    stores.ledger.get_or_create(make_sms(4, due_at=None))

    at = NOW + timedelta(minutes=2)
    assert list(stores.ledger.iter_due(SmsKind.CONFIRMATION, at)) == [soon.sms_id]
    assert list(stores.ledger.iter_due(SmsKind.REMINDER, at)) == [make_sms(3).sms_id]
    assert len(list(stores.ledger.iter_due(SmsKind.CONFIRMATION, at + timedelta(days=1)))) == 2


def test_held_sms_are_found_longest_held_first_and_are_never_due(stores: SmsStores) -> None:
    stores.ledger.get_or_create(make_sms(1, begun_at=NOW + timedelta(hours=1)).hold("budget_exhausted"))
    stores.ledger.get_or_create(make_sms(2, campaign_id="senen-2024").hold("budget_exhausted"))
    stores.ledger.get_or_create(make_sms(3))

    assert list(stores.ledger.iter_held()) == [make_sms(2).sms_id, make_sms(1).sms_id]
    assert make_sms(1).sms_id not in set(
        stores.ledger.iter_due(SmsKind.CONFIRMATION, NOW + timedelta(days=9))
    )


def test_facts_of_a_campaign_day_are_found(stores: SmsStores) -> None:
    sms = stores.claim(make_sms(1))
    started = stores.advance(sms, sms.start_attempt(NOW))
    stores.ledger.update(started.record_acceptance("aws", "g-1"), previous=started)
    stores.ledger.get_or_create(make_sms(2))
    stores.ledger.get_or_create(make_sms(3, day=SECOND_DAY.day))
    stores.ledger.get_or_create(make_sms(4, campaign_id="senen-2024"))

    assert sorted(stores.ledger.iter_day_facts(FIRST_DAY), key=str) == [
        SmsFacts("received", "accepted", 1, 350),
        SmsFacts("received", "pending", 0, 0),
    ]


def test_items_hold_no_body_number_or_name(engine: Engine, stores: SmsStores) -> None:
    stores.claim(make_sms())
    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")

    stored = str(engine.scan_items())
    assert not [each for each in ("BPJAMSOSTEK", "82455507001", "Melati") if each in stored]


def count_winners(race: Callable[[int], bool]) -> int:
    """Run `race` concurrently. Return how many return True. Repeat after conflicts, as the service does."""

    def run(number: int) -> bool:
        for _ in range(50):
            try:
                return race(number)
            except WriteConflict:
                continue
        raise AssertionError("too many conflicts")

    with ThreadPoolExecutor(RACERS) as threads:
        return sum(threads.map(run, range(RACERS)))


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


def test_opt_out_is_found(stores: SmsStores) -> None:
    assert not stores.opt_outs.has_opted_out("hash of a phone")

    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")

    assert stores.opt_outs.has_opted_out("hash of a phone")
    assert not stores.opt_outs.has_opted_out("another")


def test_first_opt_out_is_kept(stores: SmsStores) -> None:
    for hours in (0, 1):
        stores.opt_outs.record(
            "hash of a phone", occurred_at=NOW + timedelta(hours=hours), source=f"said {hours}"
        )

    assert stores.opt_outs.find("hash of a phone") == OptOut(NOW, "said 0")
    assert stores.opt_outs.find("another") is None


def test_lifted_opt_out_allows_claims_and_stays_stored(engine: Engine, stores: SmsStores) -> None:
    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")
    at = NOW + timedelta(hours=1)

    assert stores.opt_outs.lift("hash of a phone", occurred_at=at, lifted_by="salemba") is True

    stores.claim(make_sms())
    assert committed(engine) == 350
    assert not stores.opt_outs.has_opted_out("hash of a phone")
    assert stores.opt_outs.find("hash of a phone") == OptOut(NOW, "aws", lifted_at=at, lifted_by="salemba")


def test_lift_without_an_opt_out_in_force_returns_false(stores: SmsStores) -> None:
    assert stores.opt_outs.lift("hash of a phone", occurred_at=NOW, lifted_by="salemba") is False
    assert stores.opt_outs.find("hash of a phone") is None

    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")
    stores.opt_outs.lift("hash of a phone", occurred_at=NOW, lifted_by="salemba")
    assert (
        stores.opt_outs.lift("hash of a phone", occurred_at=NOW + timedelta(hours=1), lifted_by="senen")
        is False
    )
    assert stores.opt_outs.find("hash of a phone") == OptOut(NOW, "aws", NOW, "salemba")


@pytest.mark.parametrize(("minutes", "counts"), [(-1, False), (0, False), (1, True)])
def test_only_a_later_opt_out_replaces_a_lifted_one(stores: SmsStores, minutes: int, counts: bool) -> None:
    lifted_at = NOW + timedelta(hours=1)
    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")
    stores.opt_outs.lift("hash of a phone", occurred_at=lifted_at, lifted_by="salemba")

    stores.opt_outs.record(
        "hash of a phone", occurred_at=lifted_at + timedelta(minutes=minutes), source="twilio"
    )

    assert stores.opt_outs.has_opted_out("hash of a phone") is counts


def test_due_sms_are_found_longest_due_first_whatever_their_shard(stores: SmsStores) -> None:
    numbers = list(range(1, 21))
    due_at_by_id = {}
    for number in numbers:
        # Neighbouring numbers fall into different shards.
        sms = make_sms(number, due_at=NOW + timedelta(minutes=number * 7 % 20))
        stores.ledger.get_or_create(sms)
        due_at_by_id[sms.sms_id] = sms.due_at

    found = [due_at_by_id[each] for each in stores.ledger.iter_due(SmsKind.CONFIRMATION, NOW + timedelta(1))]

    assert len(found) == len(numbers)
    assert found == sorted(found, key=str)
