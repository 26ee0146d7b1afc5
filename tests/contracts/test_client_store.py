"""The stores of clients, of their daily counts and of their last calls, on each engine."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.callers import EVERY_CAMPAIGN, Channel, DailyCap, DeviceMode, Role
from chalicelib.clients.caps import AttemptCounts
from chalicelib.clients.errors import ClientExists, ClientRevoked, ClientUnknown, TokenUnknown
from chalicelib.clients.model import Client
from chalicelib.clients.service import Token, TokenHash, hash_token
from chalicelib.clients.store import DynamoClients, DynamoDayCounts, DynamoLastSeenStore, DynamoMinuteCounts
from tests.contracts.conftest import Engine
from tests.support.builders import NOW
from tests.support.client_stores import open_clients
from tests.support.registration_builders import FIRST_DAY, SECOND_DAY, make_client

TOKEN = hash_token(Token("daftar_of-a-van"))
ANOTHER_TOKEN = hash_token(Token("daftar_of-another-van"))


@pytest.fixture
def table_name(engine: Engine) -> str:
    return engine.create_table("ClientsTable")


@pytest.fixture
def clients(engine: Engine, table_name: str) -> DynamoClients:
    return open_clients(engine.client, table_name, engine.create_table("AuditTable"))


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
def test_a_client_comes_back_by_its_id_and_by_its_token(clients: DynamoClients, client: Client) -> None:
    clients.add(client, TOKEN)

    assert clients.get(client.client_id) == client
    assert clients.get_by_token(TOKEN) == client


def test_an_unknown_token_is_reported(clients: DynamoClients) -> None:
    with pytest.raises(TokenUnknown):
        clients.get_by_token(TOKEN)


def test_an_unknown_client_is_reported(clients: DynamoClients) -> None:
    with pytest.raises(ClientUnknown):
        clients.get("van-1")


def test_an_id_longer_than_any_key_is_unknown(clients: DynamoClients) -> None:
    with pytest.raises(ClientUnknown):
        clients.get("a" * 3000)


def test_a_second_client_with_the_same_id_is_not_stored(clients: DynamoClients) -> None:
    clients.add(make_client(), TOKEN)

    with pytest.raises(ClientExists):
        clients.add(make_client(channel=Channel.KIOSK), ANOTHER_TOKEN)

    assert clients.get("van-1") == make_client()
    with pytest.raises(TokenUnknown):
        clients.get_by_token(ANOTHER_TOKEN)


def test_a_revocation_is_read_by_id_and_by_token(clients: DynamoClients) -> None:
    clients.add(make_client(), TOKEN)

    clients.revoke(make_client().revoke(NOW))

    assert clients.get("van-1").revoked_at == NOW
    assert clients.get_by_token(TOKEN).revoked_at == NOW


def test_the_time_of_the_first_revocation_is_kept(clients: DynamoClients) -> None:
    clients.add(make_client(), TOKEN)
    clients.revoke(make_client().revoke(NOW))

    clients.revoke(make_client().revoke(NOW + timedelta(hours=1)))

    assert clients.get_by_token(TOKEN).revoked_at == NOW


def test_revoking_one_client_leaves_the_others(clients: DynamoClients) -> None:
    clients.add(make_client("van-1"), TOKEN)
    clients.add(make_client("van-2"), ANOTHER_TOKEN)

    clients.revoke(make_client("van-1").revoke(NOW))

    assert clients.get_by_token(ANOTHER_TOKEN) == make_client("van-2")


def test_an_unknown_client_cannot_be_revoked(clients: DynamoClients) -> None:
    with pytest.raises(ClientUnknown):
        clients.revoke(make_client().revoke(NOW))


def test_every_client_is_listed_once_by_id(clients: DynamoClients) -> None:
    for number, client_id in enumerate(("van-2", "kiosk-1", "van-1")):
        clients.add(make_client(client_id), TokenHash(f"{number:064x}"))

    for page_size in (1, 2, 5):
        found = [each.client_id for each in clients.iter_after(" ", page_size=page_size)]
        assert found == ["kiosk-1", "van-1", "van-2"]
    assert [each.client_id for each in clients.iter_after("van-1", page_size=5)] == ["van-2"]


LATER, AN_HOUR = NOW + timedelta(hours=24), timedelta(hours=1)
IN_A_YEAR = NOW + timedelta(days=365)


def make_token(number: int) -> TokenHash:
    return hash_token(Token(f"daftar_{number}"))


def rotate(clients: DynamoClients, token: TokenHash, *, older_tokens_end_at: datetime = LATER) -> None:
    client = clients.get("van-1").rotate(NOW, expires_at=IN_A_YEAR)
    clients.rotate(client, token, older_tokens_end_at=older_tokens_end_at)


def test_a_new_token_is_valid_and_the_older_one_ends(clients: DynamoClients) -> None:
    clients.add(make_client(expires_at=IN_A_YEAR), TOKEN)

    rotate(clients, ANOTHER_TOKEN)

    assert clients.get_by_token(ANOTHER_TOKEN).expires_at == IN_A_YEAR
    assert clients.get_by_token(TOKEN).expires_at == LATER
    assert (clients.get("van-1").expires_at, clients.get("van-1").rotated_at) == (IN_A_YEAR, NOW)


def test_the_validity_of_an_older_token_is_never_extended(clients: DynamoClients) -> None:
    clients.add(make_client(expires_at=NOW + AN_HOUR), TOKEN)

    rotate(clients, ANOTHER_TOKEN)

    assert clients.get_by_token(TOKEN).expires_at == NOW + AN_HOUR


def test_a_token_without_an_expiry_ends_after_it_is_replaced(clients: DynamoClients) -> None:
    clients.add(make_client(), TOKEN)

    rotate(clients, ANOTHER_TOKEN)

    assert clients.get_by_token(TOKEN).expires_at == LATER


def test_a_rotation_without_overlap_ends_every_older_token(clients: DynamoClients) -> None:
    clients.add(make_client(), make_token(1))
    rotate(clients, make_token(2))
    rotate(clients, make_token(3))

    rotate(clients, make_token(4), older_tokens_end_at=NOW)

    assert [clients.get_by_token(make_token(number)).is_revoked(NOW) for number in (1, 2, 3, 4)] == [
        True
    ] * 3 + [False]


def test_only_the_newest_older_tokens_stay_valid(clients: DynamoClients) -> None:
    clients.add(make_client(), make_token(0))

    for number in range(1, 25):
        rotate(clients, make_token(number))

    valid_numbers = [
        number for number in range(25) if not clients.get_by_token(make_token(number)).is_revoked(NOW)
    ]
    assert valid_numbers == [*range(4, 25)]


def test_a_revocation_reaches_every_valid_token(clients: DynamoClients) -> None:
    clients.add(make_client(), make_token(1))
    rotate(clients, make_token(2))
    rotate(clients, make_token(3))

    clients.revoke(clients.get("van-1").revoke(NOW))

    assert {clients.get_by_token(make_token(number)).revoked_at for number in (1, 2, 3)} == {NOW}


def test_a_revocation_does_not_need_expired_tokens(
    clients: DynamoClients, engine: Engine, table_name: str
) -> None:
    clients.add(make_client(), make_token(1))
    rotate(clients, make_token(2))
    key = {"pk": {"S": f"TOKEN#{make_token(1)}"}, "sk": {"S": "TOKEN"}}
    engine.client.delete_item(TableName=table_name, Key=key)

    clients.revoke(clients.get("van-1").revoke(LATER))

    assert clients.get_by_token(make_token(2)).revoked_at == LATER


def test_a_client_revoked_meanwhile_gets_no_new_token(clients: DynamoClients) -> None:
    clients.add(make_client(), TOKEN)
    read_before = clients.get("van-1").rotate(NOW, expires_at=IN_A_YEAR)
    clients.revoke(make_client().revoke(NOW))

    with pytest.raises(ClientRevoked):
        clients.rotate(read_before, ANOTHER_TOKEN, older_tokens_end_at=LATER)

    with pytest.raises(TokenUnknown):
        clients.get_by_token(ANOTHER_TOKEN)


def test_an_ended_token_is_deleted_a_month_later(clients: DynamoClients, engine: Engine) -> None:
    clients.add(make_client(), TOKEN)
    rotate(clients, ANOTHER_TOKEN)

    tokens = [item for item in engine.scan_items() if item.get("sk") == {"S": "TOKEN"}]
    expiring = [int(item["expires_at"]["N"]) for item in tokens if "expires_at" in item]
    assert expiring == [int((LATER + timedelta(days=30)).timestamp())]


@pytest.fixture
def last_seen(engine: Engine, table_name: str) -> DynamoLastSeenStore:
    return DynamoLastSeenStore(engine.client, table_name)


def test_the_last_call_is_stored_with_the_client_and_its_token(
    clients: DynamoClients, last_seen: DynamoLastSeenStore
) -> None:
    clients.add(make_client(), TOKEN)

    last_seen.record_call("van-1", TOKEN, occurred_at=NOW, unless_seen_since=NOW - AN_HOUR)

    assert clients.get("van-1") == make_client(last_seen_at=NOW)
    assert clients.get_by_token(TOKEN).last_seen_at == NOW


def test_a_call_within_the_hour_is_not_recorded_again(
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


def test_a_call_of_an_unknown_client_stores_nothing(
    clients: DynamoClients, last_seen: DynamoLastSeenStore
) -> None:
    last_seen.record_call("van-1", TOKEN, occurred_at=NOW, unless_seen_since=NOW - AN_HOUR)

    with pytest.raises(ClientUnknown):
        clients.get("van-1")


def test_attempts_are_counted_by_client_and_day_and_counts_expire(engine: Engine) -> None:
    counts = DynamoDayCounts(engine.client, engine.create_table("ClientsTable"))

    added = [(0, 0, 0, 0), (2, 1, 0, 0), (0, 0, 0, 0), (-1, 0, 0, 4), (3, 2, 5, 0)]
    sums = [counts.add("van-1", FIRST_DAY.day, AttemptCounts(*numbers)) for numbers in added]

    assert sums == [
        AttemptCounts(*numbers)
        for numbers in [(0, 0, 0, 0), (2, 1, 0, 0), (2, 1, 0, 0), (1, 1, 0, 4), (4, 3, 5, 4)]
    ]
    assert counts.add("van-1", SECOND_DAY.day, AttemptCounts(1)) == AttemptCounts(1)
    assert counts.add("van-2", FIRST_DAY.day, AttemptCounts(1)) == AttemptCounts(1)
    days_kept = {datetime.fromtimestamp(int(item["expires_at"]["N"]), UTC) for item in engine.scan_items()}
    assert days_kept == {datetime(2024, 10, 12, tzinfo=UTC), datetime(2024, 10, 13, tzinfo=UTC)}


def test_captures_of_a_kiosk_are_counted_by_minute_and_counts_expire(engine: Engine) -> None:
    counts = DynamoMinuteCounts(engine.client, engine.create_table("ClientsTable"))

    assert [counts.add("kiosk-1", NOW, number) for number in (3, 1, 200)] == [3, 4, 204]
    assert counts.add("kiosk-1", NOW + timedelta(minutes=1), 2) == 2
    assert counts.add("kiosk-2", NOW, 1) == 1
    assert all("expires_at" in item for item in engine.scan_items())


def test_a_count_is_not_read_as_a_client(clients: DynamoClients, engine: Engine, table_name: str) -> None:
    DynamoDayCounts(engine.client, table_name).add("van-1", FIRST_DAY.day, AttemptCounts(1))
    DynamoMinuteCounts(engine.client, table_name).add("van-1", NOW, 1)

    assert list(clients.iter_after(" ", page_size=1)) == []
    with pytest.raises(ClientUnknown):
        clients.get("van-1")


def test_a_token_by_a_link_is_its_own_and_ends_with_its_client(clients: DynamoClients) -> None:
    clients.add(make_client(), make_token(1))
    by_link = replace(make_client(expires_at=LATER), link_id="a-phone", mode=DeviceMode.SELF)

    clients.add_link_token(by_link, ANOTHER_TOKEN)

    assert clients.get_by_token(ANOTHER_TOKEN) == by_link
    assert clients.get("van-1").link_id is None
    rotate(clients, make_token(2))
    assert clients.get_by_token(ANOTHER_TOKEN).expires_at == LATER
    clients.revoke(clients.get("van-1").revoke(NOW))
    assert clients.get_by_token(ANOTHER_TOKEN).revoked_at == NOW


def test_a_token_by_a_link_is_deleted_a_month_after_its_end(clients: DynamoClients, engine: Engine) -> None:
    clients.add(make_client(), make_token(1))
    clients.add_link_token(replace(make_client(expires_at=LATER), link_id="a-phone"), ANOTHER_TOKEN)
    tokens = [item for item in engine.scan_items() if item.get("sk") == {"S": "TOKEN"}]
    expiring = [int(item["expires_at"]["N"]) for item in tokens if "expires_at" in item]
    assert expiring == [int((LATER + timedelta(days=30)).timestamp())]
