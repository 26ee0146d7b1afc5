"""Enrolling clients, knowing them by their token, giving them new ones, and revoking them."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NewType, Protocol

from chalicelib.callers import Caller
from chalicelib.clients.errors import ClientUnknown, TokenRevoked
from chalicelib.clients.model import Client
from chalicelib.clients.schemas import EnrolClient, RotateToken
from chalicelib.clock import Clock

Token = NewType("Token", str)
TokenHash = NewType("TokenHash", str)

_RECORD_INTERVAL = timedelta(hours=1)


@dataclass(frozen=True)
class TokenLifetime:
    """How long tokens are good where nothing else is said, and how long after they were replaced."""

    default_lifetime: timedelta = timedelta(days=90)
    overlap: timedelta = timedelta(hours=24)


class Clients(Protocol):
    """Where clients are kept, and the hashes of their tokens."""

    def add(self, client: Client, token: TokenHash) -> None:
        """Store a new client. Raises ClientExists."""

    def get_by_token(self, token: TokenHash) -> Client:
        """The client that holds a token. Raises TokenUnknown."""

    def get(self, client_id: str) -> Client:
        """Raises ClientUnknown."""

    def rotate(self, client: Client, token: TokenHash, *, older_tokens_end_at: datetime) -> None:
        """Store a further token of a client; its older ones end then, if not before.

        Raises ClientUnknown, ClientRevoked or TryAgain.
        """

    def revoke(self, client: Client) -> None:
        """Store the revocation that the client carries, for every token it has.

        Raises ClientUnknown or TryAgain.
        """

    def iter_all(self) -> Iterator[Client]:
        """Every client, by id."""


class LastSeenStore(Protocol):
    """Where it is kept when clients were last seen."""

    def record_call(
        self, client_id: str, token: TokenHash, *, occurred_at: datetime, unless_seen_since: datetime
    ) -> None:
        """Store that a client called, unless it is known to have called since then."""


def hash_token(token: Token) -> TokenHash:
    """What is stored of a token. A token has 256 random bits, so its plain digest gives nothing away."""
    return TokenHash(hashlib.sha256(token.encode()).hexdigest())


class ClientRegistry:
    """The list of who may call."""

    def __init__(
        self,
        *,
        clients: Clients,
        clock: Clock,
        generate_token: Callable[[], Token],
        token_lifetime: TokenLifetime,
    ) -> None:
        self._clients = clients
        self._clock = clock
        self._generate_token = generate_token
        self._token_lifetime = token_lifetime

    def enrol(self, command: EnrolClient) -> tuple[Client, Token]:
        """Store a new client and make its token, which is returned this once. Raises ClientExists."""
        now = self._clock()
        client = Client(
            client_id=command.client_id,
            roles=frozenset(command.roles),
            channel=command.effective_channel,
            campaigns=frozenset(command.campaigns),
            enrolled_at=now,
            expires_at=command.expires_at or now + self._token_lifetime.default_lifetime,
            daily_cap=command.own_cap,
        )
        token = self._generate_token()
        self._clients.add(client, hash_token(token))
        return client, token

    def rotate(self, client_id: str, command: RotateToken) -> tuple[Client, Token, datetime]:
        """Give a client a further token, which is returned this once, and say when its older ones end.

        They stay good for the overlap, so that a device that is offline now is not locked out; no older
        token is made good for longer. Raises ClientUnknown, ClientRevoked or TryAgain.
        """
        now = self._clock()
        overlap = self._token_lifetime.overlap
        if command.overlap_hours is not None:
            overlap = timedelta(hours=command.overlap_hours)
        client = self._clients.get(client_id).rotate(
            now, expires_at=command.expires_at or now + self._token_lifetime.default_lifetime
        )
        token = self._generate_token()
        self._clients.rotate(client, hash_token(token), older_tokens_end_at=now + overlap)
        return client, token, now + overlap

    def identify(self, token: Token) -> Client:
        """Who holds a token. Raises TokenUnknown, or TokenRevoked when it was revoked or has expired."""
        client = self._clients.get_by_token(hash_token(token))
        if client.is_revoked(self._clock()):
            raise TokenRevoked(client.client_id)
        return client

    def revoke(self, client_id: str) -> None:
        """Stop honouring a client's tokens; once more changes nothing. Raises ClientUnknown or TryAgain."""
        client = self._clients.get(client_id)
        if client.revoked_at is None:
            self._clients.revoke(client.revoke(self._clock()))

    def get(self, client_id: str) -> Client:
        """Raises ClientUnknown."""
        return self._clients.get(client_id)

    def require_shared_campaign(self, client_id: str, *, caller: Caller) -> None:
        """Raises ClientUnknown where there is no such client, and alike where it works for campaigns that
        the caller does not work for.
        """
        client = self._clients.get(client_id)
        if not any(caller.may_access_campaign(campaign_id) for campaign_id in client.campaigns):
            raise ClientUnknown("works for other campaigns")

    def iter_all(self) -> Iterator[Client]:
        """Every client, by id."""
        return self._clients.iter_all()


class LastSeenTracker:
    """Notes that clients call: known to the hour, for one write an hour and not one a request.

    `store` is called on the first use: most containers never need it.
    """

    def __init__(self, *, get_store: Callable[[], LastSeenStore], clock: Clock) -> None:
        self._get_store = get_store
        self._clock = clock
        self._attempted_at: dict[str, datetime] = {}

    def record_call(self, client: Client, token: Token) -> None:
        """Note that a client calls now, unless that was noted, or tried here, within the hour."""
        now = self._clock()
        hour_ago = now - _RECORD_INTERVAL
        latest = max(
            filter(None, (client.last_seen_at, self._attempted_at.get(client.client_id))), default=None
        )
        if latest is None or latest <= hour_ago:
            # Before trying: where the store does not answer, a caller waits for that once an hour only.
            self._attempted_at[client.client_id] = now
            self._get_store().record_call(
                client.client_id, hash_token(token), occurred_at=now, unless_seen_since=hour_ago
            )
