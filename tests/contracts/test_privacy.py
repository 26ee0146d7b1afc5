"""What an operator sees who reads the tables as they are kept: no person."""

import base64
import json
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.campaigns.dynamodb import DynamoCampaigns
from chalicelib.clients.dynamodb import DynamoClients
from chalicelib.clients.service import Token, token_hash
from chalicelib.privacy.encryption import CannotUnseal, FieldCipher
from chalicelib.registrations.dynamodb import DynamoRegistrations
from chalicelib.registrations.lifecycle import Status
from chalicelib.registrations.model import Outcome
from chalicelib.registrations.service import Standing
from tests.builders import NOW, a_nik
from tests.contracts.conftest import Engine
from tests.contracts.stored import (
    A_PHONE,
    A_QUOTE,
    ANOTHER_REFERENCE,
    REFERENCE,
    a_capture_of,
    a_client,
    a_registration,
    taken,
    the_campaign,
)
from tests.registrations.happenings import a_payment

PERSONAL = {
    "NIK": a_nik(),
    "name": "Melati",
    "phone": "82455507001",
    "e-mail address": "melati@pasar",
    "address": "Jalan Contoh",
    "birth date": "1985-04-12",
    "postal code": "10250",
    "income": "2513000",
    "place of work": "Blok A",
    "sex": "female",
    "price, which gives the income away": str(A_QUOTE.total),
    "price of a month": str(A_QUOTE.months[0].amount),
    "id of a payment, which the core system may make of a card number": "kpj-21020304050",
}


def as_kept(items: list[dict[str, Any]]) -> str:
    """Raw items as text in which any value that stands in the clear can be found, bytes included."""

    def readable(value: bytes) -> str:
        return value.decode("latin-1")

    return json.dumps(items, default=readable, ensure_ascii=False)


def found_in(text: str) -> set[str]:
    """Which personal values a text gives away, also as base64."""
    encoded = {what: base64.b64encode(value.encode())[:-4].decode() for what, value in PERSONAL.items()}
    return {what for what, value in PERSONAL.items() if value in text or encoded[what] in text}


def test_this_search_finds_what_was_left_in_the_clear(engine: Engine) -> None:
    left_open = {f"value {number}": {"S": value} for number, value in enumerate(PERSONAL.values())}
    table = engine.table("TextsTable")
    engine.client.put_item(TableName=table, Item={"message_id": {"S": "1"}, **left_open})

    assert found_in(as_kept(engine.raw_items())) == PERSONAL.keys()


def test_this_search_finds_what_was_left_in_the_clear_as_bytes(engine: Engine) -> None:
    left_open = {f"value {number}": {"B": value.encode()} for number, value in enumerate(PERSONAL.values())}
    table = engine.table("TextsTable")
    engine.client.put_item(TableName=table, Item={"message_id": {"S": "1"}, **left_open})

    assert found_in(as_kept(engine.raw_items())) == PERSONAL.keys()


def test_a_registration_keeps_nothing_personal_in_the_clear(engine: Engine, cipher: FieldCipher) -> None:
    registrations = DynamoRegistrations(engine.client, engine.table("RegistrationsTable"), cipher)
    registrations.add(a_registration(), a_capture_of(taken()), A_PHONE)
    registrations.add_repeat(a_capture_of(taken(2), Outcome.ALREADY_REGISTERED), worker_key="worker")
    registrations.add_refusal(a_capture_of(taken(3), Outcome.REFUSED), on_campaign_day=True)

    standing = Standing(REFERENCE, Status.RECEIVED, has_ended=False)
    registrations.add_unseen(a_registration(ANOTHER_REFERENCE), a_capture_of(taken(4)), A_PHONE, standing)

    paid = registrations.get(REFERENCE)
    life = paid.life.with_payment(a_payment("kpj-21020304050"), at=NOW, client_id="core")
    registrations.replace(replace(paid, life=life), was=paid)

    assert len(engine.raw_items()) == 11
    assert found_in(as_kept(engine.raw_items())) == set()


def test_the_same_worker_sealed_twice_looks_different(engine: Engine, cipher: FieldCipher) -> None:
    registrations = DynamoRegistrations(engine.client, engine.table("RegistrationsTable"), cipher)
    registrations.add(a_registration(worker_key="one"), a_capture_of(taken()), A_PHONE)
    registrations.add(
        a_registration(ANOTHER_REFERENCE, worker_key="another"),
        a_capture_of(taken(2), reference=ANOTHER_REFERENCE),
        A_PHONE,
    )

    first, second = (item["sealed"]["M"]["nik"]["B"] for item in engine.raw_items() if "sealed" in item)
    assert first != second


def test_a_field_copied_into_another_registration_cannot_be_read_there(
    engine: Engine, cipher: FieldCipher
) -> None:
    table = engine.table("RegistrationsTable")
    registrations = DynamoRegistrations(engine.client, table, cipher)
    registrations.add(a_registration(worker_key="one"), a_capture_of(taken()), A_PHONE)
    registrations.add(
        a_registration(ANOTHER_REFERENCE, worker_key="another", name="Mawar"),
        a_capture_of(taken(2), reference=ANOTHER_REFERENCE),
        A_PHONE,
    )
    items = {item["reference"]["S"]: item for item in engine.raw_items() if "sealed" in item}
    forged = items[REFERENCE]
    forged["sealed"]["M"]["name"] = items[ANOTHER_REFERENCE]["sealed"]["M"]["name"]
    engine.client.put_item(TableName=table, Item=forged)

    with pytest.raises(CannotUnseal):
        registrations.get(REFERENCE)


def test_a_campaign_keeps_its_managers_sealed(engine: Engine, cipher: FieldCipher) -> None:
    campaigns = DynamoCampaigns(engine.client, engine.table("CampaignsTable"), cipher)
    campaigns.add(
        the_campaign(
            managers=[{"name": "Melati", "email": "melati@pasar.example", "phone": "+6282455507001"}]
        )
    )

    assert found_in(as_kept(engine.raw_items())) == set()


def test_a_clients_token_is_kept_as_its_hash_only(engine: Engine) -> None:
    clients = DynamoClients(engine.client, engine.table("ClientsTable"))
    token = Token("daftar_kept-by-its-holder-alone")
    clients.add(a_client(), token_hash(token))

    kept = as_kept(engine.raw_items())
    assert token not in kept
    assert token.removeprefix("daftar_") not in kept
    assert token_hash(token) in kept
