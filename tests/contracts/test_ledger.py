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
from chalicelib.campaigns.model import CampaignDay
from chalicelib.notifications.model import OptOut, SendUpdate, Sms, SmsState
from chalicelib.notifications.service import (
    BudgetExhausted,
    DailyLimitReached,
    PhoneOptedOut,
    SendLimits,
    SmsFacts,
    StaleRevision,
    WriteConflict,
)
from chalicelib.notifications.store import DynamoSmsLedger
from chalicelib.notifications.templates import Purpose, SmsKind
from chalicelib.randomness import generate_write_id
from chalicelib.refusals import TryAgain
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_sms

BRAKES = SendLimits(sms_per_day=3, budget=1_000)
RACERS = 12


def a_ledger(engine: Engine) -> DynamoSmsLedger:
    return DynamoSmsLedger(
        engine.client,
        sms_table=engine.create_table("SmsLedgerTable"),
        sending_table=engine.create_table("SendingTable"),
        new_write_id=generate_write_id,
    )


@pytest.fixture
def ledger(engine: Engine) -> DynamoSmsLedger:
    return a_ledger(engine)


def claimed(text: Sms, *, on: CampaignDay = FIRST_DAY) -> Sms:
    return text.claim(NOW, budget_day=FIRST_DAY.day, phone_day=on.day)


def claim(ledger: DynamoSmsLedger, text: Sms, *, on: CampaignDay = FIRST_DAY, **brakes: Any) -> Sms:
    """A text begun and claimed."""
    begun = ledger.get_or_create(text)
    ledger.claim(claimed(begun, on=on), previous=begun, limits=replace(BRAKES, **brakes))
    return claimed(begun, on=on)


def committed(engine: Engine) -> int:
    """The money of the first day."""
    items = [from_item(item) for item in engine.scan_items()]
    return sum(int(item["committed"]) for item in items if "committed" in item)


def test_a_text_begins_and_is_found(ledger: DynamoSmsLedger) -> None:
    assert ledger.get(make_sms().sms_id) is None
    assert ledger.get_or_create(make_sms()) == make_sms()
    assert ledger.get(make_sms().sms_id) == make_sms()


def test_a_text_that_has_begun_is_found_by_whoever_begins_it_again(ledger: DynamoSmsLedger) -> None:
    ledger.get_or_create(make_sms())

    assert ledger.get_or_create(make_sms(begun_at=NOW + timedelta(minutes=1))) == make_sms()


def test_another_text_begins_beside_it(ledger: DynamoSmsLedger) -> None:
    ledger.get_or_create(make_sms(1))

    assert ledger.get_or_create(make_sms(2)) == make_sms(2)


def test_everything_of_a_text_is_kept(ledger: DynamoSmsLedger) -> None:
    text = claim(ledger, make_sms())
    for change in (
        lambda text: text.start_attempt(NOW),
        lambda text: text.record_acceptance("aws", "g-1"),
        lambda text: text.apply_update(SendUpdate("aws", "g-1", SmsState.SENT, parts=1, price=350)),
        lambda text: text.apply_update(
            SendUpdate("twilio", "g-2", SmsState.FAILED, parts=2, price=700, reason="no")
        ),
    ):
        after = change(text)
        assert ledger.update(after, previous=text) is True
        assert ledger.get(text.sms_id) == after
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
def test_every_kind_of_row_comes_back_as_it_was(ledger: DynamoSmsLedger, text: Any) -> None:
    ledger.get_or_create(text)

    assert ledger.get(text.sms_id) == text


def test_a_text_that_moved_meanwhile_is_not_moved(ledger: DynamoSmsLedger) -> None:
    begun = ledger.get_or_create(make_sms())
    first = begun.defer(NOW, "stopped")
    ledger.update(first, previous=begun)

    assert ledger.update(begun.abandon("expired"), previous=begun) is False
    assert ledger.get(begun.sms_id) == first


def test_a_text_that_never_began_cannot_move(ledger: DynamoSmsLedger) -> None:
    assert ledger.update(make_sms().abandon("expired"), previous=make_sms()) is False
    assert ledger.get(make_sms().sms_id) is None


def test_a_claim_puts_the_money_aside(engine: Engine, ledger: DynamoSmsLedger) -> None:
    text = claim(ledger, make_sms())

    assert (ledger.get(text.sms_id), committed(engine)) == (text, 350)


def test_a_claim_over_the_days_money_stores_nothing(engine: Engine, ledger: DynamoSmsLedger) -> None:
    claim(ledger, make_sms(1, phone_hash="one"))
    claim(ledger, make_sms(2, phone_hash="two"))

    with pytest.raises(BudgetExhausted):
        claim(ledger, make_sms(3, phone_hash="three"))

    assert committed(engine) == 700
    assert ledger.get(make_sms(3).sms_id).state is SmsState.PENDING
    # Nor is it counted for its phone.
    claim(ledger, make_sms(4, phone_hash="three"), sms_per_day=1, budget=None)


def test_a_text_that_alone_costs_more_than_the_day_has_is_refused(ledger: DynamoSmsLedger) -> None:
    with pytest.raises(BudgetExhausted):
        claim(ledger, make_sms(), budget=349)


def test_a_released_text_is_claimed_whatever_the_budget_says(engine: Engine, ledger: DynamoSmsLedger) -> None:
    claim(ledger, make_sms(), budget=None)

    assert committed(engine) == 350


def test_a_phone_has_its_texts_of_the_day_and_no_more(engine: Engine, ledger: DynamoSmsLedger) -> None:
    for number in (1, 2, 3):
        claim(ledger, make_sms(number), budget=10_000)

    with pytest.raises(DailyLimitReached):
        claim(ledger, make_sms(4), budget=10_000)

    assert committed(engine) == 3 * 350
    claim(ledger, make_sms(5), budget=10_000, on=SECOND_DAY)


def test_a_text_taken_up_again_is_neither_paid_nor_counted_twice(
    engine: Engine, ledger: DynamoSmsLedger
) -> None:
    text = claim(ledger, make_sms(), sms_per_day=1)
    later = text.defer(NOW, "stopped")
    ledger.update(later, previous=text)

    ledger.claim(claimed(later), previous=later, limits=replace(BRAKES, sms_per_day=1, budget=350))

    assert committed(engine) == 350


def test_a_text_put_off_to_another_day_counts_for_the_day_it_goes_out_on(ledger: DynamoSmsLedger) -> None:
    text = claim(ledger, make_sms(1), sms_per_day=1)
    later = text.defer(NOW, "stopped")
    ledger.update(later, previous=text)
    claim(ledger, make_sms(2), sms_per_day=1, on=SECOND_DAY)

    with pytest.raises(DailyLimitReached):
        ledger.claim(claimed(later, on=SECOND_DAY), previous=later, limits=replace(BRAKES, sms_per_day=1))


def test_the_second_copy_of_a_text_counts_for_its_day_as_well(ledger: DynamoSmsLedger) -> None:
    text = claim(ledger, make_sms(), sms_per_day=1)
    for after in (
        text.start_attempt(NOW),
        text.start_attempt(NOW).record_unknown_outcome("timeout", "aws", may_resend=True),
        text.start_attempt(NOW)
        .record_unknown_outcome("timeout", "aws", may_resend=True)
        .schedule_resend(NOW),
    ):
        assert ledger.update(after, previous=text)
        text = after

    with pytest.raises(DailyLimitReached):
        ledger.claim(claimed(text), previous=text, limits=replace(BRAKES, sms_per_day=1))
    ledger.claim(claimed(text), previous=text, limits=replace(BRAKES, sms_per_day=2))


def test_a_phone_that_opted_out_is_claimed_for_nothing(engine: Engine, ledger: DynamoSmsLedger) -> None:
    for _ in range(2):
        ledger.record_opt_out("hash of a phone", occurred_at=NOW, source="aws")

    with pytest.raises(PhoneOptedOut):
        claim(ledger, make_sms())

    assert committed(engine) == 0
    claim(ledger, make_sms(2, phone_hash="another"))


def test_who_opted_out_is_known(ledger: DynamoSmsLedger) -> None:
    assert not ledger.has_opted_out("hash of a phone")

    ledger.record_opt_out("hash of a phone", occurred_at=NOW, source="aws")

    assert ledger.has_opted_out("hash of a phone")
    assert not ledger.has_opted_out("another")


def test_an_opt_out_counts_from_when_it_was_first_said(ledger: DynamoSmsLedger) -> None:
    for hours in (0, 1):
        ledger.record_opt_out(
            "hash of a phone", occurred_at=NOW + timedelta(hours=hours), source=f"said {hours}"
        )

    assert ledger.find_opt_out("hash of a phone") == OptOut(NOW, "said 0")
    assert ledger.find_opt_out("another") is None


def test_a_phone_whose_opt_out_was_lifted_is_claimed_for_and_it_stays_known(
    engine: Engine, ledger: DynamoSmsLedger
) -> None:
    ledger.record_opt_out("hash of a phone", occurred_at=NOW, source="aws")
    at = NOW + timedelta(hours=1)

    assert ledger.lift_opt_out("hash of a phone", occurred_at=at, lifted_by="salemba") is True

    claim(ledger, make_sms())
    assert committed(engine) == 350
    assert not ledger.has_opted_out("hash of a phone")
    assert ledger.find_opt_out("hash of a phone") == OptOut(NOW, "aws", lifted_at=at, lifted_by="salemba")


def test_there_is_nothing_to_lift_of_a_phone_that_is_not_opted_out(ledger: DynamoSmsLedger) -> None:
    assert ledger.lift_opt_out("hash of a phone", occurred_at=NOW, lifted_by="salemba") is False
    assert ledger.find_opt_out("hash of a phone") is None

    ledger.record_opt_out("hash of a phone", occurred_at=NOW, source="aws")
    ledger.lift_opt_out("hash of a phone", occurred_at=NOW, lifted_by="salemba")
    assert (
        ledger.lift_opt_out("hash of a phone", occurred_at=NOW + timedelta(hours=1), lifted_by="senen")
        is False
    )
    assert ledger.find_opt_out("hash of a phone") == OptOut(NOW, "aws", NOW, "salemba")


@pytest.mark.parametrize(("minutes", "counts"), [(-1, False), (0, False), (1, True)])
def test_only_what_is_said_after_it_was_lifted_opts_a_phone_out_again(
    ledger: DynamoSmsLedger, minutes: int, counts: bool
) -> None:
    lifted_at = NOW + timedelta(hours=1)
    ledger.record_opt_out("hash of a phone", occurred_at=NOW, source="aws")
    ledger.lift_opt_out("hash of a phone", occurred_at=lifted_at, lifted_by="salemba")

    ledger.record_opt_out(
        "hash of a phone", occurred_at=lifted_at + timedelta(minutes=minutes), source="twilio"
    )

    assert ledger.has_opted_out("hash of a phone") is counts


def test_a_claim_of_a_text_that_has_moved_says_so_before_anything_else(ledger: DynamoSmsLedger) -> None:
    begun = ledger.get_or_create(make_sms())
    ledger.update(begun.defer(NOW, "stopped"), previous=begun)
    ledger.record_opt_out("hash of a phone", occurred_at=NOW, source="aws")

    with pytest.raises(StaleRevision):
        ledger.claim(claimed(begun), previous=begun, limits=replace(BRAKES, sms_per_day=0))


def test_money_follows_what_is_known_of_the_price(engine: Engine, ledger: DynamoSmsLedger) -> None:
    text = claim(ledger, make_sms())
    started = text.start_attempt(NOW)
    ledger.update(started, previous=text)
    accepted = started.record_acceptance("aws", "g-1")
    ledger.update(accepted, previous=started)
    assert committed(engine) == 350

    noted = accepted.apply_update(SendUpdate("aws", "g-1", SmsState.DELIVERED, price=331))
    ledger.update(noted, previous=accepted)

    assert committed(engine) == 331


def test_money_put_aside_for_nothing_is_free_again(engine: Engine, ledger: DynamoSmsLedger) -> None:
    text = claim(ledger, make_sms())
    waiting = text.defer(NOW, "stopped")
    ledger.update(waiting, previous=text)

    ledger.update(waiting.abandon("expired"), previous=waiting)

    assert committed(engine) == 0


def test_a_receipt_that_comes_too_late_for_its_revision_changes_no_money(
    engine: Engine, ledger: DynamoSmsLedger
) -> None:
    text = claim(ledger, make_sms())
    started = text.start_attempt(NOW)
    ledger.update(started, previous=text)

    assert (
        ledger.update(text.apply_update(SendUpdate("aws", "g-1", SmsState.SENT, price=900)), previous=text)
        is False
    )
    assert committed(engine) == 350


def test_due_texts_are_found_by_kind_once_their_time_has_come(ledger: DynamoSmsLedger) -> None:
    soon = ledger.get_or_create(make_sms(1, due_at=NOW + timedelta(minutes=1)))
    ledger.get_or_create(make_sms(2, due_at=NOW + timedelta(minutes=3)))
    ledger.get_or_create(make_sms(3, due_at=NOW, kind=SmsKind.REMINDER))
    ledger.get_or_create(make_sms(4, due_at=None))

    at = NOW + timedelta(minutes=2)
    assert list(ledger.iter_due(SmsKind.CONFIRMATION, at)) == [soon.sms_id]
    assert list(ledger.iter_due(SmsKind.REMINDER, at)) == [make_sms(3).sms_id]
    assert len(list(ledger.iter_due(SmsKind.CONFIRMATION, at + timedelta(days=1)))) == 2


def test_held_texts_are_found_longest_held_first_and_are_never_due(ledger: DynamoSmsLedger) -> None:
    ledger.get_or_create(make_sms(1, begun_at=NOW + timedelta(hours=1)).hold("budget_exhausted"))
    ledger.get_or_create(make_sms(2, campaign_id="senen-2024").hold("budget_exhausted"))
    ledger.get_or_create(make_sms(3))

    assert list(ledger.iter_held()) == [make_sms(2).sms_id, make_sms(1).sms_id]
    assert make_sms(1).sms_id not in set(ledger.iter_due(SmsKind.CONFIRMATION, NOW + timedelta(days=9)))


def test_the_texts_of_a_campaign_day_are_read_by_query(ledger: DynamoSmsLedger) -> None:
    text = claim(ledger, make_sms(1))
    started = text.start_attempt(NOW)
    ledger.update(started, previous=text)
    ledger.update(started.record_acceptance("aws", "g-1"), previous=started)
    ledger.get_or_create(make_sms(2))
    ledger.get_or_create(make_sms(3, day=SECOND_DAY.day))
    ledger.get_or_create(make_sms(4, campaign_id="senen-2024"))

    assert sorted(ledger.iter_day_facts(FIRST_DAY), key=str) == [
        SmsFacts("received", "accepted", 1, 350),
        SmsFacts("received", "pending", 0, 0),
    ]


def test_neither_words_nor_number_nor_name_are_kept(engine: Engine, ledger: DynamoSmsLedger) -> None:
    claim(ledger, make_sms())
    ledger.record_opt_out("hash of a phone", occurred_at=NOW, source="aws")

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
    ledger = a_ledger(concurrent_engine)
    begun = ledger.get_or_create(make_sms())

    def race(_: int) -> bool:
        try:
            ledger.claim(claimed(begun), previous=begun, limits=BRAKES)
        except StaleRevision:
            return False
        return True

    assert racing(race) == 1
    assert committed(concurrent_engine) == 350


def test_many_senders_never_overspend_a_day(concurrent_engine: Engine) -> None:
    ledger = a_ledger(concurrent_engine)

    def race(number: int) -> bool:
        begun = ledger.get_or_create(make_sms(number, phone_hash=str(number)))
        try:
            ledger.claim(claimed(begun), previous=begun, limits=replace(BRAKES, budget=5 * 350))
        except BudgetExhausted:
            return False
        return True

    assert racing(race) == 5
    assert committed(concurrent_engine) == 5 * 350


def test_many_senders_never_give_a_phone_too_many(concurrent_engine: Engine) -> None:
    ledger = a_ledger(concurrent_engine)

    def race(number: int) -> bool:
        begun = ledger.get_or_create(make_sms(number))
        try:
            ledger.claim(claimed(begun), previous=begun, limits=replace(BRAKES, budget=None))
        except DailyLimitReached:
            return False
        return True

    assert racing(race) == 3


def test_the_texts_of_a_registration_are_found_and_forgotten_and_no_others(ledger: DynamoSmsLedger) -> None:
    for text in (make_sms(1), make_sms(2), make_sms(3, reference="B3D-F5H-J7M")):
        ledger.get_or_create(text)
    assert {each.sms_id for each in ledger.iter_by_reference(make_sms().reference)} == {
        make_sms(1).sms_id,
        make_sms(2).sms_id,
    }

    for _ in range(2):
        ledger.erase(make_sms().reference)

    assert list(ledger.iter_by_reference(make_sms().reference)) == []
    assert list(ledger.iter_by_reference("B3D-F5H-J7M")) == [make_sms(3, reference="B3D-F5H-J7M")]


def test_what_is_counted_of_a_forgotten_text_stays_and_leads_to_nobody(
    engine: Engine, ledger: DynamoSmsLedger
) -> None:
    text = claim(ledger, make_sms(1))
    started = text.start_attempt(NOW)
    ledger.update(started, previous=text)
    ledger.update(started.record_acceptance("aws", "g-1"), previous=started)
    ledger.get_or_create(make_sms(2, phone_hash="another"))
    counted = sorted(ledger.iter_day_facts(FIRST_DAY), key=str)

    for _ in range(2):
        ledger.erase(make_sms().reference)

    assert sorted(ledger.iter_day_facts(FIRST_DAY), key=str) == counted
    left = [item for item in map(from_item, engine.scan_items()) if "sms_id" in item]
    assert [set(item) for item in left] == [{"sms_id", "day_shard", "facts"}] * 2
    assert not {item["sms_id"] for item in left} & {make_sms(1).sms_id, make_sms(2).sms_id}
    assert list(ledger.iter_due(SmsKind.CONFIRMATION, NOW + timedelta(days=9))) == []


def test_money_put_aside_for_a_text_is_free_again_once_when_it_is_forgotten(
    engine: Engine, ledger: DynamoSmsLedger
) -> None:
    claim(ledger, make_sms(1))
    text = claim(ledger, make_sms(2))
    ledger.update(text.defer(NOW, "stopped"), previous=text)
    claim(ledger, make_sms(3, reference="B3D-F5H-J7M"), budget=None)
    assert committed(engine) == 3 * 350

    for _ in range(2):
        ledger.erase(make_sms().reference)

    assert committed(engine) == 350
    assert sorted(facts.money for facts in ledger.iter_day_facts(FIRST_DAY)) == [0, 0, 350]


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
    engine: Engine, ledger: DynamoSmsLedger, change: Any
) -> None:
    text = claim(ledger, make_sms())
    started = text.start_attempt(NOW)
    ledger.update(started, previous=text)
    if change(started) is not started:
        ledger.update(change(started), previous=started)

    ledger.erase(make_sms().reference)

    assert committed(engine) == 350
    assert [facts.money for facts in ledger.iter_day_facts(FIRST_DAY)] == [350]


def test_a_text_that_is_forgotten_on_its_way_to_a_second_copy_keeps_the_money_of_the_first(
    engine: Engine, ledger: DynamoSmsLedger
) -> None:
    text = claim(ledger, make_sms())
    for change in (
        lambda text: text.start_attempt(NOW),
        lambda text: text.record_unknown_outcome("ReadTimeoutError", "aws", may_resend=True),
        lambda text: text.schedule_resend(NOW),
    ):
        ledger.update(change(text), previous=text)
        text = change(text)
    ledger.claim(claimed(text), previous=text, limits=BRAKES)
    assert committed(engine) == 2 * 350

    ledger.erase(make_sms().reference)

    assert committed(engine) == 350


def test_a_sender_who_is_at_a_forgotten_text_cannot_bring_it_back(ledger: DynamoSmsLedger) -> None:
    text = claim(ledger, make_sms())
    ledger.erase(make_sms().reference)

    assert ledger.update(text.start_attempt(NOW), previous=text) is False
    assert ledger.update(text.defer(NOW, "stopped").abandon("expired"), previous=text) is False
    with pytest.raises(StaleRevision):
        ledger.claim(claimed(make_sms()), previous=make_sms(), limits=BRAKES)
    assert list(ledger.iter_by_reference(make_sms().reference)) == []


def test_a_text_is_forgotten_whatever_its_sender_does_meanwhile(concurrent_engine: Engine) -> None:
    ledger = a_ledger(concurrent_engine)

    begun = ledger.get_or_create(make_sms())
    with ThreadPoolExecutor(RACERS) as threads:
        senders = [
            threads.submit(ledger.update, begun.mark_queued(NOW), was=begun) for _ in range(RACERS - 1)
        ]
        ledger.erase(begun.reference)
        for sender in senders:
            sender.result()

    assert ledger.get(begun.sms_id) is None
    assert len(list(ledger.iter_day_facts(FIRST_DAY))) == 1


def test_money_is_given_back_once_whoever_else_forgets_the_text_or_begins_to_send_it(
    concurrent_engine: Engine,
) -> None:
    ledger = a_ledger(concurrent_engine)
    texts = [claim(ledger, make_sms(number, phone_hash=str(number)), budget=None) for number in range(1, 7)]

    def begin(text: Sms) -> bool:
        for _ in range(50):
            try:
                return ledger.update(text.start_attempt(NOW), previous=text)
            except WriteConflict:
                continue
        raise AssertionError("never came through")

    def forget() -> None:
        for _ in range(50):
            try:
                return ledger.erase(make_sms().reference)
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
    assert sum(facts.money for facts in ledger.iter_day_facts(FIRST_DAY)) == begun * 350
