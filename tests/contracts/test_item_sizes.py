"""Every item that can grow fits into DynamoDB's 400 KB when it is as large as the code lets it become."""

import hashlib
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from chalicelib.callers import Role
from chalicelib.campaigns.model import MAX_DURATION
from chalicelib.campaigns.store import DynamoCampaigns
from chalicelib.clients.schemas import EnrolClient
from chalicelib.clients.service import TokenHash
from chalicelib.clock import to_timestamp
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.deliveries.model import Delivery, DeliveryId, Medium
from chalicelib.deliveries.store import DynamoDeliveries
from chalicelib.http.pagination import Position
from chalicelib.notifications.model import MAX_SENDS, SendUpdate, SmsState
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.registrations.captures import CaptureFacts, DayFact, Outcome
from chalicelib.registrations.errors import HistoryFull, RegistrationUnknown
from chalicelib.registrations.model import (
    MAX_REPORTED_EVENTS,
    EventType,
    Flag,
    LifecycleState,
    Registration,
    Status,
)
from chalicelib.registrations.repeats import MAX_RECORDED_REPEATS
from chalicelib.registrations.reported_events import Payment, PaymentCode
from chalicelib.registrations.store_reading import DynamoReadingStore
from chalicelib.rollups.bounded_counter import MAX_KEYS
from chalicelib.rollups.counting import AnomalyThresholds, DayCounter
from chalicelib.rollups.model import SummaryState, summarise
from chalicelib.rollups.running_count import Checkpoint
from chalicelib.rollups.store_counting import DynamoCountingState
from chalicelib.rollups.store_summaries import DynamoSummaries
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.client_stores import open_clients
from tests.support.item_sizes import MAX_ITEM_BYTES, measure_item
from tests.support.registration_builders import (
    FIRST_DAY,
    PHONE_COUNT,
    REFERENCE,
    make_campaign,
    make_capture,
    make_capture_metadata,
    make_client,
    make_reference,
    make_registration,
    make_sms,
    make_summary,
)
from tests.support.registration_stores import RegistrationStores, open_registration_stores

LONG_CLIENT_ID = "core-" + "x" * 59
LATER = datetime(2999, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC)


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
    stores.erasure.erase_registration(REFERENCE, "worker")
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


def test_a_page_of_long_histories_ends_early_and_the_next_one_goes_on(
    engine: Engine, cipher: FieldCipher
) -> None:
    table = engine.create_table("RegistrationsTable")
    stores = open_registration_stores(engine.client, table, cipher)
    reading = DynamoReadingStore(engine.client, table, cipher, max_page_events=10)
    lengths = [3, 4, 3, 1, 12, 1]  # events of each history
    for number, length in enumerate(lengths, start=1):
        metadata = make_capture_metadata(number, captured_at=NOW + timedelta(minutes=number))
        registration = make_registration(make_reference(number), metadata, worker_key=f"worker {number}")
        lifecycle = registration.lifecycle
        for _ in range(length - 1):
            lifecycle = lifecycle.with_differing_repeat(["name"], occurred_at=NOW, client_id="van-1")
        capture = make_capture(metadata, reference=registration.reference)
        stores.intake.add(replace(registration, lifecycle=lifecycle), capture, PHONE_COUNT)

    pages, position = [], None
    while True:
        page = reading.list_by_campaign_day(FIRST_DAY, start_after=position, page_size=100)
        pages.append([len(row.lifecycle.history) for row in page.rows])
        position = page.next_position
        if position is None:
            break

    assert pages == [[3, 4, 3], [1], [12], [1]]


def test_the_largest_summary_and_its_unfinished_count_fit(engine: Engine) -> None:
    table = engine.create_table("SummariesTable")
    summaries = DynamoSummaries(engine.client, table)
    counting_state = DynamoCountingState(engine.client, table)
    counter = DayCounter(AnomalyThresholds(min_workers=1, peer_ratio=0))
    for number in range(2 * MAX_KEYS):
        client_id = f"{hashlib.sha256(str(number).encode()).hexdigest()[:62]}-x"
        counter.add(make_worst_fact(client_id, number))
    summary = summarise(
        counter.to_tally(),
        campaign_day=FIRST_DAY,
        state=SummaryState.FINAL,
        counted_at=to_timestamp(NOW),
        previous=make_summary(),
    )

    summaries.add(summary)
    counting_state.save_checkpoint(FIRST_DAY, Checkpoint(NOW, "2", Position("p" * 100), counter.dump_state()))

    assert len(summary.by_client) == len(summary.by_officer) == MAX_KEYS + 1
    assert min(len(summary.changes), len(summary.notes)) >= MAX_KEYS
    assert summaries.find_latest(FIRST_DAY) == summary
    checkpoint = counting_state.find_checkpoint(FIRST_DAY)
    assert checkpoint is not None
    assert checkpoint.counter_state == counter.dump_state()
    sizes = [measure_item(item) for item in engine.scan_items()]
    assert 50_000 < max(sizes) < MAX_ITEM_BYTES


def make_worst_fact(client_id: str, number: int) -> DayFact:
    """Return a capture that adds to every figure of its own device and officer, and to every anomaly."""
    facts = CaptureFacts(
        outcome=Outcome.CREATED,
        channel="van",
        client_id=client_id,
        occupations=("porter",),
        flags=(Flag.PHONE_BUSY,),
        officer=client_id[:40],
        programmes=("JHT", "JKK", "JKM"),
        sex="female",
        age="30-39",
        hour=f"{number % 24:02}",
        received_on=FIRST_DAY.day + timedelta(days=number),
        neighbours=("abc", "def"),
        differs=("name",),
    )
    return DayFact(Position(f"{number:09}"), facts, NOW + timedelta(seconds=number))


def test_the_delivery_of_a_report_about_every_day_of_the_longest_campaign_fits(engine: Engine) -> None:
    deliveries = DynamoDeliveries(
        engine.client,
        engine.create_table("SendingTable"),
        new_write_id=lambda: "write",
        clock=lambda: NOW,
        retention=timedelta(days=30),
    )
    days = [FIRST_DAY.day + timedelta(days=number) for number in range(MAX_DURATION.days)]
    delivery = Delivery(delivery_id=DeliveryId("d" * 32), medium=Medium.MAIL).claim(
        NOW, version=1, revised_versions=dict.fromkeys(days, 999_999)
    )

    assert deliveries.save(delivery)

    assert deliveries.find(delivery.delivery_id) == delivery
    assert max(measure_item(item) for item in engine.scan_items()) < MAX_ITEM_BYTES


def test_a_campaign_with_as_many_managers_as_it_may_have_fits(engine: Engine, cipher: FieldCipher) -> None:
    campaigns = DynamoCampaigns(
        engine.client, engine.create_table("CampaignsTable"), cipher, build_audit_write=None
    )
    manager = {"name": "\U00020000" * 100, "email": f"{'x' * 240}@pasar.example", "phone": "0" * 20}
    campaign = make_campaign(name="\U00020000" * 120, managers=[manager] * 50)
    with pytest.raises(ValidationError):
        make_campaign(managers=[manager] * 51)

    campaigns.add(campaign)

    assert campaigns.get(campaign.campaign_id) == campaign
    assert max(measure_item(item) for item in engine.scan_items()) < MAX_ITEM_BYTES


def test_a_client_with_as_many_campaigns_and_rotated_tokens_as_it_may_have_fits(engine: Engine) -> None:
    clients = open_clients(
        engine.client, engine.create_table("ClientsTable"), engine.create_table("AuditTable")
    )
    campaigns = [f"{number:064}" for number in range(50)]
    EnrolClient(client_id="van-1", roles=(Role.KIOSK,), campaigns=tuple(campaigns))
    with pytest.raises(ValidationError):
        EnrolClient(client_id="van-1", roles=(Role.KIOSK,), campaigns=(*campaigns, "one-more"))
    clients.add(make_client(campaigns=frozenset(campaigns)), TokenHash("f" * 64))

    for number in range(30):
        rotated = clients.get("van-1").rotate(NOW + timedelta(hours=number), expires_at=LATER)
        clients.rotate(rotated, TokenHash(f"{number:064x}"), older_tokens_end_at=LATER)

    assert max(measure_item(item) for item in engine.scan_items()) < 20_000


def test_an_sms_keeps_its_size_however_many_copies_are_reported(engine: Engine) -> None:
    ledger = DynamoSmsLedger(
        engine.client,
        sms_table=engine.create_table("SmsLedgerTable"),
        sending_table=engine.create_table("SendingTable"),
        new_write_id=lambda: "write",
    )
    sms = replace(make_sms(), attempts=1, state=SmsState.UNKNOWN)
    for number in range(2_000):
        sms = sms.apply_update(SendUpdate("twilio", f"{number:064}", SmsState.SENT, parts=1, price=1))

    ledger.get_or_create(sms)

    assert len(sms.sends) == MAX_SENDS
    assert ledger.get(sms.sms_id) == sms
    known = sms.apply_update(SendUpdate("twilio", f"{0:064}", SmsState.DELIVERED))
    assert known.state is SmsState.DELIVERED
    assert max(measure_item(item) for item in engine.scan_items()) < 10_000
