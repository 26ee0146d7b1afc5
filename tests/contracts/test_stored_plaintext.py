"""Raw items of the tables contain no personal plaintext."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.campaigns.store import DynamoCampaigns
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.refusals import RecordUnreadable
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.model import Status
from chalicelib.registrations.prior_state import WorkerRecord
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.lifecycle_events import make_payment
from tests.support.payloads import make_nik
from tests.support.registration_builders import (
    ANOTHER_REFERENCE,
    PHONE_COUNT,
    QUOTE,
    REFERENCE,
    REFUSALS_EXPIRE_ON,
    make_campaign,
    make_capture,
    make_capture_metadata,
    make_registration,
)
from tests.support.registration_stores import open_registration_stores

PERSONAL = {
    "NIK": make_nik(),
    "name": "Melati",
    "phone": "82455507001",
    "e-mail address": "melati@pasar",
    "address": "Jalan Contoh",
    "birth date": "1985-04-12",
    "postal code": "10250",
    "income": "2513000",
    "place of work": "Blok A",
    "sex": "female",
    "price, which gives the income away": str(QUOTE.total),
    "price of a month": str(QUOTE.months[0].amount),
    "id of a payment, which the core system may make of a card number": "kpj-21020304050",
}


def dump_items(items: list[dict[str, Any]]) -> str:
    """Return raw items as text in which every plaintext value can be found, bytes included."""

    def readable(value: bytes) -> str:
        return value.decode("latin-1")

    return json.dumps(items, default=readable, ensure_ascii=False)


def find_personal_values(text: str) -> set[str]:
    """Return the names of the personal values that a text contains, plain or as base64."""
    encoded = {name: base64.b64encode(value.encode())[:-4].decode() for name, value in PERSONAL.items()}
    return {name for name, value in PERSONAL.items() if value in text or encoded[name] in text}


def test_the_search_finds_plaintext(engine: Engine) -> None:
    plaintext = {f"value {number}": {"S": value} for number, value in enumerate(PERSONAL.values())}
    table = engine.create_table("SmsLedgerTable")
    engine.client.put_item(TableName=table, Item={"sms_id": {"S": "1"}, **plaintext})

    assert find_personal_values(dump_items(engine.scan_items())) == PERSONAL.keys()


def test_the_search_finds_plaintext_bytes(engine: Engine) -> None:
    plaintext = {f"value {number}": {"B": value.encode()} for number, value in enumerate(PERSONAL.values())}
    table = engine.create_table("SmsLedgerTable")
    engine.client.put_item(TableName=table, Item={"sms_id": {"S": "1"}, **plaintext})

    assert find_personal_values(dump_items(engine.scan_items())) == PERSONAL.keys()


def test_a_registration_keeps_nothing_personal_in_the_clear(engine: Engine, cipher: FieldCipher) -> None:
    stores = open_registration_stores(engine.client, engine.create_table("RegistrationsTable"), cipher)
    stores.intake.add(make_registration(), make_capture(make_capture_metadata()), PHONE_COUNT)
    stores.intake.add_repeat(
        make_capture(make_capture_metadata(2), Outcome.ALREADY_REGISTERED), worker_key="worker"
    )
    stores.intake.add_refusal(
        make_capture(make_capture_metadata(3), Outcome.REFUSED),
        is_on_campaign_day=True,
        expires_on=REFUSALS_EXPIRE_ON,
    )

    standing = WorkerRecord(REFERENCE, Status.RECEIVED, has_ended=False, captures=2)
    stores.intake.add_public(
        make_registration(ANOTHER_REFERENCE), make_capture(make_capture_metadata(4)), PHONE_COUNT, standing
    )

    paid = stores.reading.get(REFERENCE)
    life = paid.lifecycle.with_payment(make_payment("kpj-21020304050"), occurred_at=NOW, client_id="core")
    stores.lifecycle.replace(replace(paid, lifecycle=life), previous=paid)

    assert len(engine.scan_items()) == 11
    assert find_personal_values(dump_items(engine.scan_items())) == set()


def test_the_same_worker_sealed_twice_looks_different(engine: Engine, cipher: FieldCipher) -> None:
    stores = open_registration_stores(engine.client, engine.create_table("RegistrationsTable"), cipher)
    stores.intake.add(make_registration(worker_key="one"), make_capture(make_capture_metadata()), PHONE_COUNT)
    stores.intake.add(
        make_registration(ANOTHER_REFERENCE, worker_key="another"),
        make_capture(make_capture_metadata(2), reference=ANOTHER_REFERENCE),
        PHONE_COUNT,
    )

    first, second = (item["sealed"]["M"]["nik"]["B"] for item in engine.scan_items() if "sealed" in item)
    assert first != second


def test_a_field_copied_to_another_registration_cannot_be_unsealed(
    engine: Engine, cipher: FieldCipher
) -> None:
    table = engine.create_table("RegistrationsTable")
    stores = open_registration_stores(engine.client, table, cipher)
    stores.intake.add(make_registration(worker_key="one"), make_capture(make_capture_metadata()), PHONE_COUNT)
    stores.intake.add(
        make_registration(ANOTHER_REFERENCE, worker_key="another", name="Mawar"),
        make_capture(make_capture_metadata(2), reference=ANOTHER_REFERENCE),
        PHONE_COUNT,
    )
    items = {item["reference"]["S"]: item for item in engine.scan_items() if "sealed" in item}
    forged = items[REFERENCE]
    forged["sealed"]["M"]["name"] = items[ANOTHER_REFERENCE]["sealed"]["M"]["name"]
    engine.client.put_item(TableName=table, Item=forged)

    with pytest.raises(RecordUnreadable):
        stores.reading.get(REFERENCE)


def test_a_campaign_has_no_personal_plaintext(engine: Engine, cipher: FieldCipher) -> None:
    campaigns = DynamoCampaigns(
        engine.client, engine.create_table("CampaignsTable"), cipher, build_audit_write=None
    )
    campaigns.add(
        make_campaign(
            managers=[{"name": "Melati", "email": "melati@pasar.example", "phone": "+6282455507001"}]
        )
    )

    assert find_personal_values(dump_items(engine.scan_items())) == set()
