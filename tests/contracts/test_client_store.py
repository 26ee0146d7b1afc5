"""What any store of clients promises: a token is known by its hash, and a revocation reaches both items."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.callers import EVERY_CAMPAIGN, Channel, DailyCap, Role
from chalicelib.clients.errors import ClientExists, ClientRevoked, ClientUnknown, TokenUnknown
from chalicelib.clients.service import Token, TokenHash, hash_token
from chalicelib.clients.store import DynamoClients, DynamoDayCounts, DynamoLastSeenStore
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_client

TOKEN = hash_token(Token("daftar_of-a-van"))
ANOTHER_TOKEN = hash_token(Token("daftar_of-another-van"))


@pytest.fixture
def table_name(engine: Engine) -> str:
    return engine.create_table("ClientsTable")


@pytest.fixture
def clients(engine: Engine, table_name: str) -> DynamoClients:
    return DynamoClients(engine.client, table_name)


@pytest.mark.parametrize(
    "client",
    [
        make_client(),
        make_client(campaigns=frozenset()),
        make_client(
            "head-office",
            roles=frozenset({Role.MANAGER, Role.ADMIN}),
            channel=Channel.OFFICE,
            campaigns=frozenset({EVERY_CAMPAIGN}),
        ),
        make_client(expires_at=NOW + timedelta(days=1)),
        make_client(daily_cap=DailyCap(flag=10, cap=20)),
    ],
    ids=[
        *("a van", "bound to no campaign", "two roles, every campaign", "with a token that expires"),
        "with a cap of its own",
    ],
)
def test_a_client_comes_back_by_its_id_and_by_its_token(clients: DynamoClients, client: Any) -> None:
    clients.add(client, TOKEN)

    assert clients.get(client.client_id) == client
    assert clients.get_by_token(TOKEN) == client


def test_nobody_holds_a_token_that_was_never_made(clients: DynamoClients) -> None:
    with pytest.raises(TokenUnknown):
        clients.get_by_token(TOKEN)


def test_a_client_never_enrolled_is_unknown(clients: DynamoClients) -> None:
    with pytest.raises(ClientUnknown):
        clients.get("van-1")


def test_an_id_longer_than_any_key_is_unknown(clients: DynamoClients) -> None:
    with pytest.raises(ClientUnknown):
        clients.get("a" * 3000)


def test_a_second_client_with_the_same_id_gets_no_token(clients: DynamoClients) -> None:
    clients.add(make_client(), TOKEN)

    with pytest.raises(ClientExists):
        clients.add(make_client(channel=Channel.KIOSK), ANOTHER_TOKEN)

    assert clients.get("van-1") == make_client()
    with pytest.raises(TokenUnknown):
        clients.get_by_token(ANOTHER_TOKEN)


def test_a_revocation_is_seen_by_id_and_by_token(clients: DynamoClients) -> None:
    clients.add(make_client(), TOKEN)

    clients.revoke(make_client().revoke(NOW))

    assert clients.get("van-1").revoked_at == NOW
    assert clients.get_by_token(TOKEN).revoked_at == NOW


def test_the_first_revocation_is_the_one_that_is_kept(clients: DynamoClients) -> None:
    clients.add(make_client(), TOKEN)
    clients.revoke(make_client().revoke(NOW))

    clients.revoke(make_client().revoke(NOW + timedelta(hours=1)))

    assert clients.get_by_token(TOKEN).revoked_at == NOW


def test_revoking_one_client_leaves_the_others(clients: DynamoClients) -> None:
    clients.add(make_client("van-1"), TOKEN)
    clients.add(make_client("van-2"), ANOTHER_TOKEN)

    clients.revoke(make_client("van-1").revoke(NOW))

    assert clients.get_by_token(ANOTHER_TOKEN) == make_client("van-2")


def test_a_client_never_enrolled_cannot_be_revoked(clients: DynamoClients) -> None:
    with pytest.raises(ClientUnknown):
        clients.revoke(make_client().revoke(NOW))


def test_every_client_is_listed_once_by_id(clients: DynamoClients) -> None:
    for number, client_id in enumerate(("van-2", "kiosk-1", "van-1")):
        clients.add(make_client(client_id), TokenHash(f"{number:064x}"))

    assert [client.client_id for client in clients.iter_all()] == ["kiosk-1", "van-1", "van-2"]


LATER, AN_HOUR = NOW + timedelta(hours=24), timedelta(hours=1)
A_YEAR_ON = NOW + timedelta(days=365)


def a_token(number: int) -> TokenHash:
    return hash_token(Token(f"daftar_{number}"))


def rotated(clients: DynamoClients, token: TokenHash, *, older_end_at: datetime = LATER) -> None:
    client = clients.get("van-1").rotate(NOW, expires_at=A_YEAR_ON)
    clients.rotate(client, token, older_tokens_end_at=older_end_at)


def test_a_new_token_is_good_and_the_older_one_ends(clients: DynamoClients) -> None:
    clients.add(make_client(expires_at=A_YEAR_ON), TOKEN)

    rotated(clients, ANOTHER_TOKEN)

    assert clients.get_by_token(ANOTHER_TOKEN).expires_at == A_YEAR_ON
    assert clients.get_by_token(TOKEN).expires_at == LATER
    assert (clients.get("van-1").expires_at, clients.get("van-1").rotated_at) == (A_YEAR_ON, NOW)


def test_an_older_token_is_never_made_good_for_longer(clients: DynamoClients) -> None:
    clients.add(make_client(expires_at=NOW + AN_HOUR), TOKEN)

    rotated(clients, ANOTHER_TOKEN)

    assert clients.get_by_token(TOKEN).expires_at == NOW + AN_HOUR


def test_a_token_without_an_end_ends_when_it_is_replaced(clients: DynamoClients) -> None:
    clients.add(make_client(), TOKEN)

    rotated(clients, ANOTHER_TOKEN)

    assert clients.get_by_token(TOKEN).expires_at == LATER


def test_an_overlap_of_nothing_ends_every_older_token(clients: DynamoClients) -> None:
    clients.add(make_client(), a_token(1))
    rotated(clients, a_token(2))
    rotated(clients, a_token(3))

    rotated(clients, a_token(4), older_end_at=NOW)

    assert [clients.get_by_token(a_token(number)).is_revoked(NOW) for number in (1, 2, 3, 4)] == [
        True
    ] * 3 + [False]


def test_of_many_rotations_only_the_last_few_tokens_stay_good(clients: DynamoClients) -> None:
    clients.add(make_client(), a_token(0))

    for number in range(1, 10):
        rotated(clients, a_token(number))

    good = [number for number in range(10) if not clients.get_by_token(a_token(number)).is_revoked(NOW)]
    assert good == [4, 5, 6, 7, 8, 9]


def test_a_revocation_reaches_every_token_that_is_still_good(clients: DynamoClients) -> None:
    clients.add(make_client(), a_token(1))
    rotated(clients, a_token(2))
    rotated(clients, a_token(3))

    clients.revoke(clients.get("van-1").revoke(NOW))

    assert {clients.get_by_token(a_token(number)).revoked_at for number in (1, 2, 3)} == {NOW}


def test_a_revocation_does_not_need_the_tokens_that_have_ended_and_are_gone(
    clients: DynamoClients, engine: Engine, table_name: str
) -> None:
    clients.add(make_client(), a_token(1))
    rotated(clients, a_token(2))
    key = {"pk": {"S": f"TOKEN#{a_token(1)}"}, "sk": {"S": "TOKEN"}}
    engine.client.delete_item(TableName=table_name, Key=key)

    clients.revoke(clients.get("van-1").revoke(LATER))

    assert clients.get_by_token(a_token(2)).revoked_at == LATER


def test_a_client_revoked_in_between_gets_no_new_token(clients: DynamoClients) -> None:
    clients.add(make_client(), TOKEN)
    read_before = clients.get("van-1").rotate(NOW, expires_at=A_YEAR_ON)
    clients.revoke(make_client().revoke(NOW))

    with pytest.raises(ClientRevoked):
        clients.rotate(read_before, ANOTHER_TOKEN, older_tokens_end_at=LATER)

    with pytest.raises(TokenUnknown):
        clients.get_by_token(ANOTHER_TOKEN)


def test_what_has_ended_is_forgotten_a_month_later(clients: DynamoClients, engine: Engine) -> None:
    clients.add(make_client(), TOKEN)
    rotated(clients, ANOTHER_TOKEN)

    expiring = [int(item["expires_at"]["N"]) for item in engine.scan_items() if "expires_at" in item]
    assert expiring == [int((LATER + timedelta(days=30)).timestamp())]


@pytest.fixture
def last_seen(engine: Engine, table_name: str) -> DynamoLastSeenStore:
    return DynamoLastSeenStore(engine.client, table_name)


def test_when_a_client_was_last_seen_stands_with_it_and_with_its_token(
    clients: DynamoClients, last_seen: DynamoLastSeenStore
) -> None:
    clients.add(make_client(), TOKEN)

    last_seen.record_call("van-1", TOKEN, occurred_at=NOW, unless_seen_since=NOW - AN_HOUR)

    assert clients.get("van-1") == make_client(last_seen_at=NOW)
    assert clients.get_by_token(TOKEN).last_seen_at == NOW


def test_a_client_seen_within_the_hour_is_not_noted_again(
    clients: DynamoClients, last_seen: DynamoLastSeenStore
) -> None:
    clients.add(make_client(), TOKEN)
    last_seen.record_call("van-1", TOKEN, occurred_at=NOW, unless_seen_since=NOW - AN_HOUR)

    soon = NOW + timedelta(minutes=59)
    last_seen.record_call("van-1", TOKEN, occurred_at=soon, unless_seen_since=soon - AN_HOUR)
    assert clients.get("van-1").last_seen_at == NOW

    later = NOW + AN_HOUR
    last_seen.record_call("van-1", TOKEN, occurred_at=later, unless_seen_since=later - AN_HOUR)
    assert clients.get("van-1").last_seen_at == later


def test_noting_that_nobody_was_seen_makes_no_client(
    clients: DynamoClients, last_seen: DynamoLastSeenStore
) -> None:
    last_seen.record_call("van-1", TOKEN, occurred_at=NOW, unless_seen_since=NOW - AN_HOUR)

    with pytest.raises(ClientUnknown):
        clients.get("van-1")


def test_the_captures_of_a_day_are_counted_and_the_count_expires(engine: Engine) -> None:
    counts = DynamoDayCounts(engine.client, engine.create_table("ClientsTable"))

    assert [counts.add("van-1", FIRST_DAY.day, number) for number in (0, 2, 0, -1, 3)] == [0, 2, 2, 1, 4]
    assert counts.add("van-1", SECOND_DAY.day, 1) == 1
    assert counts.add("van-2", FIRST_DAY.day, 1) == 1
    days_kept = {datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC) for item in engine.scan_items()}
    assert days_kept == {datetime(2024, 10, 12, tzinfo=UTC), datetime(2024, 10, 13, tzinfo=UTC)}


def test_a_count_is_no_client(clients: DynamoClients, engine: Engine, table_name: str) -> None:
    DynamoDayCounts(engine.client, table_name).add("van-1", FIRST_DAY.day, 1)

    assert list(clients.iter_all()) == []
    with pytest.raises(ClientUnknown):
        clients.get("van-1")
