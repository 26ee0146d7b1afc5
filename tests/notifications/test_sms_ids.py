"""The id of an SMS: one for each event, of no use to whoever lacks the key, and the same over an upgrade."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest

from chalicelib.crypto.hashing import HashKey, KeyedHash
from chalicelib.messaging.model import SmsId, parse_sms_id
from chalicelib.notifications.model import Sms, SmsState
from chalicelib.notifications.sms_ids import derive_former_sms_id, derive_sms_id
from chalicelib.notifications.templates import get_template
from chalicelib.sms_purposes import Purpose
from tests.support.notification_harness import NotificationHarness
from tests.support.registration_builders import make_sms

HASHING = KeyedHash(lambda: HashKey(bytes(32)))
OTHER_HASHING = KeyedHash(lambda: HashKey(bytes([1]) * 32))
EVENT = ("7K4-M2Q-X9P", Purpose.RECEIVED, 1)
VERSION = get_template(Purpose.RECEIVED).version


def test_the_same_event_has_the_same_sms_id() -> None:
    assert derive_sms_id(HASHING, *EVENT) == "c4f494887aaa6b2f075174a8773e4e3f"
    assert parse_sms_id(derive_sms_id(HASHING, *EVENT)) is not None


@pytest.mark.parametrize(
    "other",
    [
        ("7K4-M2Q-X9R", Purpose.RECEIVED, 1, 1),
        ("7K4-M2Q-X9P", Purpose.ACTIVE, 1, 1),
        ("7K4-M2Q-X9P", Purpose.RECEIVED, 2, 1),
        ("7K4-M2Q-X9P", Purpose.RECEIVED, 1, 2),
        ("7K4-M2Q-X9P", Purpose.RECEIVED, 1, 1, 2),
    ],
)
def test_other_events_have_other_sms_ids(other: tuple[str, Purpose, int, int]) -> None:
    assert derive_sms_id(HASHING, *other) != derive_sms_id(HASHING, *EVENT)


def test_an_id_cannot_be_tried_against_references_without_the_key() -> None:
    sms_id = derive_sms_id(HASHING, *EVENT)
    assert sms_id != derive_sms_id(OTHER_HASHING, *EVENT)
    assert sms_id != sha256("\x1f".join(map(str, EVENT)).encode()).hexdigest()[:32]


def test_an_event_of_the_sender_has_a_keyed_id() -> None:
    harness = NotificationHarness()
    sms = harness.consume_event()
    assert sms.sms_id == derive_sms_id(HASHING, sms.reference, sms.purpose, sms.template_version)


def store_former_row(harness: NotificationHarness, **changes: Any) -> Sms:
    """Store a row as the release before the keyed ids did."""
    sms = make_sms(template_version=VERSION, **changes)
    sms = replace(sms, sms_id=derive_former_sms_id(sms))
    harness.ledger.sms_by_id[sms.sms_id] = sms
    return sms


def test_the_former_id_is_that_of_the_release_before() -> None:
    assert derive_former_sms_id(make_sms()) == "71402531b18d3473b3c274eee8d46613"


@pytest.mark.parametrize("state", [SmsState.ACCEPTED, SmsState.DELIVERED, SmsState.FAILED, SmsState.HELD])
def test_an_event_that_comes_again_after_the_upgrade_sends_no_second_sms(state: SmsState) -> None:
    harness = NotificationHarness()
    stored = store_former_row(harness, state=state, due_at=None)

    assert harness.consume_event() == stored

    assert harness.gateway.sent_sms == []
    assert harness.get_only_sms() == stored


@pytest.mark.parametrize("is_keyed", [True, False])
@pytest.mark.parametrize("state", [SmsState.ACCEPTED, SmsState.FAILED])
def test_an_event_that_comes_again_is_not_told_again_in_newer_words(state: SmsState, is_keyed: bool) -> None:
    assert VERSION > 1, "choose a purpose whose template has changed"
    harness = NotificationHarness()
    stored = make_sms(template_version=1, state=state, due_at=None)
    keyed = derive_sms_id(HASHING, stored.reference, stored.purpose, 1)
    stored = replace(stored, sms_id=keyed if is_keyed else derive_former_sms_id(stored))
    harness.ledger.sms_by_id[stored.sms_id] = stored

    assert harness.consume_event() == stored

    assert harness.gateway.sent_sms == []
    assert harness.get_only_sms() == stored


def test_an_sms_that_was_pending_at_the_upgrade_is_sent_once_from_its_row() -> None:
    harness = NotificationHarness()
    stored = store_former_row(harness)

    sent = [harness.consume_event() for _ in range(3)]

    assert {each.sms_id for each in sent} == {stored.sms_id}
    assert [each.sms_id for each in harness.gateway.sent_sms] == [stored.sms_id]


def test_the_schedule_and_receipts_go_on_with_rows_of_the_release_before() -> None:
    harness = NotificationHarness()
    stored = store_former_row(harness)
    harness.advance(timedelta(hours=1))

    (sent,) = harness.run_due_sms()
    harness.receive_receipt(next(iter(sent.sends)))

    assert harness.ledger.sms_by_id[SmsId(stored.sms_id)].state is SmsState.DELIVERED


def test_a_request_for_an_sms_that_comes_again_after_the_upgrade_sends_no_second_sms() -> None:
    harness = NotificationHarness()
    stored = store_former_row(harness, request_version=2, state=SmsState.ACCEPTED, due_at=None)

    again = harness.service.send_again(
        Purpose.RECEIVED, stored.reference, request_version=2, correlation_id="c-2"
    )

    assert again == stored
    assert harness.gateway.sent_sms == []
