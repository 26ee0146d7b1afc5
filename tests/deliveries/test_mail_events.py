"""Mails that bounced or were not wanted, in the ledger of deliveries."""

import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.deliveries.consumer import handle_message
from chalicelib.deliveries.mail_events import MailEvent, record_event
from chalicelib.deliveries.model import Delivery, DeliveryId, DeliveryState, Medium
from chalicelib.refusals import TryAgain
from tests.support.fakes.deliveries import InMemoryDeliveries

DELIVERY_ID = DeliveryId("d" * 32)
ADDRESS = "satu@example.com"


def make_event(kind: str = "Bounce", **changes: Any) -> str:
    """Return an event as SES publishes it, with the address that it is about."""
    event = {
        "eventType": kind,
        "mail": {
            "timestamp": "2024-10-09T13:00:00.000Z",
            "messageId": "0100-1",
            "destination": [ADDRESS],
            "tags": {"ses:configuration-set": ["daftar-prod"], "delivery": [DELIVERY_ID]},
        },
        "bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": ADDRESS}],
        },
        "complaint": {"complainedRecipients": [{"emailAddress": ADDRESS}]},
        "reject": {"reason": "Bad content"},
    }
    return json.dumps({**event, **changes})


def make_deliveries(state: DeliveryState = DeliveryState.ACCEPTED) -> InMemoryDeliveries:
    deliveries = InMemoryDeliveries()
    delivery = Delivery(delivery_id=DELIVERY_ID, medium=Medium.MAIL, state=state, revision=2, attempts=1)
    deliveries.by_id[DELIVERY_ID] = delivery
    return deliveries


def handle(deliveries: InMemoryDeliveries, body: str) -> list[str]:
    """Handle a message of the queue. Return those that were taken for receipts of SMS."""
    receipts: list[str] = []
    handle_message(lambda: deliveries, receipts.append, body)
    return receipts


@pytest.mark.parametrize(
    ("kind", "reason"),
    [("Bounce", "bounced:permanent"), ("Complaint", "complained"), ("Reject", "rejected")],
)
@pytest.mark.parametrize("state", [DeliveryState.ACCEPTED, DeliveryState.UNKNOWN])
def test_a_mail_that_did_not_arrive_or_was_not_wanted_is_no_delivery(
    kind: str, reason: str, state: DeliveryState
) -> None:
    deliveries = make_deliveries(state)

    assert handle(deliveries, make_event(kind)) == []

    found = deliveries.by_id[DELIVERY_ID]
    assert (found.state, found.reason, found.revision) == (DeliveryState.FAILED, reason, 3)
    assert handle(deliveries, make_event(kind)) == []
    assert deliveries.by_id[DELIVERY_ID] == found, "an event that comes twice changes nothing"


@pytest.mark.parametrize("state", [DeliveryState.WAITING, DeliveryState.FAILED])
def test_a_delivery_that_waits_or_has_failed_stays_as_it_is(state: DeliveryState) -> None:
    deliveries = make_deliveries(state)
    before = dict(deliveries.by_id)

    handle(deliveries, make_event())

    assert deliveries.by_id == before


def test_an_event_that_is_faster_than_the_record_of_its_attempt_is_handled_again() -> None:
    deliveries = make_deliveries(DeliveryState.CLAIMED)

    with pytest.raises(TryAgain):
        handle(deliveries, make_event())


def test_an_event_about_a_delivery_that_changes_meanwhile_is_recorded_on_top() -> None:
    deliveries = make_deliveries()

    def change_once() -> None:
        deliveries.before_write = lambda: None
        current = deliveries.by_id[DELIVERY_ID]
        deliveries.by_id[DELIVERY_ID] = replace(current, revision=current.revision + 1, version=7)

    deliveries.before_write = change_once
    record_event(deliveries, MailEvent(DELIVERY_ID, "complained"))

    found = deliveries.by_id[DELIVERY_ID]
    assert (found.reason, found.version, found.revision) == ("complained", 7, 4)


@pytest.mark.parametrize(
    "body",
    [
        make_event("Delivery"),
        make_event(mail={"tags": {}}),
        make_event(mail={}),
        make_event(mail={"tags": {"delivery": ["gone"]}}),
    ],
    ids=["of another kind", "of another sender", "without tags", "about a delivery that has expired"],
)
def test_an_event_that_says_nothing_of_a_delivery_is_dropped(body: str) -> None:
    deliveries = make_deliveries()
    before = dict(deliveries.by_id)

    assert handle(deliveries, body) == []

    assert deliveries.by_id == before


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"eventType": "TEXT_SENT", "context": {"sms_id": "1"}}'])
def test_every_other_message_is_a_receipt_of_an_sms(body: str) -> None:
    assert handle(make_deliveries(), body) == [body]
