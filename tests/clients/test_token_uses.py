"""From where tokens are used: what is recorded, what is flagged, and that no flag locks anybody out."""

from datetime import timedelta

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.clients.model import TokenUse, UseFlag
from chalicelib.clients.service import TokenHash
from chalicelib.clients.store import DynamoClients
from chalicelib.clients.store_uses import DynamoTokenUseStore
from chalicelib.clients.uses import TokenUseTracker, find_network
from tests.support.builders import NOW
from tests.support.client_stores import open_clients
from tests.support.concurrent_writer import with_concurrent_writes
from tests.support.fakes.clock import FixedClock
from tests.support.registration_builders import make_client

DAY = timedelta(days=1)
AT_HOME, NEXT_DOOR, ELSEWHERE = "203.0.113.7", "203.0.200.1", "198.51.100.7"


@pytest.fixture
def clients(moto_stage: None) -> DynamoClients:
    clients = open_clients(boto3.client("dynamodb"))
    clients.add(make_client(), TokenHash("hash-1"))
    return clients


@pytest.fixture
def store(clients: DynamoClients) -> DynamoTokenUseStore:
    return DynamoTokenUseStore(boto3.client("dynamodb"), "ClientsTable")


def call(store: DynamoTokenUseStore, clock: FixedClock, *addresses: str) -> None:
    """Call from each address in turn, each time by a process that has seen nothing."""
    for address in addresses:
        tracker = TokenUseTracker(get_store=lambda: store, hash_network=str.upper, clock=clock)
        tracker.record_call("van-1", address)


def read_use(clients: DynamoClients) -> TokenUse:
    use = clients.get("van-1").use
    assert use is not None
    return use


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.0.0/16"),
        ("2001:db8:1:2::7", "2001:db8::/32"),
        ("", None),
        ("unknown", None),
        ("203.0.113.7, 198.51.100.7", None),
    ],
)
def test_a_network_is_the_first_half_of_an_address(address: str, network: str | None) -> None:
    assert find_network(address) == network


@given(address=st.ip_addresses().map(str))
def test_every_address_has_a_network_that_does_not_hold_all_of_it(address: str) -> None:
    network = find_network(address)
    assert network is not None
    assert find_network(network.partition("/")[0]) == network


@given(address=st.text())
def test_what_is_no_address_raises_nothing(address: str) -> None:
    find_network(address)


def test_the_first_network_is_learned_and_not_flagged(
    clients: DynamoClients, store: DynamoTokenUseStore
) -> None:
    assert clients.get("van-1").use is None

    call(store, FixedClock(NOW), AT_HOME, NEXT_DOOR)

    assert read_use(clients) == TokenUse(("203.0.0.0/16",), NOW)


def test_another_network_is_flagged_once(clients: DynamoClients, store: DynamoTokenUseStore) -> None:
    clock = FixedClock(NOW)
    call(store, clock, AT_HOME)
    clock.advance(DAY)
    call(store, clock, ELSEWHERE)
    clock.advance(DAY)
    call(store, clock, AT_HOME, ELSEWHERE)

    use = read_use(clients)

    assert (use.flags, use.flagged_at) == ((UseFlag.NEW_NETWORK,), NOW + DAY)
    assert use.networks == ("198.51.0.0/16", "203.0.0.0/16")
    assert use.used_at == NOW + 2 * DAY


@pytest.mark.parametrize(("days", "flags"), [(29, ()), (30, (UseFlag.LONG_SILENCE,))])
def test_a_use_after_a_long_silence_is_flagged(
    clients: DynamoClients, store: DynamoTokenUseStore, days: int, flags: tuple[UseFlag, ...]
) -> None:
    clock = FixedClock(NOW)
    call(store, clock, AT_HOME)
    clock.advance(days * DAY)
    call(store, clock, AT_HOME)

    assert read_use(clients).flags == flags


def test_another_network_after_a_long_silence_has_both_flags() -> None:
    use = TokenUse.begin("a", NOW).after_call("b", NOW + 31 * DAY)
    assert use.flags == (UseFlag.NEW_NETWORK, UseFlag.LONG_SILENCE)


def test_a_day_of_calls_from_one_network_writes_once(
    clients: DynamoClients, store: DynamoTokenUseStore
) -> None:
    clock = FixedClock(NOW)
    call(store, clock, AT_HOME)
    clock.advance(DAY - timedelta(seconds=1))
    call(store, clock, AT_HOME)

    assert read_use(clients).used_at == NOW


def test_a_flag_of_another_process_at_the_same_time_is_kept(
    clients: DynamoClients, store: DynamoTokenUseStore
) -> None:
    clock = FixedClock(NOW)
    call(store, clock, AT_HOME)
    clock.advance(DAY)
    racing = with_concurrent_writes(store, "replace", lambda: call(store, clock, ELSEWHERE))

    call(racing, clock, AT_HOME)

    assert read_use(clients).flags == (UseFlag.NEW_NETWORK,)


def test_a_client_that_was_never_enrolled_gets_no_item(
    clients: DynamoClients, store: DynamoTokenUseStore
) -> None:
    assert not store.replace("van-2", TokenUse.begin("a", NOW), previous=None)


def test_a_network_is_looked_at_once_an_hour(clients: DynamoClients, store: DynamoTokenUseStore) -> None:
    clock, looks = FixedClock(NOW), []

    def get_store() -> DynamoTokenUseStore:
        looks.append(clock())
        return store

    tracker = TokenUseTracker(get_store=get_store, hash_network=str, clock=clock)
    for address in (AT_HOME, NEXT_DOOR, ELSEWHERE, AT_HOME):
        tracker.record_call("van-1", address)
    clock.advance(timedelta(hours=1))
    tracker.record_call("van-1", AT_HOME)

    assert len(looks) == 3
