"""Enrolling clients, knowing them by their token, and revoking them."""

import hashlib
from collections.abc import Callable, Iterator
from typing import NewType, Protocol

from chalicelib.clients.errors import TokenRevoked
from chalicelib.clients.messages import EnrolClient
from chalicelib.clients.model import Caller, Client
from chalicelib.clock import Clock

Token = NewType("Token", str)
TokenHash = NewType("TokenHash", str)


class Clients(Protocol):
    """Where clients are kept, and the hashes of their tokens."""

    def add(self, client: Client, token: TokenHash) -> None:
        """Store a new client. Raises ClientExists."""

    def holding(self, token: TokenHash) -> Client:
        """The client that holds a token. Raises TokenUnknown."""

    def get(self, client_id: str) -> Client:
        """Raises ClientUnknown."""

    def revoke(self, client: Client) -> None:
        """Store the revocation that the client carries."""

    def all(self) -> Iterator[Client]:
        """Every client, by id."""


def token_hash(token: Token) -> TokenHash:
    """What is stored of a token. A token has 256 random bits, so its plain digest gives nothing away."""
    return TokenHash(hashlib.sha256(token.encode()).hexdigest())


class Registry:
    """The list of who may call."""

    def __init__(self, *, clients: Clients, clock: Clock, new_token: Callable[[], Token]) -> None:
        self._clients = clients
        self._clock = clock
        self._new_token = new_token

    def enrol(self, command: EnrolClient) -> tuple[Client, Token]:
        """Store a new client and make its token, which is returned this once. Raises ClientExists."""
        client = Client(
            client_id=command.client_id,
            roles=frozenset(command.roles),
            channel=command.met_through,
            campaigns=frozenset(command.campaigns),
            enrolled_at=self._clock(),
            expires_at=command.expires_at,
        )
        token = self._new_token()
        self._clients.add(client, token_hash(token))
        return client, token

    def identify(self, token: Token) -> Caller:
        """Who holds a token. Raises TokenUnknown, or TokenRevoked when it was revoked or has expired."""
        client = self._clients.holding(token_hash(token))
        if client.is_revoked(self._clock()):
            raise TokenRevoked(client.client_id)
        return client.caller

    def revoke(self, client_id: str) -> None:
        """Stop honouring a client's token; once more changes nothing. Raises ClientUnknown."""
        client = self._clients.get(client_id)
        if client.revoked_at is None:
            self._clients.revoke(client.revoked(self._clock()))

    def get(self, client_id: str) -> Client:
        """Raises ClientUnknown."""
        return self._clients.get(client_id)

    def all(self) -> Iterator[Client]:
        """Every client, by id."""
        return self._clients.all()
