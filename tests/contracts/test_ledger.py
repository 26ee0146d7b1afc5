"""The stores of SMS: creation, updates and queries."""

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from chalicelib.notifications.counting import LedgerSmsCounter, SmsFacts, SmsTotals
from chalicelib.notifications.model import SendUpdate, SmsState
from chalicelib.notifications.templates import SmsKind
from chalicelib.sms_purposes import Purpose
from tests.contracts.conftest import Engine
from tests.contracts.sms_ledger import RACERS, count_winners, make_stores
from tests.support.builders import NOW
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_sms
from tests.support.sms_stores import SmsStores

if TYPE_CHECKING:
    from collections.abc import Callable

    from chalicelib.notifications.model import Sms


@pytest.fixture
def stores(engine: Engine) -> SmsStores:
    return make_stores(engine)


def test_messages_of_dialogues_are_counted_with_their_price_and_are_no_sms(stores: SmsStores) -> None:
    def add(number: int) -> bool:
        stores.ledger.add_dialogue_message(FIRST_DAY, "whatsapp", price=100, chat_key=f"chat-{number}")
        return True

    assert count_winners(add) == RACERS
    stores.ledger.add_dialogue_message(FIRST_DAY, "telegram", price=0, chat_key="chat-1")
    stores.ledger.add_dialogue_message(SECOND_DAY, "whatsapp", price=100, chat_key="chat-1")
    totals = LedgerSmsCounter(stores.ledger).count_sms(FIRST_DAY)
    assert totals == SmsTotals(
        money=RACERS * 100, dialogues={"telegram": (1, 0), "whatsapp": (RACERS, RACERS * 100)}
    )


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
        make_sms(event_version=1, request_version=7),
    ],
    ids=["deferred", "held", "abandoned", "reminder", "requested"],
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


def test_the_facts_of_a_failed_sms_say_why_it_failed(stores: SmsStores) -> None:
    stores.ledger.get_or_create(make_sms(1, state=SmsState.FAILED, reason="expired"))
    stores.ledger.get_or_create(make_sms(2, reason="daily_limit_reached"))

    facts = {each.state: each.reason for each in stores.ledger.iter_day_facts(FIRST_DAY)}

    assert facts == {"failed": "expired", "pending": None}
