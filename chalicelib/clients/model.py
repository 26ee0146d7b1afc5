"""Who may call: devices, bots and people, the roles they have and the campaigns they are bound to."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from chalicelib.clients.errors import ClientRevoked
from chalicelib.refusals import CampaignNotAllowed, NotAllowed

EVERY_CAMPAIGN = "*"


class Role(StrEnum):
    """What a client may do; the contract names the roles of each route."""

    KIOSK = "kiosk"
    BOT = "bot"
    MANAGER = "manager"
    CORE = "core"
    ADMIN = "admin"


class Channel(StrEnum):
    """Where a worker was met."""

    KIOSK = "kiosk"
    VAN = "van"
    BOT = "bot"
    WEB = "web"
    AGENT = "agent"
    OFFICE = "office"


@dataclass(frozen=True)
class DailyCap:
    """How many a day pass without remark, and how many pass at all. What lies between is flagged."""

    flag: int
    cap: int


@dataclass(frozen=True)
class Caller:
    """The client behind a request, as the authorizer vouches for it.

    `daily_cap` is its own, where it was given one at enrolment.
    """

    client_id: str
    roles: frozenset[Role]
    channel: Channel
    campaigns: frozenset[str]
    daily_cap: DailyCap | None = None

    def require_any_role(self, roles: frozenset[Role]) -> None:
        """Raises NotAllowed unless the caller has one of the roles."""
        if not self.roles & roles:
            raise NotAllowed(f"{self.client_id} has none of {sorted(roles)}")

    def has_role(self, role: Role) -> bool:
        """Whether the caller has a role."""
        return role in self.roles

    @property
    def is_public_facing(self) -> bool:
        """Whether what it is told may reach anybody: then nothing may tell what is known of a worker."""
        return Role.KIOSK not in self.roles

    def may_access_campaign(self, campaign_id: str) -> bool:
        """Whether the caller is bound to a campaign, or to every one."""
        return EVERY_CAMPAIGN in self.campaigns or campaign_id in self.campaigns

    def require_campaign(self, campaign_id: str) -> None:
        """Raises CampaignNotYours unless the caller works for the campaign."""
        if not self.may_access_campaign(campaign_id):
            raise CampaignNotAllowed(f"{self.client_id} is bound to other campaigns")

    def require_every_campaign(self) -> None:
        """Raises CampaignNotYours unless the caller works for every campaign."""
        if EVERY_CAMPAIGN not in self.campaigns:
            raise CampaignNotAllowed(f"{self.client_id} is bound to some campaigns")

    def require_self(self, client_id: str) -> None:
        """Raises NotAllowed unless this is about the caller itself."""
        if client_id != self.client_id:
            raise NotAllowed(f"{self.client_id} asks about another client")


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
