"""Enrolling, recognising and revoking clients, on the declared table."""

from datetime import datetime, timedelta
from itertools import count

import boto3
import pytest

from chalicelib.callers import Role
from chalicelib.clients.errors import ClientExists, ClientRevoked, ClientUnknown, TokenRevoked, TokenUnknown
from chalicelib.clients.schemas import EnrolClient, RotateToken
from chalicelib.clients.service import (
    ClientRegistry,
    LastSeenTracker,
    Token,
    TokenHash,
    TokenLifetime,
    hash_token,
)
from chalicelib.clients.store import DynamoClients
from tests.support.builders import NOW, make_caller
from tests.support.fakes import FixedClock
from tests.support.registration_builders import make_client

ENROLMENT = EnrolClient(client_id="van-1", roles=(Role.KIOSK,), campaigns=("tanah-abang-2024",))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def registry(moto_stage: None, clock: FixedClock) -> ClientRegistry:
    numbers = count(1)
    return ClientRegistry(
        clients=DynamoClients(boto3.client("dynamodb"), "ClientsTable"),
        clock=clock,
        generate_token=lambda: Token(f"daftar_{next(numbers)}"),
        token_lifetime=TokenLifetime(),
    )


def test_who_holds_a_token_is_the_client_it_was_made_for(registry: ClientRegistry) -> None:
    client, token = registry.enrol(ENROLMENT)
    assert registry.identify(token) == client
    assert client.enrolled_at == NOW


@pytest.mark.parametrize("token", ["", "daftar_2", "daftar_1 ", "DAFTAR_1", hash_token(Token("daftar_1"))])
def test_any_other_token_is_unknown(registry: ClientRegistry, token: str) -> None:
    registry.enrol(ENROLMENT)
    with pytest.raises(TokenUnknown):
        registry.identify(Token(token))


def test_a_client_cannot_be_enrolled_twice_to_see_a_token_again(registry: ClientRegistry) -> None:
    registry.enrol(ENROLMENT)
    with pytest.raises(ClientExists):
        registry.enrol(ENROLMENT)


def test_a_revoked_token_is_refused_as_revoked(registry: ClientRegistry) -> None:
    _, token = registry.enrol(ENROLMENT)
    registry.revoke("van-1")
    with pytest.raises(TokenRevoked):
        registry.identify(token)


def test_a_token_is_refused_from_the_moment_it_expires(registry: ClientRegistry, clock: FixedClock) -> None:
    _, token = registry.enrol(ENROLMENT.model_copy(update={"expires_at": NOW + timedelta(hours=1)}))
    registry.identify(token)
    clock.advance(timedelta(hours=1))
    with pytest.raises(TokenRevoked):
        registry.identify(token)


def test_revoking_once_more_keeps_the_first_time(registry: ClientRegistry, clock: FixedClock) -> None:
    registry.enrol(ENROLMENT)
    registry.revoke("van-1")
    clock.advance(timedelta(hours=1))
    registry.revoke("van-1")
    assert registry.get("van-1").revoked_at == NOW


def test_a_client_never_enrolled_can_be_neither_shown_nor_revoked(registry: ClientRegistry) -> None:
    for act in (registry.get, registry.revoke):
        with pytest.raises(ClientUnknown):
            act("van-9")


def test_a_stored_token_cannot_be_read_back(registry: ClientRegistry) -> None:
    _, token = registry.enrol(ENROLMENT)
    stored = boto3.client("dynamodb").scan(TableName="ClientsTable")["Items"]
    assert len(stored) == 2
    assert token not in str(stored)


def test_a_token_is_good_for_the_usual_time_unless_its_end_is_given(registry: ClientRegistry) -> None:
    client, _ = registry.enrol(ENROLMENT)
    assert client.expires_at == NOW + timedelta(days=90)


def test_a_replaced_token_is_good_for_the_overlap_and_the_new_one_at_once(
    registry: ClientRegistry, clock: FixedClock
) -> None:
    _, old = registry.enrol(ENROLMENT)

    client, new, older_end_at = registry.rotate("van-1", RotateToken())

    assert (client.expires_at, older_end_at) == (NOW + timedelta(days=90), NOW + timedelta(hours=24))
    clock.advance(timedelta(hours=23, minutes=59))
    assert registry.identify(old).caller == registry.identify(new).caller
    clock.advance(timedelta(minutes=1))
    with pytest.raises(TokenRevoked):
        registry.identify(old)
    assert registry.identify(new).client_id == "van-1"


def test_a_token_in_the_wrong_hands_is_replaced_without_an_overlap(registry: ClientRegistry) -> None:
    _, old = registry.enrol(ENROLMENT)

    _, new, _ = registry.rotate("van-1", RotateToken(overlap_hours=0))

    with pytest.raises(TokenRevoked):
        registry.identify(old)
    registry.identify(new)


def test_a_token_that_has_expired_is_replaced_by_one_that_is_good(
    registry: ClientRegistry, clock: FixedClock
) -> None:
    registry.enrol(ENROLMENT)
    clock.advance(timedelta(days=91))

    client, new, _ = registry.rotate("van-1", RotateToken(expires_at=NOW + timedelta(days=100)))

    assert client.expires_at == NOW + timedelta(days=100)
    registry.identify(new)


def test_a_revoked_client_gets_no_new_token_and_one_never_enrolled_none_at_all(
    registry: ClientRegistry,
) -> None:
    registry.enrol(ENROLMENT)
    registry.revoke("van-1")
    with pytest.raises(ClientRevoked):
        registry.rotate("van-1", RotateToken())
    with pytest.raises(ClientUnknown):
        registry.rotate("van-9", RotateToken())


class WrittenDown:
    """Satisfies `service.LastSeenStore`; fails if told so."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.notes: list[tuple[str, datetime]] = []
        self._failure = failure

    def record_call(
        self, client_id: str, token: TokenHash, *, occurred_at: datetime, unless_seen_since: datetime
    ) -> None:
        self.notes.append((client_id, occurred_at))
        if self._failure is not None:
            raise self._failure


def test_a_client_is_noted_once_an_hour(registry: ClientRegistry, clock: FixedClock) -> None:
    client, token = registry.enrol(ENROLMENT)
    written = WrittenDown()
    sightings = LastSeenTracker(get_store=lambda: written, clock=clock)

    for _ in range(7):
        sightings.record_call(client, token)
        clock.advance(timedelta(minutes=20))

    assert [at for _, at in written.notes] == [NOW, NOW + timedelta(hours=1), NOW + timedelta(hours=2)]


def test_a_client_that_another_container_noted_is_not_noted_again(clock: FixedClock) -> None:
    written = WrittenDown()
    seen = make_client(last_seen_at=NOW - timedelta(minutes=59))

    LastSeenTracker(get_store=lambda: written, clock=clock).record_call(seen, Token("daftar_1"))

    assert written.notes == []


def test_a_note_that_failed_is_not_waited_for_again_within_the_hour(clock: FixedClock) -> None:
    written = WrittenDown(failure=ConnectionError())
    sightings = LastSeenTracker(get_store=lambda: written, clock=clock)

    with pytest.raises(ConnectionError):
        sightings.record_call(make_client(), Token("daftar_1"))
    sightings.record_call(make_client(), Token("daftar_1"))

    assert len(written.notes) == 1


@pytest.mark.parametrize(
    ("campaigns", "of", "is_within"),
    [
        ({"tanah-abang-2024"}, {"tanah-abang-2024"}, True),
        ({"tanah-abang-2024", "senen-2024"}, {"senen-2024"}, True),
        ({"*"}, {"senen-2024"}, False),
        ({"tanah-abang-2024"}, {"*"}, True),
        ({"*"}, {"*"}, True),
        ({"tanah-abang-2024"}, {"senen-2024"}, False),
        (set(), {"*"}, False),
    ],
)
def test_a_client_is_within_reach_of_those_who_work_for_one_of_its_campaigns(
    registry: ClientRegistry, campaigns: set[str], of: set[str], is_within: bool
) -> None:
    registry.enrol(ENROLMENT.model_copy(update={"campaigns": tuple(campaigns)}))
    manager = make_caller(Role.MANAGER, campaigns=frozenset(of))
    if is_within:
        registry.require_shared_campaign("van-1", caller=manager)
    else:
        with pytest.raises(ClientUnknown):
            registry.require_shared_campaign("van-1", caller=manager)
