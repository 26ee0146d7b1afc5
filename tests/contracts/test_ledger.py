"""What any ledger of texts promises: a text begins once, and moves only from where it was seen to stand."""

from datetime import timedelta

import pytest

from chalicelib import wiring
from chalicelib.notifications.dynamodb import DynamoLedger
from chalicelib.notifications.model import TextState
from tests.builders import NOW
from tests.contracts.conftest import Engine
from tests.contracts.stored import a_text


@pytest.fixture
def ledger(engine: Engine) -> DynamoLedger:
    return DynamoLedger(engine.client, engine.table("TextsTable"), wiring.new_write_id)


def test_a_text_begins(ledger):
    assert ledger.begin(a_text()) is None


def test_a_text_that_has_begun_is_found_by_whoever_begins_it_again(ledger):
    ledger.begin(a_text())

    assert ledger.begin(a_text(attempted_at=NOW + timedelta(minutes=1))) == a_text()


def test_another_text_begins_beside_it(ledger):
    ledger.begin(a_text(1))

    assert ledger.begin(a_text(2)) is None


def test_an_accepted_text_keeps_the_gateways_own_id(ledger):
    ledger.begin(a_text())
    accepted = a_text().moved(TextState.ACCEPTED, gateway_id="gateway-1")

    assert ledger.move(accepted, was=a_text()) is True
    assert ledger.begin(a_text()) == accepted


def test_a_failed_text_keeps_the_reason(ledger):
    ledger.begin(a_text())
    failed = a_text().moved(TextState.FAILED, reason="ConflictException:DESTINATION_COUNTRY_BLOCKED")

    ledger.move(failed, was=a_text())

    assert ledger.begin(a_text()) == failed


def test_a_text_that_moved_meanwhile_is_not_moved(ledger):
    ledger.begin(a_text())
    accepted = a_text().moved(TextState.ACCEPTED, gateway_id="gateway-1")
    ledger.move(accepted, was=a_text())

    assert ledger.move(a_text().moved(TextState.UNKNOWN), was=a_text()) is False
    assert ledger.begin(a_text()) == accepted


def test_a_second_attempt_is_not_taken_for_the_first(ledger):
    ledger.begin(a_text())
    pending = a_text().moved(TextState.PENDING, reason="ThrottlingException")
    ledger.move(pending, was=a_text())
    again = pending.attempted_again(NOW + timedelta(minutes=3))
    ledger.move(again, was=pending)
    pending_again = again.moved(TextState.PENDING)
    ledger.move(pending_again, was=again)

    late_third = pending.attempted_again(NOW + timedelta(minutes=6))
    assert ledger.move(late_third, was=pending) is False
    assert ledger.begin(a_text()) == pending_again


def test_a_text_that_never_began_cannot_move(ledger):
    assert ledger.move(a_text().moved(TextState.ACCEPTED), was=a_text()) is False
    assert ledger.begin(a_text()) is None


def test_the_texts_of_a_registration_are_found_and_forgotten_and_no_others(ledger):
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


def test_a_sender_who_is_at_a_forgotten_text_cannot_bring_it_back(ledger):
    ledger.begin(a_text())
    ledger.forget(a_text().registration)

    assert ledger.move(a_text().moved(TextState.ACCEPTED, gateway_id="gateway-1"), was=a_text()) is False
    assert list(ledger.of(a_text().registration)) == []
