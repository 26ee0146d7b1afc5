"""What any store of clients promises: a token is known by its hash, and a revocation reaches both items."""

from datetime import timedelta

import pytest

from chalicelib.clients.dynamodb import DynamoClients
from chalicelib.clients.errors import ClientExists, ClientUnknown, TokenUnknown
from chalicelib.clients.model import EVERY_CAMPAIGN, Channel, Role
from chalicelib.clients.service import Token, TokenHash, token_hash
from tests.builders import NOW
from tests.contracts.conftest import Engine
from tests.contracts.stored import a_client

TOKEN = token_hash(Token("daftar_of-a-van"))
ANOTHER_TOKEN = token_hash(Token("daftar_of-another-van"))


@pytest.fixture
def clients(engine: Engine) -> DynamoClients:
    return DynamoClients(engine.client, engine.table("ClientsTable"))


@pytest.mark.parametrize(
    "client",
    [
        a_client(),
        a_client(campaigns=frozenset()),
        a_client(
            "head-office",
            roles=frozenset({Role.MANAGER, Role.ADMIN}),
            channel=Channel.OFFICE,
            campaigns=frozenset({EVERY_CAMPAIGN}),
        ),
        a_client(expires_at=NOW + timedelta(days=1)),
    ],
    ids=["a van", "bound to no campaign", "two roles, every campaign", "with a token that expires"],
)
def test_a_client_comes_back_by_its_id_and_by_its_token(clients, client):
    clients.add(client, TOKEN)

    assert clients.get(client.client_id) == client
    assert clients.holding(TOKEN) == client


def test_nobody_holds_a_token_that_was_never_made(clients):
    with pytest.raises(TokenUnknown):
        clients.holding(TOKEN)


def test_a_client_never_enrolled_is_unknown(clients):
    with pytest.raises(ClientUnknown):
        clients.get("van-1")


def test_an_id_longer_than_any_key_is_unknown(clients):
    with pytest.raises(ClientUnknown):
        clients.get("a" * 3000)


def test_a_second_client_with_the_same_id_gets_no_token(clients):
    clients.add(a_client(), TOKEN)

    with pytest.raises(ClientExists):
        clients.add(a_client(channel=Channel.KIOSK), ANOTHER_TOKEN)

    assert clients.get("van-1") == a_client()
    with pytest.raises(TokenUnknown):
        clients.holding(ANOTHER_TOKEN)


def test_a_revocation_is_seen_by_id_and_by_token(clients):
    clients.add(a_client(), TOKEN)

    clients.revoke(a_client().revoked(NOW))

    assert clients.get("van-1").revoked_at == NOW
    assert clients.holding(TOKEN).revoked_at == NOW


def test_the_first_revocation_is_the_one_that_is_kept(clients):
    clients.add(a_client(), TOKEN)
    clients.revoke(a_client().revoked(NOW))

    clients.revoke(a_client().revoked(NOW + timedelta(hours=1)))

    assert clients.holding(TOKEN).revoked_at == NOW


def test_revoking_one_client_leaves_the_others(clients):
    clients.add(a_client("van-1"), TOKEN)
    clients.add(a_client("van-2"), ANOTHER_TOKEN)

    clients.revoke(a_client("van-1").revoked(NOW))

    assert clients.holding(ANOTHER_TOKEN) == a_client("van-2")


def test_a_client_never_enrolled_cannot_be_revoked(clients):
    with pytest.raises(ClientUnknown):
        clients.revoke(a_client().revoked(NOW))


def test_every_client_is_listed_once_by_id(clients):
    for number, client_id in enumerate(("van-2", "kiosk-1", "van-1")):
        clients.add(a_client(client_id), TokenHash(f"{number:064x}"))

    assert [client.client_id for client in clients.all()] == ["kiosk-1", "van-1", "van-2"]
