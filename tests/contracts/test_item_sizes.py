"""Every item that can grow fits into DynamoDB's 400 KB when it is as large as the code lets it become."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.errors import HistoryFull, RegistrationUnknown
from chalicelib.registrations.model import (
    MAX_REPORTED_EVENTS,
    EventType,
    LifecycleState,
    Payment,
    PaymentCode,
    Registration,
    Status,
)
from chalicelib.registrations.repeats import MAX_RECORDED_REPEATS
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.item_sizes import MAX_ITEM_BYTES, measure_item
from tests.support.registration_builders import (
    PHONE_COUNT,
    REFERENCE,
    make_capture,
    make_capture_metadata,
    make_registration,
)
from tests.support.registration_stores import RegistrationStores, open_registration_stores

LONG_CLIENT_ID = "core-" + "x" * 59
LATER = datetime(2999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)


@pytest.fixture
def stores(engine: Engine, cipher: FieldCipher) -> RegistrationStores:
    return open_registration_stores(engine.client, engine.create_table("RegistrationsTable"), cipher)


def make_largest_payment(number: int) -> Payment:
    return Payment(
        payment_id=f"{number:064}",
        amount=9_999_999_999,
        months=1,
        paid_at=NOW + timedelta(days=150 * number, microseconds=999_999),
        kpj="21012345678",
    )


def fill_with_payments(lifecycle: LifecycleState) -> LifecycleState:
    """Return the state after as many payments as are taken, each followed by a reminder and a lapse."""
    client: dict[str, Any] = {"occurred_at": LATER, "client_id": LONG_CLIENT_ID}
    for _ in range(MAX_RECORDED_REPEATS):
        lifecycle = lifecycle.with_differing_repeat(["name", "birth_date", "phone"], **client)
    before = len(lifecycle.history)
    lifecycle = lifecycle.with_payment(make_largest_payment(0), **client)
    for _ in range(2):
        assert lifecycle.next_ageing_on is not None
        lifecycle = lifecycle.age(
            today=lifecycle.next_ageing_on, occurred_at=LATER, expires_on=date(2999, 1, 1)
        )
    assert lifecycle.status is Status.LAPSED
    payments = tuple(map(make_largest_payment, range(MAX_REPORTED_EVENTS)))
    cycles = (
        replace(event, detail={**event.detail, "payment_id": payment.payment_id})
        if event.event_type is EventType.PAID
        else event
        for payment in payments
        for event in lifecycle.history[before:]
    )
    return replace(lifecycle, payments=payments, history=(*lifecycle.history[:before], *cycles))


def make_largest_registration() -> Registration:
    """Return a registration whose worker has the longest values."""
    return make_registration(
        capture_metadata=make_capture_metadata(client_id=LONG_CLIENT_ID),
        name="\U00020000" * 100,
        address="\U00020000" * 300,
        email="x" * 240 + "@pasar.example",
    )


def measure_registration(engine: Engine) -> int:
    return max(measure_item(item) for item in engine.scan_items() if item["sk"]["S"] == "APPLICATION")


def test_a_registration_with_as_many_payments_as_are_taken_fits_and_can_be_erased(
    engine: Engine, stores: RegistrationStores
) -> None:
    registration = make_largest_registration()
    stores.intake.add(registration, make_capture(registration.capture_metadata), PHONE_COUNT)
    full = replace(registration, lifecycle=fill_with_payments(registration.lifecycle))

    stores.lifecycle.replace(full, previous=registration)

    assert stores.reading.get(REFERENCE) == full
    assert len(full.lifecycle.history) == 1 + MAX_RECORDED_REPEATS + 3 * MAX_REPORTED_EVENTS
    assert 300_000 < measure_registration(engine) < MAX_ITEM_BYTES
    with pytest.raises(HistoryFull):
        full.lifecycle.with_payment(
            make_largest_payment(MAX_REPORTED_EVENTS), occurred_at=NOW, client_id="core"
        )
    stores.erasure.erase_registration(REFERENCE)
    with pytest.raises(RegistrationUnknown):
        stores.reading.get(REFERENCE)


def test_a_registration_with_as_many_codes_as_are_taken_fits_and_can_be_cancelled(
    engine: Engine, stores: RegistrationStores
) -> None:
    registration = make_largest_registration()
    stores.intake.add(registration, make_capture(registration.capture_metadata), PHONE_COUNT)
    lifecycle = registration.lifecycle
    for number in range(MAX_REPORTED_EVENTS):
        code = PaymentCode(code=f"{number:030}", amount=9_999_999_999, expires_on=date(2999, 12, 31))
        lifecycle = lifecycle.with_payment_code(code, occurred_at=LATER, client_id=LONG_CLIENT_ID)

    full = replace(registration, lifecycle=lifecycle)
    stores.lifecycle.replace(full, previous=registration)
    with pytest.raises(HistoryFull):
        lifecycle.with_payment_code(
            PaymentCode(code="EPS-1", amount=1, expires_on=date(2999, 12, 31)),
            occurred_at=NOW,
            client_id="core",
        )
    expired = lifecycle.age(today=date(2999, 12, 31), occurred_at=LATER, expires_on=date(2999, 1, 1))
    stores.lifecycle.replace(replace(full, lifecycle=expired), previous=full)

    assert stores.reading.get(REFERENCE).lifecycle.history[-1].event_type is EventType.EXPIRED
    assert measure_registration(engine) < MAX_ITEM_BYTES
