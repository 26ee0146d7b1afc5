"""The caller of a request: its roles, its channel and the campaigns that it works for."""

from dataclasses import dataclass
from enum import StrEnum

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


class Disclosure(StrEnum):
    """The audience of what a caller is told of a worker, decided once for each capture."""

    OFFICER = "officer"
    """An officer with the worker: may learn that the worker is known, and under which reference."""
    PUBLIC = "public"
    """Anybody: no answer may reveal that a worker is known, and no request may send a known worker an SMS."""


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
    def disclosure(self) -> Disclosure:
        """Return OFFICER for officers' devices, and PUBLIC for every other client."""
        return Disclosure.OFFICER if self.has_role(Role.KIOSK) else Disclosure.PUBLIC

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
