"""Enrolling, identifying and revoking clients, on the declared table."""

from datetime import datetime, timedelta
from itertools import count

import boto3
import pytest

from chalicelib.callers import DeviceMode, Role
from chalicelib.clients.errors import (
    ClientRevoked,
    ClientUnknown,
    RenewalsEnded,
    RenewalTooEarly,
    TokenUnknown,
)
from chalicelib.clients.schemas import EnrolClient, RotateToken
from chalicelib.clients.service import (
    ClientRegistry,
    LastSeenTracker,
    Token,
    TokenHash,
    TokenLifetime,
    hash_token,
)
from chalicelib.refusals import BrokenRule, RulesBroken, TokenRevoked
from tests.support.builders import NOW, make_caller
from tests.support.client_stores import open_clients
from tests.support.fakes.clock import FixedClock
from tests.support.registration_builders import make_client

ENROLMENT = EnrolClient(client_id="van-1", roles=(Role.KIOSK,), campaigns=("tanah-abang-2024",))


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(NOW)


@pytest.fixture
def registry(moto_stage: None, clock: FixedClock) -> ClientRegistry:
    numbers = count(1)
    return ClientRegistry(
        clients=open_clients(boto3.client("dynamodb")),
        clock=clock,
        generate_token=lambda: Token(f"daftar_{next(numbers)}"),
        token_lifetime=TokenLifetime(),
    )


def test_a_token_identifies_its_client(registry: ClientRegistry) -> None:
    client, token = registry.enrol(ENROLMENT)
    assert registry.identify(token) == client
    assert client.enrolled_at == NOW


@pytest.mark.parametrize("token", ["", "daftar_2", "daftar_1 ", "DAFTAR_1", hash_token(Token("daftar_1"))])
def test_any_other_token_is_unknown(registry: ClientRegistry, token: str) -> None:
    registry.enrol(ENROLMENT)
    with pytest.raises(TokenUnknown):
        registry.identify(Token(token))


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


def test_a_repeated_revocation_keeps_the_first_time(registry: ClientRegistry, clock: FixedClock) -> None:
    registry.enrol(ENROLMENT)
    registry.revoke("van-1")
    clock.advance(timedelta(hours=1))
    registry.revoke("van-1")
    assert registry.get("van-1").revoked_at == NOW


def test_the_token_itself_is_not_stored(registry: ClientRegistry) -> None:
    _, token = registry.enrol(ENROLMENT)
    stored = boto3.client("dynamodb").scan(TableName="ClientsTable")["Items"]
    assert len(stored) == 2
    assert token not in str(stored)


def test_a_token_has_the_default_lifetime_unless_its_expiry_is_given(registry: ClientRegistry) -> None:
    client, _ = registry.enrol(ENROLMENT)
    assert client.expires_at == NOW + timedelta(days=90)


LONGEST_DAYS = {"admin": 90, "manager": 180, "kiosk": 400, "bot": 400, "core": 400, "viewer": 400}


@pytest.mark.parametrize("role", Role)
def test_the_life_of_a_token_is_bounded_by_its_role(registry: ClientRegistry, role: Role) -> None:
    latest = NOW + timedelta(days=LONGEST_DAYS[role])
    enrolment = ENROLMENT.model_copy(update={"roles": (role,)})
    too_late = latest + timedelta(seconds=1)

    with pytest.raises(RulesBroken) as enrolled:
        registry.enrol(enrolment.model_copy(update={"expires_at": too_late}))
    client, _ = registry.enrol(enrolment.model_copy(update={"expires_at": latest}))
    with pytest.raises(RulesBroken) as rotated:
        registry.rotate("van-1", RotateToken(expires_at=too_late))
    replaced, _, _ = registry.rotate("van-1", RotateToken(expires_at=latest))

    for refused in (enrolled, rotated):
        assert refused.value.broken_rules == (BrokenRule("expires_at", "expires_too_late"),)
    assert (client.expires_at, replaced.expires_at) == (latest, latest)


def test_of_two_roles_the_shorter_life_holds(registry: ClientRegistry) -> None:
    both = ENROLMENT.model_copy(update={"roles": (Role.KIOSK, Role.MANAGER)})
    with pytest.raises(RulesBroken):
        registry.enrol(both.model_copy(update={"expires_at": NOW + timedelta(days=181)}))
    client, _ = registry.enrol(both.model_copy(update={"expires_at": NOW + timedelta(days=180)}))
    assert client.expires_at == NOW + timedelta(days=180)


def test_a_usual_life_beyond_the_bound_of_a_role_is_cut() -> None:
    lifetime = TokenLifetime(default_lifetime=timedelta(days=365))
    ends = [lifetime.choose_end(frozenset({role}), None, now=NOW) - NOW for role in (Role.ADMIN, Role.CORE)]
    assert ends == [timedelta(days=90), timedelta(days=365)]


def test_a_client_enrolled_before_the_bounds_keeps_its_roles_and_its_token(
    registry: ClientRegistry, clock: FixedClock
) -> None:
    roles = frozenset({Role.ADMIN, Role.CORE, Role.KIOSK})
    old = make_client(roles=roles, expires_at=NOW + timedelta(days=970 * 365))
    open_clients(boto3.client("dynamodb")).add(old, hash_token(Token("daftar_old")))

    clock.advance(timedelta(days=500))
    assert registry.identify(Token("daftar_old")) == old
    client, new, _ = registry.rotate("van-1", RotateToken())

    assert (client.roles, client.expires_at) == (roles, clock() + timedelta(days=90))
    assert registry.identify(new).roles == roles


def test_a_replaced_token_is_good_for_the_overlap_and_the_new_one_at_once(
    registry: ClientRegistry, clock: FixedClock
) -> None:
    _, old = registry.enrol(ENROLMENT)

    client, new, older_tokens_end_at = registry.rotate("van-1", RotateToken())

    assert (client.expires_at, older_tokens_end_at) == (NOW + timedelta(days=90), NOW + timedelta(hours=24))
    clock.advance(timedelta(hours=23, minutes=59))
    assert registry.identify(old).caller == registry.identify(new).caller
    clock.advance(timedelta(minutes=1))
    with pytest.raises(TokenRevoked):
        registry.identify(old)
    assert registry.identify(new).client_id == "van-1"


def test_a_token_can_be_replaced_without_an_overlap(registry: ClientRegistry) -> None:
    _, old = registry.enrol(ENROLMENT)

    _, new, _ = registry.rotate("van-1", RotateToken(overlap_hours=0))

    with pytest.raises(TokenRevoked):
        registry.identify(old)
    registry.identify(new)


def test_an_expired_token_can_be_replaced(registry: ClientRegistry, clock: FixedClock) -> None:
    registry.enrol(ENROLMENT)
    clock.advance(timedelta(days=91))

    client, new, _ = registry.rotate("van-1", RotateToken(expires_at=NOW + timedelta(days=100)))

    assert client.expires_at == NOW + timedelta(days=100)
    registry.identify(new)


def test_neither_a_revoked_nor_an_unknown_client_gets_a_new_token(
    registry: ClientRegistry,
) -> None:
    registry.enrol(ENROLMENT)
    registry.revoke("van-1")
    with pytest.raises(ClientRevoked):
        registry.rotate("van-1", RotateToken())
    with pytest.raises(ClientUnknown):
        registry.rotate("van-9", RotateToken())


class FakeLastSeenStore:
    """Satisfies `service.LastSeenStore`. Raises its failure, if it has one, after each call."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.calls: list[tuple[str, datetime]] = []
        self._failure = failure

    def record_call(
        self, client_id: str, token: TokenHash, *, occurred_at: datetime, unless_seen_since: datetime
    ) -> None:
        self.calls.append((client_id, occurred_at))
        if self._failure is not None:
            raise self._failure


def test_a_call_is_recorded_once_in_ten_minutes(registry: ClientRegistry, clock: FixedClock) -> None:
    client, token = registry.enrol(ENROLMENT)
    store = FakeLastSeenStore()
    tracker = LastSeenTracker(get_store=lambda: store, clock=clock)

    for _ in range(7):
        tracker.record_call(client, token)
        clock.advance(timedelta(minutes=4))

    assert [at - NOW for _, at in store.calls] == [timedelta(minutes=minutes) for minutes in (0, 12, 24)]


def test_a_call_that_another_process_recorded_is_not_recorded_again(clock: FixedClock) -> None:
    store = FakeLastSeenStore()
    seen = make_client(last_seen_at=NOW - timedelta(minutes=9))

    LastSeenTracker(get_store=lambda: store, clock=clock).record_call(seen, Token("daftar_1"))

    assert store.calls == []


def test_a_failed_record_is_not_tried_again_at_once(clock: FixedClock) -> None:
    store = FakeLastSeenStore(failure=ConnectionError())
    tracker = LastSeenTracker(get_store=lambda: store, clock=clock)

    with pytest.raises(ConnectionError):
        tracker.record_call(make_client(), Token("daftar_1"))
    tracker.record_call(make_client(), Token("daftar_1"))

    assert len(store.calls) == 1


@pytest.mark.parametrize(
    ("campaigns", "caller_campaigns", "is_shared"),
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
def test_a_client_is_known_to_callers_that_share_a_campaign(
    registry: ClientRegistry, campaigns: set[str], caller_campaigns: set[str], is_shared: bool
) -> None:
    registry.enrol(ENROLMENT.model_copy(update={"campaigns": tuple(campaigns)}))
    manager = make_caller(Role.MANAGER, campaigns=frozenset(caller_campaigns))
    if is_shared:
        registry.require_shared_campaign("van-1", caller=manager)
    else:
        with pytest.raises(ClientUnknown):
            registry.require_shared_campaign("van-1", caller=manager)


def test_a_device_renews_its_token_in_the_last_week_of_it(
    registry: ClientRegistry, clock: FixedClock
) -> None:
    client, token = registry.enrol(ENROLMENT)
    clock.advance(timedelta(days=83))

    renewed, next_token, older_tokens_end_at = registry.renew(token)

    assert renewed.expires_at == clock() + timedelta(days=90)
    assert older_tokens_end_at == client.expires_at
    assert registry.identify(next_token).expires_at == renewed.expires_at
    assert registry.identify(token).expires_at == client.expires_at


def test_a_token_is_not_renewed_before_its_last_week(registry: ClientRegistry, clock: FixedClock) -> None:
    _, token = registry.enrol(ENROLMENT)
    clock.advance(timedelta(days=82, hours=23))
    with pytest.raises(RenewalTooEarly):
        registry.renew(token)


def test_an_ended_or_revoked_token_is_not_renewed(registry: ClientRegistry, clock: FixedClock) -> None:
    _, token = registry.enrol(ENROLMENT)
    clock.advance(timedelta(days=90))
    with pytest.raises(TokenRevoked):
        registry.renew(token)


def test_a_device_renews_its_token_no_longer_than_one_token_could_live(
    registry: ClientRegistry, clock: FixedClock
) -> None:
    _, token = registry.enrol(ENROLMENT)
    for _ in range(4):
        clock.advance(timedelta(days=84))
        client, token, _ = registry.renew(token)
    assert client.expires_at == NOW + timedelta(days=400)
    clock.advance(timedelta(days=60))
    with pytest.raises(RenewalsEnded):
        registry.renew(token)


def test_an_enrolment_by_a_person_begins_the_time_of_renewals_anew(
    registry: ClientRegistry, clock: FixedClock
) -> None:
    registry.enrol(ENROLMENT)
    clock.advance(timedelta(days=399))
    _, token = registry.enrol_device("van-1", DeviceMode.OFFICER)
    clock.advance(timedelta(days=84))

    renewed, _, _ = registry.renew(token)

    assert renewed.expires_at == clock() + timedelta(days=90)


@pytest.mark.parametrize("mode", [DeviceMode.OFFICER, DeviceMode.KIOSK])
def test_a_device_keeps_the_mode_of_its_enrolment(
    registry: ClientRegistry, clock: FixedClock, mode: DeviceMode
) -> None:
    registry.enrol(ENROLMENT)
    client, token = registry.enrol_device("van-1", mode)
    assert (
        client.device_mode
        is registry.identify(token).device_mode
        is registry.get("van-1").device_mode
        is mode
    )
    clock.advance(timedelta(days=84))
    assert registry.renew(token)[0].device_mode is mode


def test_a_revoked_client_is_enrolled_on_no_device(registry: ClientRegistry) -> None:
    registry.enrol(ENROLMENT)
    registry.revoke("van-1")
    with pytest.raises(ClientRevoked):
        registry.enrol_device("van-1", DeviceMode.OFFICER)
