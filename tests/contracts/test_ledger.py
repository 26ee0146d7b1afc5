"""What any ledger of texts promises: a text begins once, moves only from where it was seen to stand, and is
claimed only with its money, its phone's day and its worker's consent.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.items import from_item
from chalicelib.conflicts import WriteConflict
from chalicelib.messaging.opt_outs import OptOut
from chalicelib.notifications.counting import SmsFacts
from chalicelib.notifications.errors import (
    BudgetExhausted,
    DailyLimitReached,
    PhoneOptedOut,
    StaleRevision,
)
from chalicelib.notifications.model import SendUpdate, Sms, SmsState
from chalicelib.notifications.templates import Purpose, SmsKind
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
    """The money of the first day."""
    items = [from_item(item) for item in engine.scan_items()]
    return sum(int(item["committed"]) for item in items if "committed" in item)


def test_a_text_begins_and_is_found(stores: SmsStores) -> None:
    assert stores.ledger.get(make_sms().sms_id) is None
    assert stores.ledger.get_or_create(make_sms()) == make_sms()
    assert stores.ledger.get(make_sms().sms_id) == make_sms()


def test_a_text_that_has_begun_is_found_by_whoever_begins_it_again(stores: SmsStores) -> None:
    stores.ledger.get_or_create(make_sms())

    assert stores.ledger.get_or_create(make_sms(begun_at=NOW + timedelta(minutes=1))) == make_sms()


def test_another_text_begins_beside_it(stores: SmsStores) -> None:
    stores.ledger.get_or_create(make_sms(1))

    assert stores.ledger.get_or_create(make_sms(2)) == make_sms(2)


def test_everything_of_a_text_is_kept(stores: SmsStores) -> None:
    text = stores.claim(make_sms())
    for change in (
        lambda text: text.start_attempt(NOW),
        lambda text: text.record_acceptance("aws", "g-1"),
        lambda text: text.apply_update(SendUpdate("aws", "g-1", SmsState.SENT, parts=1, price=350)),
        lambda text: text.apply_update(
            SendUpdate("twilio", "g-2", SmsState.FAILED, parts=2, price=700, reason="no")
        ),
    ):
        after = change(text)
        assert stores.ledger.update(after, previous=text) is True
        assert stores.ledger.get(text.sms_id) == after
        text = after


@pytest.mark.parametrize(
    "text",
    [
        make_sms().defer(NOW + timedelta(hours=9), "quiet_hours"),
        make_sms().hold("budget_exhausted"),
        make_sms().abandon("opted_out"),
        make_sms(purpose=Purpose.LAPSING_SOON, kind=SmsKind.REMINDER, event_version=4),
    ],
    ids=["put off", "held", "given up", "a reminder"],
)
def test_every_kind_of_row_comes_back_as_it_was(stores: SmsStores, text: Any) -> None:
    stores.ledger.get_or_create(text)

    assert stores.ledger.get(text.sms_id) == text


def test_a_text_that_moved_meanwhile_is_not_moved(stores: SmsStores) -> None:
    begun = stores.ledger.get_or_create(make_sms())
    first = begun.defer(NOW, "stopped")
    stores.ledger.update(first, previous=begun)

    assert stores.ledger.update(begun.abandon("expired"), previous=begun) is False
    assert stores.ledger.get(begun.sms_id) == first


def test_a_text_that_never_began_cannot_move(stores: SmsStores) -> None:
    assert stores.ledger.update(make_sms().abandon("expired"), previous=make_sms()) is False
    assert stores.ledger.get(make_sms().sms_id) is None


def test_a_claim_puts_the_money_aside(engine: Engine, stores: SmsStores) -> None:
    text = stores.claim(make_sms())

    assert (stores.ledger.get(text.sms_id), committed(engine)) == (text, 350)


def test_a_claim_over_the_days_money_stores_nothing(engine: Engine, stores: SmsStores) -> None:
    stores.claim(make_sms(1, phone_hash="one"))
    stores.claim(make_sms(2, phone_hash="two"))

    with pytest.raises(BudgetExhausted):
        stores.claim(make_sms(3, phone_hash="three"))

    assert committed(engine) == 700
    assert stores.ledger.get(make_sms(3).sms_id).state is SmsState.PENDING
    # Nor is it counted for its phone.
    stores.claim(make_sms(4, phone_hash="three"), sms_per_day=1, budget=None)


def test_a_text_that_alone_costs_more_than_the_day_has_is_refused(stores: SmsStores) -> None:
    with pytest.raises(BudgetExhausted):
        stores.claim(make_sms(), budget=349)


def test_a_released_text_is_claimed_whatever_the_budget_says(engine: Engine, stores: SmsStores) -> None:
    stores.claim(make_sms(), budget=None)

    assert committed(engine) == 350


def test_a_phone_has_its_texts_of_the_day_and_no_more(engine: Engine, stores: SmsStores) -> None:
    for number in (1, 2, 3):
        stores.claim(make_sms(number), budget=10_000)

    with pytest.raises(DailyLimitReached):
        stores.claim(make_sms(4), budget=10_000)

    assert committed(engine) == 3 * 350
    stores.claim(make_sms(5), budget=10_000, phone_day=SECOND_DAY)


def test_a_text_taken_up_again_is_neither_paid_nor_counted_twice(engine: Engine, stores: SmsStores) -> None:
    text = stores.claim(make_sms(), sms_per_day=1)
    later = text.defer(NOW, "stopped")
    stores.ledger.update(later, previous=text)

    stores.ledger.claim(
        mark_claimed(later), previous=later, limits=replace(LIMITS, sms_per_day=1, budget=350)
    )

    assert committed(engine) == 350


def test_a_text_put_off_to_another_day_counts_for_the_day_it_goes_out_on(stores: SmsStores) -> None:
    text = stores.claim(make_sms(1), sms_per_day=1)
    later = text.defer(NOW, "stopped")
    stores.ledger.update(later, previous=text)
    stores.claim(make_sms(2), sms_per_day=1, phone_day=SECOND_DAY)

    with pytest.raises(DailyLimitReached):
        stores.ledger.claim(
            mark_claimed(later, phone_day=SECOND_DAY), previous=later, limits=replace(LIMITS, sms_per_day=1)
        )


def test_the_second_copy_of_a_text_counts_for_its_day_as_well(stores: SmsStores) -> None:
    text = stores.claim(make_sms(), sms_per_day=1)
    for after in (
        text.start_attempt(NOW),
        text.start_attempt(NOW).record_unknown_outcome("timeout", "aws", may_resend=True),
        text.start_attempt(NOW)
        .record_unknown_outcome("timeout", "aws", may_resend=True)
        .schedule_resend(NOW),
    ):
        assert stores.ledger.update(after, previous=text)
        text = after

    with pytest.raises(DailyLimitReached):
        stores.ledger.claim(mark_claimed(text), previous=text, limits=replace(LIMITS, sms_per_day=1))
    stores.ledger.claim(mark_claimed(text), previous=text, limits=replace(LIMITS, sms_per_day=2))


def test_a_phone_that_opted_out_is_claimed_for_nothing(engine: Engine, stores: SmsStores) -> None:
    for _ in range(2):
        stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")

    with pytest.raises(PhoneOptedOut):
        stores.claim(make_sms())

    assert committed(engine) == 0
    stores.claim(make_sms(2, phone_hash="another"))


def test_a_claim_of_a_text_that_has_moved_says_so_before_anything_else(stores: SmsStores) -> None:
    begun = stores.ledger.get_or_create(make_sms())
    stores.ledger.update(begun.defer(NOW, "stopped"), previous=begun)
    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")

    with pytest.raises(StaleRevision):
        stores.ledger.claim(mark_claimed(begun), previous=begun, limits=replace(LIMITS, sms_per_day=0))


def test_money_follows_what_is_known_of_the_price(engine: Engine, stores: SmsStores) -> None:
    text = stores.claim(make_sms())
    started = text.start_attempt(NOW)
    stores.ledger.update(started, previous=text)
    accepted = started.record_acceptance("aws", "g-1")
    stores.ledger.update(accepted, previous=started)
    assert committed(engine) == 350

    noted = accepted.apply_update(SendUpdate("aws", "g-1", SmsState.DELIVERED, price=331))
    stores.ledger.update(noted, previous=accepted)

    assert committed(engine) == 331


def test_money_put_aside_for_nothing_is_free_again(engine: Engine, stores: SmsStores) -> None:
    text = stores.claim(make_sms())
    waiting = text.defer(NOW, "stopped")
    stores.ledger.update(waiting, previous=text)

    stores.ledger.update(waiting.abandon("expired"), previous=waiting)

    assert committed(engine) == 0


def test_a_receipt_that_comes_too_late_for_its_revision_changes_no_money(
    engine: Engine, stores: SmsStores
) -> None:
    text = stores.claim(make_sms())
    started = text.start_attempt(NOW)
    stores.ledger.update(started, previous=text)

    assert (
        stores.ledger.update(
            text.apply_update(SendUpdate("aws", "g-1", SmsState.SENT, price=900)), previous=text
        )
        is False
    )
    assert committed(engine) == 350


def test_due_texts_are_found_by_kind_once_their_time_has_come(stores: SmsStores) -> None:
    soon = stores.ledger.get_or_create(make_sms(1, due_at=NOW + timedelta(minutes=1)))
    stores.ledger.get_or_create(make_sms(2, due_at=NOW + timedelta(minutes=3)))
    stores.ledger.get_or_create(make_sms(3, due_at=NOW, kind=SmsKind.REMINDER))
    stores.ledger.get_or_create(make_sms(4, due_at=None))

    at = NOW + timedelta(minutes=2)
    assert list(stores.ledger.iter_due(SmsKind.CONFIRMATION, at)) == [soon.sms_id]
    assert list(stores.ledger.iter_due(SmsKind.REMINDER, at)) == [make_sms(3).sms_id]
    assert len(list(stores.ledger.iter_due(SmsKind.CONFIRMATION, at + timedelta(days=1)))) == 2


def test_held_texts_are_found_longest_held_first_and_are_never_due(stores: SmsStores) -> None:
    stores.ledger.get_or_create(make_sms(1, begun_at=NOW + timedelta(hours=1)).hold("budget_exhausted"))
    stores.ledger.get_or_create(make_sms(2, campaign_id="senen-2024").hold("budget_exhausted"))
    stores.ledger.get_or_create(make_sms(3))

    assert list(stores.ledger.iter_held()) == [make_sms(2).sms_id, make_sms(1).sms_id]
    assert make_sms(1).sms_id not in set(
        stores.ledger.iter_due(SmsKind.CONFIRMATION, NOW + timedelta(days=9))
    )


def test_the_texts_of_a_campaign_day_are_read_by_query(stores: SmsStores) -> None:
    text = stores.claim(make_sms(1))
    started = text.start_attempt(NOW)
    stores.ledger.update(started, previous=text)
    stores.ledger.update(started.record_acceptance("aws", "g-1"), previous=started)
    stores.ledger.get_or_create(make_sms(2))
    stores.ledger.get_or_create(make_sms(3, day=SECOND_DAY.day))
    stores.ledger.get_or_create(make_sms(4, campaign_id="senen-2024"))

    assert sorted(stores.ledger.iter_day_facts(FIRST_DAY), key=str) == [
        SmsFacts("received", "accepted", 1, 350),
        SmsFacts("received", "pending", 0, 0),
    ]


def test_neither_words_nor_number_nor_name_are_kept(engine: Engine, stores: SmsStores) -> None:
    stores.claim(make_sms())
    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")

    kept = str(engine.scan_items())
    assert not [each for each in ("BPJAMSOSTEK", "82455507001", "Melati") if each in kept]


def racing(race: Callable[[int], bool]) -> int:
    """How many of many racers win. One that meets another tries again, as the service does."""

    def run(number: int) -> bool:
        for _ in range(50):
            try:
                return race(number)
            except WriteConflict:
                continue
        raise AssertionError("never came through")

    with ThreadPoolExecutor(RACERS) as threads:
        return sum(threads.map(run, range(RACERS)))


def test_of_many_senders_one_claims_a_text(concurrent_engine: Engine) -> None:
    stores = make_stores(concurrent_engine)
    begun = stores.ledger.get_or_create(make_sms())

    def race(_: int) -> bool:
        try:
            stores.ledger.claim(mark_claimed(begun), previous=begun, limits=LIMITS)
        except StaleRevision:
            return False
        return True

    assert racing(race) == 1
    assert committed(concurrent_engine) == 350


def test_many_senders_never_overspend_a_day(concurrent_engine: Engine) -> None:
    stores = make_stores(concurrent_engine)

    def race(number: int) -> bool:
        begun = stores.ledger.get_or_create(make_sms(number, phone_hash=str(number)))
        try:
            stores.ledger.claim(mark_claimed(begun), previous=begun, limits=replace(LIMITS, budget=5 * 350))
        except BudgetExhausted:
            return False
        return True

    assert racing(race) == 5
    assert committed(concurrent_engine) == 5 * 350


def test_many_senders_never_give_a_phone_too_many(concurrent_engine: Engine) -> None:
    stores = make_stores(concurrent_engine)

    def race(number: int) -> bool:
        begun = stores.ledger.get_or_create(make_sms(number))
        try:
            stores.ledger.claim(mark_claimed(begun), previous=begun, limits=replace(LIMITS, budget=None))
        except DailyLimitReached:
            return False
        return True

    assert racing(race) == 3


def test_the_texts_of_a_registration_are_found_and_forgotten_and_no_others(stores: SmsStores) -> None:
    for text in (make_sms(1), make_sms(2), make_sms(3, reference="B3D-F5H-J7M")):
        stores.ledger.get_or_create(text)
    assert {each.sms_id for each in stores.history.iter_by_reference(make_sms().reference)} == {
        make_sms(1).sms_id,
        make_sms(2).sms_id,
    }

    for _ in range(2):
        stores.history.erase(make_sms().reference)

    assert list(stores.history.iter_by_reference(make_sms().reference)) == []
    assert list(stores.history.iter_by_reference("B3D-F5H-J7M")) == [make_sms(3, reference="B3D-F5H-J7M")]


def test_what_is_counted_of_a_forgotten_text_stays_and_leads_to_nobody(
    engine: Engine, stores: SmsStores
) -> None:
    text = stores.claim(make_sms(1))
    started = text.start_attempt(NOW)
    stores.ledger.update(started, previous=text)
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


def test_money_put_aside_for_a_text_is_free_again_once_when_it_is_forgotten(
    engine: Engine, stores: SmsStores
) -> None:
    stores.claim(make_sms(1))
    text = stores.claim(make_sms(2))
    stores.ledger.update(text.defer(NOW, "stopped"), previous=text)
    stores.claim(make_sms(3, reference="B3D-F5H-J7M"), budget=None)
    assert committed(engine) == 3 * 350

    for _ in range(2):
        stores.history.erase(make_sms().reference)

    assert committed(engine) == 350
    assert sorted(facts.money for facts in stores.ledger.iter_day_facts(FIRST_DAY)) == [0, 0, 350]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.record_unknown_outcome("ReadTimeoutError", "aws", may_resend=True),
        lambda text: text.record_acceptance("aws", "g-1"),
    ],
    ids=["being sent", "unknown", "accepted"],
)
def test_money_for_what_may_have_gone_out_stays_spent_when_it_is_forgotten(
    engine: Engine, stores: SmsStores, change: Any
) -> None:
    text = stores.claim(make_sms())
    started = text.start_attempt(NOW)
    stores.ledger.update(started, previous=text)
    if change(started) is not started:
        stores.ledger.update(change(started), previous=started)

    stores.history.erase(make_sms().reference)

    assert committed(engine) == 350
    assert [facts.money for facts in stores.ledger.iter_day_facts(FIRST_DAY)] == [350]


def test_a_text_that_is_forgotten_on_its_way_to_a_second_copy_keeps_the_money_of_the_first(
    engine: Engine, stores: SmsStores
) -> None:
    text = stores.claim(make_sms())
    for change in (
        lambda text: text.start_attempt(NOW),
        lambda text: text.record_unknown_outcome("ReadTimeoutError", "aws", may_resend=True),
        lambda text: text.schedule_resend(NOW),
    ):
        stores.ledger.update(change(text), previous=text)
        text = change(text)
    stores.ledger.claim(mark_claimed(text), previous=text, limits=LIMITS)
    assert committed(engine) == 2 * 350

    stores.history.erase(make_sms().reference)

    assert committed(engine) == 350


def test_a_sender_who_is_at_a_forgotten_text_cannot_bring_it_back(stores: SmsStores) -> None:
    text = stores.claim(make_sms())
    stores.history.erase(make_sms().reference)

    assert stores.ledger.update(text.start_attempt(NOW), previous=text) is False
    assert stores.ledger.update(text.defer(NOW, "stopped").abandon("expired"), previous=text) is False
    with pytest.raises(StaleRevision):
        stores.ledger.claim(mark_claimed(make_sms()), previous=make_sms(), limits=LIMITS)
    assert list(stores.history.iter_by_reference(make_sms().reference)) == []


def test_a_text_is_forgotten_whatever_its_sender_does_meanwhile(concurrent_engine: Engine) -> None:
    stores = make_stores(concurrent_engine)

    begun = stores.ledger.get_or_create(make_sms())
    with ThreadPoolExecutor(RACERS) as threads:
        senders = [
            threads.submit(stores.ledger.update, begun.mark_queued(NOW), previous=begun)
            for _ in range(RACERS - 1)
        ]
        stores.history.erase(begun.reference)
        for sender in senders:
            sender.result()

    assert stores.ledger.get(begun.sms_id) is None
    assert len(list(stores.ledger.iter_day_facts(FIRST_DAY))) == 1


def test_money_is_given_back_once_whoever_else_forgets_the_text_or_begins_to_send_it(
    concurrent_engine: Engine,
) -> None:
    stores = make_stores(concurrent_engine)
    texts = [stores.claim(make_sms(number, phone_hash=str(number)), budget=None) for number in range(1, 7)]

    def begin(text: Sms) -> bool:
        for _ in range(50):
            try:
                return stores.ledger.update(text.start_attempt(NOW), previous=text)
            except WriteConflict:
                continue
        raise AssertionError("never came through")

    def forget() -> None:
        for _ in range(50):
            try:
                return stores.history.erase(make_sms().reference)
            except TryAgain:
                continue
        raise AssertionError("never came through")

    with ThreadPoolExecutor(RACERS) as threads:
        erasures = [threads.submit(forget) for _ in range(3)]
        sendings = [threads.submit(begin, text) for text in texts]
        for erasure in erasures:
            erasure.result()
        begun = sum(sending.result() for sending in sendings)

    # Who began to send before the text was gone may have sent it.
    assert committed(concurrent_engine) == begun * 350
    assert sum(facts.money for facts in stores.ledger.iter_day_facts(FIRST_DAY)) == begun * 350


def test_who_opted_out_is_known(stores: SmsStores) -> None:
    assert not stores.opt_outs.has_opted_out("hash of a phone")

    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")

    assert stores.opt_outs.has_opted_out("hash of a phone")
    assert not stores.opt_outs.has_opted_out("another")


def test_an_opt_out_counts_from_when_it_was_first_said(stores: SmsStores) -> None:
    for hours in (0, 1):
        stores.opt_outs.record(
            "hash of a phone", occurred_at=NOW + timedelta(hours=hours), source=f"said {hours}"
        )

    assert stores.opt_outs.find("hash of a phone") == OptOut(NOW, "said 0")
    assert stores.opt_outs.find("another") is None


def test_a_phone_whose_opt_out_was_lifted_is_claimed_for_and_it_stays_known(
    engine: Engine, stores: SmsStores
) -> None:
    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")
    at = NOW + timedelta(hours=1)

    assert stores.opt_outs.lift("hash of a phone", occurred_at=at, lifted_by="salemba") is True

    stores.claim(make_sms())
    assert committed(engine) == 350
    assert not stores.opt_outs.has_opted_out("hash of a phone")
    assert stores.opt_outs.find("hash of a phone") == OptOut(NOW, "aws", lifted_at=at, lifted_by="salemba")


def test_there_is_nothing_to_lift_of_a_phone_that_is_not_opted_out(stores: SmsStores) -> None:
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
def test_only_what_is_said_after_it_was_lifted_opts_a_phone_out_again(
    stores: SmsStores, minutes: int, counts: bool
) -> None:
    lifted_at = NOW + timedelta(hours=1)
    stores.opt_outs.record("hash of a phone", occurred_at=NOW, source="aws")
    stores.opt_outs.lift("hash of a phone", occurred_at=lifted_at, lifted_by="salemba")

    stores.opt_outs.record(
        "hash of a phone", occurred_at=lifted_at + timedelta(minutes=minutes), source="twilio"
    )

    assert stores.opt_outs.has_opted_out("hash of a phone") is counts
