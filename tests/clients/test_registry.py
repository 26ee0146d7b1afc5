"""Enrolling, recognising and revoking clients, on the declared table."""

from datetime import timedelta
from itertools import count

import boto3
import pytest

from chalicelib.clients.dynamodb import DynamoClients
from chalicelib.clients.errors import ClientExists, ClientUnknown, TokenRevoked, TokenUnknown
from chalicelib.clients.messages import EnrolClient
from chalicelib.clients.model import Role
from chalicelib.clients.service import Registry, Token, token_hash
from tests.builders import NOW
from tests.fakes import FixedClock

ENROLMENT = EnrolClient(client_id="van-1", roles=(Role.KIOSK,), campaigns=("tanah-abang-2024",))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def registry(stage: None, clock: FixedClock) -> Registry:
    numbers = count(1)
    return Registry(
        clients=DynamoClients(boto3.client("dynamodb"), "ClientsTable"),
        clock=clock,
        new_token=lambda: Token(f"daftar_{next(numbers)}"),
    )


def test_who_holds_a_token_is_the_client_it_was_made_for(registry: Registry) -> None:
    client, token = registry.enrol(ENROLMENT)
    assert registry.identify(token) == client.caller
    assert client.enrolled_at == NOW


@pytest.mark.parametrize("token", ["", "daftar_2", "daftar_1 ", "DAFTAR_1", token_hash(Token("daftar_1"))])
def test_any_other_token_is_unknown(registry: Registry, token: str) -> None:
    registry.enrol(ENROLMENT)
    with pytest.raises(TokenUnknown):
        registry.identify(Token(token))


def test_a_client_cannot_be_enrolled_twice_to_see_a_token_again(registry: Registry) -> None:
    registry.enrol(ENROLMENT)
    with pytest.raises(ClientExists):
        registry.enrol(ENROLMENT)


def test_a_revoked_token_is_refused_as_revoked(registry: Registry) -> None:
    _, token = registry.enrol(ENROLMENT)
    registry.revoke("van-1")
    with pytest.raises(TokenRevoked):
        registry.identify(token)


def test_a_token_is_refused_from_the_moment_it_expires(registry: Registry, clock: FixedClock) -> None:
    _, token = registry.enrol(ENROLMENT.model_copy(update={"expires_at": NOW + timedelta(hours=1)}))
    registry.identify(token)
    clock.forward(timedelta(hours=1))
    with pytest.raises(TokenRevoked):
        registry.identify(token)


def test_revoking_once_more_keeps_the_first_time(registry: Registry, clock: FixedClock) -> None:
    registry.enrol(ENROLMENT)
    registry.revoke("van-1")
    clock.forward(timedelta(hours=1))
    registry.revoke("van-1")
    assert registry.get("van-1").revoked_at == NOW


def test_a_client_never_enrolled_can_be_neither_shown_nor_revoked(registry: Registry) -> None:
    for act in (registry.get, registry.revoke):
        with pytest.raises(ClientUnknown):
            act("van-9")


def test_a_stored_token_cannot_be_read_back(registry: Registry) -> None:
    _, token = registry.enrol(ENROLMENT)
    stored = boto3.client("dynamodb").scan(TableName="ClientsTable")["Items"]
    assert len(stored) == 2
    assert token not in str(stored)
