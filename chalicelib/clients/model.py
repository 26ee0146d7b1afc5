"""Who may call: devices, bots and people, the roles they have and the campaigns they are bound to."""

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.callers import Caller, Channel, DailyCap, Role
from chalicelib.clients.errors import ClientRevoked


@dataclass(frozen=True)
class Client:
    """One enrolled client and the life of its token.

    The token itself is known to nobody but its holder.
    """

    client_id: str
    roles: frozenset[Role]
    channel: Channel
    campaigns: frozenset[str]
    enrolled_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    rotated_at: datetime | None = None
    last_seen_at: datetime | None = None
    daily_cap: DailyCap | None = None

    def is_revoked(self, now: datetime) -> bool:
        """Whether its token must no longer be honoured."""
        return self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= now)

    def revoke(self, now: datetime) -> "Client":
        """This client with its token revoked."""
        return replace(self, revoked_at=now)

    def rotate(self, now: datetime, *, expires_at: datetime) -> "Client":
        """This client with a new token, which is good until then. Raises ClientRevoked."""
        if self.revoked_at is not None:
            raise ClientRevoked(self.client_id)
        return replace(self, rotated_at=now, expires_at=expires_at)

    @property
    def caller(self) -> Caller:
        """What this client is to a request."""
        return Caller(
            client_id=self.client_id,
            roles=self.roles,
            channel=self.channel,
            campaigns=self.campaigns,
            daily_cap=self.daily_cap,
        )
