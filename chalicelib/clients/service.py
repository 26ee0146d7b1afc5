"""Enrolment, identification by token, token rotation and revocation of clients."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NewType, Protocol

from chalicelib.audit.model import OPERATOR
from chalicelib.callers import Caller, DeviceMode, Role
from chalicelib.clients.errors import ClientRevoked, ClientUnknown, RenewalsEnded, RenewalTooEarly
from chalicelib.clients.limits import LONGEST_LIVES
from chalicelib.clients.model import Client
from chalicelib.clock import Clock
from chalicelib.http.pagination import CursorInvalid, Page, Position, cut_page
from chalicelib.refusals import BrokenRule, RulesBroken, TokenRevoked
from chalicelib.values import Value

if TYPE_CHECKING:
    # Its callers have loaded it; the cold start of the API does without it.
    from chalicelib.clients.schemas import EnrolClient, RotateToken

Token = NewType("Token", str)
TokenHash = NewType("TokenHash", str)

# A device that is offline for some days still meets a server in this time.
RENEWAL_PERIOD = timedelta(days=7)

# A worker registers at once; what a phone without a network holds is sent within the day.
_LINK_TOKEN_LIFETIME = timedelta(days=1)

# A device that was not seen for an hour on a campaign day is looked at: an hour's record would come too late.
_RECORD_INTERVAL = timedelta(minutes=10)
_POSITION_PATTERN = re.compile(r"[a-z0-9-]+")


class TokenLifetime(Value):
    """The usual and the longest validity of a token, and how long it stays good after it was replaced."""

    default_lifetime: timedelta = timedelta(days=90)
    overlap: timedelta = timedelta(hours=24)
    longest: Mapping[Role, timedelta] = field(default_factory=lambda: LONGEST_LIVES)

    def choose_end(self, roles: frozenset[Role], wanted: datetime | None, *, now: datetime) -> datetime:
        """Return when a token ends that is made now, which each of its roles bounds.

        Raise RulesBroken if it is wanted for longer.
        """
        latest = now + min(self.longest[role] for role in roles)
        if wanted is None:
            return min(now + self.default_lifetime, latest)
        if wanted > latest:
            raise RulesBroken(BrokenRule("expires_at", "expires_too_late"))
        return wanted

    def choose_renewed_end(self, client: Client, *, now: datetime) -> datetime:
        """Return when a token ends that a client renews now. Raise RenewalTooEarly or RenewalsEnded.

        A client renews its token for as long as one token could be good that a person gave it.
        """
        if client.link_id is not None:
            raise RenewalsEnded(client.client_id)
        if client.expires_at is None or client.expires_at - now > RENEWAL_PERIOD:
            raise RenewalTooEarly(client.client_id)
        latest = client.last_authorised_at + min(self.longest[role] for role in client.roles)
        end = min(now + self.default_lifetime, latest)
        if end <= client.expires_at:
            raise RenewalsEnded(client.client_id)
        return end


class Clients(Protocol):
    """The store of clients and of the hashes of their tokens."""

    def add(self, client: Client, token: TokenHash) -> None:
        """Store a new client. Raise ClientExists or TryAgain."""

    def add_link_token(self, client: Client, token: TokenHash) -> None:
        """Store one more token of a client, for a worker's own phone. It ends with the client."""

    def get_by_token(self, token: TokenHash) -> Client:
        """Return the client that holds a token. Raise TokenUnknown."""

    def get(self, client_id: str) -> Client:
        """Return a client. Raise ClientUnknown."""

    def rotate(self, client: Client, token: TokenHash, *, older_tokens_end_at: datetime) -> None:
        """Store another token of a client; its older ones end then, if not before.

        Raise ClientUnknown, ClientRevoked or TryAgain.
        """

    def revoke(self, client: Client) -> None:
        """Store the revocation of `client` for each of its tokens. Raise ClientUnknown or TryAgain."""

    def iter_after(self, client_id: str, *, page_size: int) -> Iterator[Client]:
        """Yield the clients with a later id, by id, read in pages of a size."""


class LastSeenStore(Protocol):
    """The store of the time of each client's latest call."""

    def record_call(
        self, client_id: str, token: TokenHash, *, occurred_at: datetime, unless_seen_since: datetime
    ) -> None:
        """Store that a client called, unless a call since `unless_seen_since` is stored."""


def hash_token(token: Token) -> TokenHash:
    """Return the digest that is stored of a token. It needs no key: a token has 256 random bits."""
    return TokenHash(hashlib.sha256(token.encode()).hexdigest())


class ClientRegistry:
    """Enrols, identifies and revokes clients."""

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

    def enrol(self, command: "EnrolClient", *, enrolled_by: str = OPERATOR) -> tuple[Client, Token]:
        """Store a new client. Return it with its token, which cannot be read again.

        `enrolled_by` is the client that asked for it. Raise ClientExists, or RulesBroken if the token would
        have expired already or live too long.
        """
        now = self._clock()
        _require_future(command.expires_at, now)
        roles = frozenset(command.roles)
        client = Client(
            client_id=command.client_id,
            roles=roles,
            channel=command.effective_channel,
            campaigns=frozenset(command.campaigns),
            enrolled_at=now,
            authorised_at=now,
            expires_at=self._token_lifetime.choose_end(roles, command.expires_at, now=now),
            daily_cap=command.own_cap,
            enrolled_by=enrolled_by,
        )
        token = self._generate_token()
        self._clients.add(client, hash_token(token))
        return client, token

    def rotate(
        self, client_id: str, command: "RotateToken", *, rotated_by: str = OPERATOR
    ) -> tuple[Client, Token, datetime]:
        """Return a client with a new token, and the time at which its older tokens end at the latest.

        Older tokens stay good for the overlap, because a device may be offline now; their validity is never
        extended. Raise ClientUnknown, ClientRevoked or TryAgain, or RulesBroken if the new token would have
        expired already or live too long.
        """
        now = self._clock()
        _require_future(command.expires_at, now)
        overlap = self._token_lifetime.overlap
        if command.overlap_hours is not None:
            overlap = timedelta(hours=command.overlap_hours)
        client = self._clients.get(client_id)
        expires_at = self._token_lifetime.choose_end(client.roles, command.expires_at, now=now)
        client = client.rotate(now, expires_at=expires_at, rotated_by=rotated_by)
        return client, self._rotate(client, older_tokens_end_at=now + overlap), now + overlap

    def enrol_device(
        self, client_id: str, mode: DeviceMode, *, token: Token | None = None
    ) -> tuple[Client, Token]:
        """Return a client with a new token for its device, or with one that the device was shown in a code.

        Its older tokens stay good for the overlap. Raise ClientUnknown, ClientRevoked or TryAgain.
        """
        now = self._clock()
        client = self._clients.get(client_id)
        expires_at = self._token_lifetime.choose_end(client.roles, None, now=now)
        # The device itself asks, with a code. Who made the code is in the audit trail, too.
        rotated = client.rotate(now, expires_at=expires_at, rotated_by=client_id)
        client = replace(rotated, mode=mode)
        overlap = self._token_lifetime.overlap
        return client, self._rotate(client, token, older_tokens_end_at=now + overlap)

    def enrol_phone(self, client_id: str, link_id: str) -> tuple[Client, Token]:
        """Return a client with a token for a worker's own phone, which came by a link.

        The client's other tokens stay as they are. Raise ClientUnknown or ClientRevoked.
        """
        now = self._clock()
        client = self._clients.get(client_id)
        if client.is_revoked(now):
            raise ClientRevoked(client_id)
        ends_at = min(filter(None, (now + _LINK_TOKEN_LIFETIME, client.expires_at)))
        client = replace(client, expires_at=ends_at, mode=DeviceMode.SELF, link_id=link_id)
        token = self._generate_token()
        self._clients.add_link_token(client, hash_token(token))
        return client, token

    def renew(self, token: Token) -> tuple[Client, Token, datetime]:
        """Return the holder of a token with its next one, and the time at which its older ones end.

        That is when the given token ends anyway: a device whose answer was lost asks again with the one that
        it has. Raise TokenUnknown, TokenRevoked, RenewalTooEarly, RenewalsEnded or TryAgain.
        """
        now = self._clock()
        holder = self.identify(token)
        expires_at = self._token_lifetime.choose_renewed_end(holder, now=now)
        older_tokens_end_at = holder.expires_at or now
        client = holder.rotate(now, expires_at=expires_at, rotated_by=holder.client_id, is_renewal=True)
        return client, self._rotate(client, older_tokens_end_at=older_tokens_end_at), older_tokens_end_at

    def _rotate(self, client: Client, token: Token | None = None, *, older_tokens_end_at: datetime) -> Token:
        token = token or self._generate_token()
        self._clients.rotate(client, hash_token(token), older_tokens_end_at=older_tokens_end_at)
        return token

    def identify(self, token: Token) -> Client:
        """Return the holder of a token. Raise TokenUnknown, or TokenRevoked if it was revoked or expired."""
        client = self._clients.get_by_token(hash_token(token))
        if client.is_revoked(self._clock()):
            raise TokenRevoked(client.client_id)
        return client

    def revoke_for(self, client_id: str, *, caller: Caller) -> None:
        """Revoke a client for an admin, or a device for a manager of all its campaigns; as `revoke`.

        Raise ClientUnknown for any other one.
        """
        if not self._clients.get(client_id).may_be_managed_by(caller):
            raise ClientUnknown("no device of the manager's campaigns")
        self.revoke(client_id, revoked_by=caller.client_id)

    def revoke(self, client_id: str, *, revoked_by: str = OPERATOR) -> None:
        """Revoke a client's tokens; repeating it changes nothing. Raise ClientUnknown or TryAgain."""
        client = self._clients.get(client_id)
        if client.revoked_at is None:
            self._clients.revoke(client.revoke(self._clock(), revoked_by=revoked_by))

    def get(self, client_id: str) -> Client:
        return self._clients.get(client_id)

    def require_shared_campaign(self, client_id: str, *, caller: Caller) -> None:
        """Raise ClientUnknown if there is no such client, or if it shares no campaign with the caller."""
        client = self._clients.get(client_id)
        if not any(caller.may_access_campaign(campaign_id) for campaign_id in client.campaigns):
            raise ClientUnknown("works for other campaigns")

    def list_page(self, *, start_after: Position | None, page_size: int) -> Page[Client]:
        """Return a page of all clients, revoked ones too, by id. Raise CursorInvalid."""
        if start_after is not None and _POSITION_PATTERN.fullmatch(start_after) is None:
            raise CursorInvalid("not a position among clients")
        # One more than the page shows if there is a next one. Every id is later than a space.
        found = self._clients.iter_after(start_after or " ", page_size=page_size + 1)
        return cut_page(
            found, page_size, start_after=start_after, get_position=lambda client: client.client_id
        )


def _require_future(expires_at: datetime | None, now: datetime) -> None:
    """Raise RulesBroken if a token would open nothing from the start."""
    if expires_at is not None and expires_at <= now:
        raise RulesBroken(BrokenRule("expires_at", "expires_in_past"))


class LastSeenTracker:
    """Records the calls of clients to ten minutes, and not each with a write of its own.

    `get_store` is called on the first write, because most processes need none.
    """

    def __init__(self, *, get_store: Callable[[], LastSeenStore], clock: Clock) -> None:
        self._get_store = get_store
        self._clock = clock
        self._attempted_at: dict[str, datetime] = {}

    def record_call(self, client: Client, token: Token) -> None:
        """Record a call, unless one was recorded, or tried by this process, within ten minutes."""
        now = self._clock()
        since = now - _RECORD_INTERVAL
        latest = max(
            filter(None, (client.last_seen_at, self._attempted_at.get(client.client_id))), default=None
        )
        if latest is None or latest <= since:
            # Set before the attempt: a store that does not answer must not delay every call.
            self._attempted_at[client.client_id] = now
            self._get_store().record_call(
                client.client_id, hash_token(token), occurred_at=now, unless_seen_since=since
            )
