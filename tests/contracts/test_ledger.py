"""What any ledger of texts promises: a text begins once, moves only from where it was seen to stand, and is
claimed only with its money, its phone's day and its worker's consent.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib import wiring
from chalicelib.campaigns.model import CampaignDay
from chalicelib.dynamodb import from_item
from chalicelib.notifications.dynamodb import DynamoLedger
from chalicelib.notifications.model import OptOut, Report, Text, TextState
from chalicelib.notifications.service import (
    Brakes,
    BudgetSpent,
    Contended,
    EnoughToday,
    Moved,
    OptedOut,
    TextFacts,
)
from chalicelib.notifications.templates import Kind, Purpose
from chalicelib.refusals import TryAgain
from tests.builders import NOW
from tests.contracts.conftest import Engine
from tests.contracts.stored import FIRST_DAY, SECOND_DAY, a_text

BRAKES = Brakes(texts_a_day=3, budget=1_000)
RACERS = 12


def a_ledger(engine: Engine) -> DynamoLedger:
    return DynamoLedger(
        engine.client,
        texts=engine.table("TextsTable"),
        sending=engine.table("SendingTable"),
        new_write_id=wiring.new_write_id,
    )


@pytest.fixture
def ledger(engine: Engine) -> DynamoLedger:
    return a_ledger(engine)


def claimed(text: Text, *, on: CampaignDay = FIRST_DAY) -> Text:
    return text.claimed(NOW, budget_day=FIRST_DAY.day, phone_day=on.day)


def claim(ledger: DynamoLedger, text: Text, *, on: CampaignDay = FIRST_DAY, **brakes: Any) -> Text:
    """A text begun and claimed."""
    begun = ledger.begin(text)
    ledger.claim(claimed(begun, on=on), was=begun, brakes=replace(BRAKES, **brakes))
    return claimed(begun, on=on)


def committed(engine: Engine) -> int:
    """The money of the first day."""
    items = [from_item(item) for item in engine.raw_items()]
    return sum(int(item["committed"]) for item in items if "committed" in item)


def test_a_text_begins_and_is_found(ledger: DynamoLedger) -> None:
    assert ledger.get(a_text().message_id) is None
    assert ledger.begin(a_text()) == a_text()
    assert ledger.get(a_text().message_id) == a_text()


def test_a_text_that_has_begun_is_found_by_whoever_begins_it_again(ledger: DynamoLedger) -> None:
    ledger.begin(a_text())

    assert ledger.begin(a_text(begun_at=NOW + timedelta(minutes=1))) == a_text()


def test_another_text_begins_beside_it(ledger: DynamoLedger) -> None:
    ledger.begin(a_text(1))

    assert ledger.begin(a_text(2)) == a_text(2)


def test_everything_of_a_text_is_kept(ledger: DynamoLedger) -> None:
    text = claim(ledger, a_text())
    for change in (
        lambda text: text.attempt_started(NOW),
        lambda text: text.accepted("aws", "g-1"),
        lambda text: text.noted(Report("aws", "g-1", TextState.SENT, parts=1, price=350)),
        lambda text: text.noted(Report("twilio", "g-2", TextState.FAILED, parts=2, price=700, reason="no")),
    ):
        after = change(text)
        assert ledger.move(after, was=text) is True
        assert ledger.get(text.message_id) == after
        text = after


@pytest.mark.parametrize(
    "text",
    [
        a_text().put_off(NOW + timedelta(hours=9), "quiet_hours"),
        a_text().held("budget_spent"),
        a_text().given_up("opted_out"),
        a_text(purpose=Purpose.LAPSING_SOON, kind=Kind.REMINDER, occasion=4),
    ],
    ids=["put off", "held", "given up", "a reminder"],
)
def test_every_kind_of_row_comes_back_as_it_was(ledger: DynamoLedger, text: Any) -> None:
    ledger.begin(text)

    assert ledger.get(text.message_id) == text


def test_a_text_that_moved_meanwhile_is_not_moved(ledger: DynamoLedger) -> None:
    begun = ledger.begin(a_text())
    first = begun.put_off(NOW, "stopped")
    ledger.move(first, was=begun)

    assert ledger.move(begun.given_up("expired"), was=begun) is False
    assert ledger.get(begun.message_id) == first


def test_a_text_that_never_began_cannot_move(ledger: DynamoLedger) -> None:
    assert ledger.move(a_text().given_up("expired"), was=a_text()) is False
    assert ledger.get(a_text().message_id) is None


def test_a_claim_puts_the_money_aside(engine: Engine, ledger: DynamoLedger) -> None:
    text = claim(ledger, a_text())

    assert (ledger.get(text.message_id), committed(engine)) == (text, 350)


def test_a_claim_over_the_days_money_stores_nothing(engine: Engine, ledger: DynamoLedger) -> None:
    claim(ledger, a_text(1, phone_hash="one"))
    claim(ledger, a_text(2, phone_hash="two"))

    with pytest.raises(BudgetSpent):
        claim(ledger, a_text(3, phone_hash="three"))

    assert committed(engine) == 700
    assert ledger.get(a_text(3).message_id).state is TextState.PENDING
    # Nor is it counted for its phone.
    claim(ledger, a_text(4, phone_hash="three"), texts_a_day=1, budget=None)


def test_a_text_that_alone_costs_more_than_the_day_has_is_refused(ledger: DynamoLedger) -> None:
    with pytest.raises(BudgetSpent):
        claim(ledger, a_text(), budget=349)


def test_a_released_text_is_claimed_whatever_the_budget_says(engine: Engine, ledger: DynamoLedger) -> None:
    claim(ledger, a_text(), budget=None)

    assert committed(engine) == 350


def test_a_phone_has_its_texts_of_the_day_and_no_more(engine: Engine, ledger: DynamoLedger) -> None:
    for number in (1, 2, 3):
        claim(ledger, a_text(number), budget=10_000)

    with pytest.raises(EnoughToday):
        claim(ledger, a_text(4), budget=10_000)

    assert committed(engine) == 3 * 350
    claim(ledger, a_text(5), budget=10_000, on=SECOND_DAY)


def test_a_text_taken_up_again_is_neither_paid_nor_counted_twice(
    engine: Engine, ledger: DynamoLedger
) -> None:
    text = claim(ledger, a_text(), texts_a_day=1)
    later = text.put_off(NOW, "stopped")
    ledger.move(later, was=text)

    ledger.claim(claimed(later), was=later, brakes=replace(BRAKES, texts_a_day=1, budget=350))

    assert committed(engine) == 350


def test_a_text_put_off_to_another_day_counts_for_the_day_it_goes_out_on(ledger: DynamoLedger) -> None:
    text = claim(ledger, a_text(1), texts_a_day=1)
    later = text.put_off(NOW, "stopped")
    ledger.move(later, was=text)
    claim(ledger, a_text(2), texts_a_day=1, on=SECOND_DAY)

    with pytest.raises(EnoughToday):
        ledger.claim(claimed(later, on=SECOND_DAY), was=later, brakes=replace(BRAKES, texts_a_day=1))


def test_the_second_copy_of_a_text_counts_for_its_day_as_well(ledger: DynamoLedger) -> None:
    text = claim(ledger, a_text(), texts_a_day=1)
    for after in (
        text.attempt_started(NOW),
        text.attempt_started(NOW).lost_sight_of("timeout", "aws", may_resend=True),
        text.attempt_started(NOW).lost_sight_of("timeout", "aws", may_resend=True).to_be_resent(NOW),
    ):
        assert ledger.move(after, was=text)
        text = after

    with pytest.raises(EnoughToday):
        ledger.claim(claimed(text), was=text, brakes=replace(BRAKES, texts_a_day=1))
    ledger.claim(claimed(text), was=text, brakes=replace(BRAKES, texts_a_day=2))


def test_a_phone_that_opted_out_is_claimed_for_nothing(engine: Engine, ledger: DynamoLedger) -> None:
    for _ in range(2):
        ledger.opt_out("hash of a phone", at=NOW, source="aws")

    with pytest.raises(OptedOut):
        claim(ledger, a_text())

    assert committed(engine) == 0
    claim(ledger, a_text(2, phone_hash="another"))


def test_who_opted_out_is_known(ledger: DynamoLedger) -> None:
    assert not ledger.has_opted_out("hash of a phone")

    ledger.opt_out("hash of a phone", at=NOW, source="aws")

    assert ledger.has_opted_out("hash of a phone")
    assert not ledger.has_opted_out("another")


def test_an_opt_out_counts_from_when_it_was_first_said(ledger: DynamoLedger) -> None:
    for hours in (0, 1):
        ledger.opt_out("hash of a phone", at=NOW + timedelta(hours=hours), source=f"said {hours}")

    assert ledger.find_opt_out("hash of a phone") == OptOut(NOW, "said 0")
    assert ledger.find_opt_out("another") is None


def test_a_phone_whose_opt_out_was_lifted_is_claimed_for_and_it_stays_known(
    engine: Engine, ledger: DynamoLedger
) -> None:
    ledger.opt_out("hash of a phone", at=NOW, source="aws")
    at = NOW + timedelta(hours=1)

    assert ledger.lift_opt_out("hash of a phone", at=at, by="salemba") is True

    claim(ledger, a_text())
    assert committed(engine) == 350
    assert not ledger.has_opted_out("hash of a phone")
    assert ledger.find_opt_out("hash of a phone") == OptOut(NOW, "aws", lifted_at=at, lifted_by="salemba")


def test_there_is_nothing_to_lift_of_a_phone_that_is_not_opted_out(ledger: DynamoLedger) -> None:
    assert ledger.lift_opt_out("hash of a phone", at=NOW, by="salemba") is False
    assert ledger.find_opt_out("hash of a phone") is None

    ledger.opt_out("hash of a phone", at=NOW, source="aws")
    ledger.lift_opt_out("hash of a phone", at=NOW, by="salemba")
    assert ledger.lift_opt_out("hash of a phone", at=NOW + timedelta(hours=1), by="senen") is False
    assert ledger.find_opt_out("hash of a phone") == OptOut(NOW, "aws", NOW, "salemba")


@pytest.mark.parametrize(("minutes", "counts"), [(-1, False), (0, False), (1, True)])
def test_only_what_is_said_after_it_was_lifted_opts_a_phone_out_again(
    ledger: DynamoLedger, minutes: int, counts: bool
) -> None:
    lifted_at = NOW + timedelta(hours=1)
    ledger.opt_out("hash of a phone", at=NOW, source="aws")
    ledger.lift_opt_out("hash of a phone", at=lifted_at, by="salemba")

    ledger.opt_out("hash of a phone", at=lifted_at + timedelta(minutes=minutes), source="twilio")

    assert ledger.has_opted_out("hash of a phone") is counts


def test_a_claim_of_a_text_that_has_moved_says_so_before_anything_else(ledger: DynamoLedger) -> None:
    begun = ledger.begin(a_text())
    ledger.move(begun.put_off(NOW, "stopped"), was=begun)
    ledger.opt_out("hash of a phone", at=NOW, source="aws")

    with pytest.raises(Moved):
        ledger.claim(claimed(begun), was=begun, brakes=replace(BRAKES, texts_a_day=0))


def test_money_follows_what_is_known_of_the_price(engine: Engine, ledger: DynamoLedger) -> None:
    text = claim(ledger, a_text())
    started = text.attempt_started(NOW)
    ledger.move(started, was=text)
    accepted = started.accepted("aws", "g-1")
    ledger.move(accepted, was=started)
    assert committed(engine) == 350

    noted = accepted.noted(Report("aws", "g-1", TextState.DELIVERED, price=331))
    ledger.move(noted, was=accepted)

    assert committed(engine) == 331


def test_money_put_aside_for_nothing_is_free_again(engine: Engine, ledger: DynamoLedger) -> None:
    text = claim(ledger, a_text())
    waiting = text.put_off(NOW, "stopped")
    ledger.move(waiting, was=text)

    ledger.move(waiting.given_up("expired"), was=waiting)

    assert committed(engine) == 0


def test_a_receipt_that_comes_too_late_for_its_revision_changes_no_money(
    engine: Engine, ledger: DynamoLedger
) -> None:
    text = claim(ledger, a_text())
    started = text.attempt_started(NOW)
    ledger.move(started, was=text)

    assert ledger.move(text.noted(Report("aws", "g-1", TextState.SENT, price=900)), was=text) is False
    assert committed(engine) == 350


def test_due_texts_are_found_by_kind_once_their_time_has_come(ledger: DynamoLedger) -> None:
    soon = ledger.begin(a_text(1, due_at=NOW + timedelta(minutes=1)))
    ledger.begin(a_text(2, due_at=NOW + timedelta(minutes=3)))
    ledger.begin(a_text(3, due_at=NOW, kind=Kind.REMINDER))
    ledger.begin(a_text(4, due_at=None))

    at = NOW + timedelta(minutes=2)
    assert list(ledger.due(Kind.CONFIRMATION, at)) == [soon.message_id]
    assert list(ledger.due(Kind.REMINDER, at)) == [a_text(3).message_id]
    assert len(list(ledger.due(Kind.CONFIRMATION, at + timedelta(days=1)))) == 2


def test_held_texts_are_found_longest_held_first_and_are_never_due(ledger: DynamoLedger) -> None:
    ledger.begin(a_text(1, begun_at=NOW + timedelta(hours=1)).held("budget_spent"))
    ledger.begin(a_text(2, campaign_id="senen-2024").held("budget_spent"))
    ledger.begin(a_text(3))

    assert list(ledger.held()) == [a_text(2).message_id, a_text(1).message_id]
    assert a_text(1).message_id not in set(ledger.due(Kind.CONFIRMATION, NOW + timedelta(days=9)))


def test_the_texts_of_a_campaign_day_are_read_by_query(ledger: DynamoLedger) -> None:
    text = claim(ledger, a_text(1))
    started = text.attempt_started(NOW)
    ledger.move(started, was=text)
    ledger.move(started.accepted("aws", "g-1"), was=started)
    ledger.begin(a_text(2))
    ledger.begin(a_text(3, day=SECOND_DAY.day))
    ledger.begin(a_text(4, campaign_id="senen-2024"))

    assert sorted(ledger.of_day(FIRST_DAY), key=str) == [
        TextFacts("received", "accepted", 1, 350),
        TextFacts("received", "pending", 0, 0),
    ]


def test_neither_words_nor_number_nor_name_are_kept(engine: Engine, ledger: DynamoLedger) -> None:
    claim(ledger, a_text())
    ledger.opt_out("hash of a phone", at=NOW, source="aws")

    kept = str(engine.raw_items())
    assert not [each for each in ("BPJAMSOSTEK", "82455507001", "Melati") if each in kept]


def racing(race: Callable[[int], bool]) -> int:
    """How many of many racers win. One that meets another tries again, as the service does."""

    def run(number: int) -> bool:
        for _ in range(50):
            try:
                return race(number)
            except Contended:
                continue
        raise AssertionError("never came through")

    with ThreadPoolExecutor(RACERS) as threads:
        return sum(threads.map(run, range(RACERS)))


def test_of_many_senders_one_claims_a_text(real_engine: Engine) -> None:
    ledger = a_ledger(real_engine)
    begun = ledger.begin(a_text())

    def race(_: int) -> bool:
        try:
            ledger.claim(claimed(begun), was=begun, brakes=BRAKES)
        except Moved:
            return False
        return True

    assert racing(race) == 1
    assert committed(real_engine) == 350


def test_many_senders_never_overspend_a_day(real_engine: Engine) -> None:
    ledger = a_ledger(real_engine)

    def race(number: int) -> bool:
        begun = ledger.begin(a_text(number, phone_hash=str(number)))
        try:
            ledger.claim(claimed(begun), was=begun, brakes=replace(BRAKES, budget=5 * 350))
        except BudgetSpent:
            return False
        return True

    assert racing(race) == 5
    assert committed(real_engine) == 5 * 350


def test_many_senders_never_give_a_phone_too_many(real_engine: Engine) -> None:
    ledger = a_ledger(real_engine)

    def race(number: int) -> bool:
        begun = ledger.begin(a_text(number))
        try:
            ledger.claim(claimed(begun), was=begun, brakes=replace(BRAKES, budget=None))
        except EnoughToday:
            return False
        return True

    assert racing(race) == 3


def test_the_texts_of_a_registration_are_found_and_forgotten_and_no_others(ledger: DynamoLedger) -> None:
    for text in (a_text(1), a_text(2), a_text(3, registration="B3D-F5H-J7M")):
        ledger.begin(text)
    assert {each.message_id for each in ledger.of(a_text().registration)} == {
        a_text(1).message_id,
        a_text(2).message_id,
    }

    for _ in range(2):
        ledger.forget(a_text().registration)

    assert list(ledger.of(a_text().registration)) == []
    assert list(ledger.of("B3D-F5H-J7M")) == [a_text(3, registration="B3D-F5H-J7M")]


def test_what_is_counted_of_a_forgotten_text_stays_and_leads_to_nobody(
    engine: Engine, ledger: DynamoLedger
) -> None:
    text = claim(ledger, a_text(1))
    started = text.attempt_started(NOW)
    ledger.move(started, was=text)
    ledger.move(started.accepted("aws", "g-1"), was=started)
    ledger.begin(a_text(2, phone_hash="another"))
    counted = sorted(ledger.of_day(FIRST_DAY), key=str)

    for _ in range(2):
        ledger.forget(a_text().registration)

    assert sorted(ledger.of_day(FIRST_DAY), key=str) == counted
    left = [item for item in map(from_item, engine.raw_items()) if "message_id" in item]
    assert [set(item) for item in left] == [{"message_id", "day_shard", "facts"}] * 2
    assert not {item["message_id"] for item in left} & {a_text(1).message_id, a_text(2).message_id}
    assert list(ledger.due(Kind.CONFIRMATION, NOW + timedelta(days=9))) == []


def test_money_put_aside_for_a_text_is_free_again_once_when_it_is_forgotten(
    engine: Engine, ledger: DynamoLedger
) -> None:
    claim(ledger, a_text(1))
    text = claim(ledger, a_text(2))
    ledger.move(text.put_off(NOW, "stopped"), was=text)
    claim(ledger, a_text(3, registration="B3D-F5H-J7M"), budget=None)
    assert committed(engine) == 3 * 350

    for _ in range(2):
        ledger.forget(a_text().registration)

    assert committed(engine) == 350
    assert sorted(facts.money for facts in ledger.of_day(FIRST_DAY)) == [0, 0, 350]


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text,
        lambda text: text.lost_sight_of("ReadTimeoutError", "aws", may_resend=True),
        lambda text: text.accepted("aws", "g-1"),
    ],
    ids=["being sent", "unknown", "accepted"],
)
def test_money_for_what_may_have_gone_out_stays_spent_when_it_is_forgotten(
    engine: Engine, ledger: DynamoLedger, change: Any
) -> None:
    text = claim(ledger, a_text())
    started = text.attempt_started(NOW)
    ledger.move(started, was=text)
    if change(started) is not started:
        ledger.move(change(started), was=started)

    ledger.forget(a_text().registration)

    assert committed(engine) == 350
    assert [facts.money for facts in ledger.of_day(FIRST_DAY)] == [350]


def test_a_text_that_is_forgotten_on_its_way_to_a_second_copy_keeps_the_money_of_the_first(
    engine: Engine, ledger: DynamoLedger
) -> None:
    text = claim(ledger, a_text())
    for change in (
        lambda text: text.attempt_started(NOW),
        lambda text: text.lost_sight_of("ReadTimeoutError", "aws", may_resend=True),
        lambda text: text.to_be_resent(NOW),
    ):
        ledger.move(change(text), was=text)
        text = change(text)
    ledger.claim(claimed(text), was=text, brakes=BRAKES)
    assert committed(engine) == 2 * 350

    ledger.forget(a_text().registration)

    assert committed(engine) == 350


def test_a_sender_who_is_at_a_forgotten_text_cannot_bring_it_back(ledger: DynamoLedger) -> None:
    text = claim(ledger, a_text())
    ledger.forget(a_text().registration)

    assert ledger.move(text.attempt_started(NOW), was=text) is False
    assert ledger.move(text.put_off(NOW, "stopped").given_up("expired"), was=text) is False
    with pytest.raises(Moved):
        ledger.claim(claimed(a_text()), was=a_text(), brakes=BRAKES)
    assert list(ledger.of(a_text().registration)) == []


def test_a_text_is_forgotten_whatever_its_sender_does_meanwhile(real_engine: Engine) -> None:
    ledger = a_ledger(real_engine)

    begun = ledger.begin(a_text())
    with ThreadPoolExecutor(RACERS) as threads:
        senders = [threads.submit(ledger.move, begun.queued(NOW), was=begun) for _ in range(RACERS - 1)]
        ledger.forget(begun.registration)
        for sender in senders:
            sender.result()

    assert ledger.get(begun.message_id) is None
    assert len(list(ledger.of_day(FIRST_DAY))) == 1


def test_money_is_given_back_once_whoever_else_forgets_the_text_or_begins_to_send_it(
    real_engine: Engine,
) -> None:
    ledger = a_ledger(real_engine)
    texts = [claim(ledger, a_text(number, phone_hash=str(number)), budget=None) for number in range(1, 7)]

    def begin(text: Text) -> bool:
        for _ in range(50):
            try:
                return ledger.move(text.attempt_started(NOW), was=text)
            except Contended:
                continue
        raise AssertionError("never came through")

    def forget() -> None:
        for _ in range(50):
            try:
                return ledger.forget(a_text().registration)
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
    assert committed(real_engine) == begun * 350
    assert sum(facts.money for facts in ledger.of_day(FIRST_DAY)) == begun * 350
