"""The caller of a request: its roles, its channel and the campaigns that it works for."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Self

from chalicelib.refusals import CampaignNotAllowed, NotAllowed
from chalicelib.values import Value

EVERY_CAMPAIGN = "*"


class Role(StrEnum):
    """A set of operations that a client may call."""

    KIOSK = "kiosk"
    BOT = "bot"
    MANAGER = "manager"
    CORE = "core"
    ADMIN = "admin"
    VIEWER = "viewer"
    """Reads the figures of its campaigns, such as a screen on a wall, and may do nothing else."""


# The roles that work with registrations, and so need the rules and prices of one.
ROLES_AT_WORK = frozenset(Role) - {Role.VIEWER}


class Channel(StrEnum):
    """The kind of place or program where a worker was met."""

    KIOSK = "kiosk"
    VAN = "van"
    BOT = "bot"
    WEB = "web"
    AGENT = "agent"
    OFFICE = "office"
    TELEGRAM = "telegram"
    WHATSAPP = "whatsapp"
    SMS = "sms"
    USSD = "ussd"


# The channels of the two roles that register workers: for officers, and for the public. Other roles may have
# any channel.
CHANNELS_BY_ROLE: Mapping[Role, frozenset[Channel]] = {
    Role.KIOSK: frozenset({Channel.KIOSK, Channel.VAN, Channel.AGENT, Channel.OFFICE}),
    Role.BOT: frozenset(
        {Channel.BOT, Channel.WEB, Channel.TELEGRAM, Channel.WHATSAPP, Channel.SMS, Channel.USSD}
    ),
}


class DeviceMode(StrEnum):
    """The way in which the web app of a device works."""

    OFFICER = "officer"
    """In the hands of officers, who sign on for a shift."""
    KIOSK = "kiosk"
    """Unattended: a worker registers alone, and the next one finds nothing."""
    SELF = "self"
    """A worker's own phone."""


class Disclosure(StrEnum):
    """The audience of the answers about a worker, decided once for each capture."""

    OFFICER = "officer"
    """An officer with the worker: may learn that the worker is known, and under which reference."""
    PUBLIC = "public"
    """Anybody: no answer may reveal that a worker is known, and no request may send a known worker an SMS."""


REFUSED_TOKEN_CONTEXT: Mapping[str, str] = {"refused": "token_revoked"}
"""The authorizer's context of a request with a revoked or expired token. It names no caller."""


class DailyCap(Value):
    """Daily limits: above `flag` captures are accepted with a flag, above `cap` they are refused."""

    flag: int
    cap: int


class Caller(Value):
    """The client that sent a request, as the authorizer identified it.

    `daily_cap` is the client's own, if its enrolment set one. `link_id` names the link by which a worker's
    own phone came, which is good for one registration. `mode` is what a code enrolled its device for.
    """

    client_id: str
    roles: frozenset[Role]
    channel: Channel
    campaigns: frozenset[str]
    daily_cap: DailyCap | None = None
    link_id: str | None = None
    mode: DeviceMode | None = None

    @classmethod
    def from_context(cls, context: Mapping[str, str]) -> Self:
        """Read the caller from the authorizer's context of a request, which only API Gateway can have set."""
        flag, _, cap = context.get("daily_cap", "").partition("/")
        return cls(
            client_id=context["client_id"],
            roles=frozenset(Role(role) for role in context["roles"].split(",")),
            channel=Channel(context["channel"]),
            campaigns=frozenset(filter(None, context["campaigns"].split(","))),
            daily_cap=DailyCap(flag=int(flag), cap=int(cap)) if cap else None,
            link_id=context.get("link_id"),
            mode=DeviceMode(context["mode"]) if "mode" in context else None,
        )

    def to_context(self) -> dict[str, str]:
        """Return the caller as the authorizer's context, which holds strings only."""
        cap = self.daily_cap
        return {
            "client_id": self.client_id,
            "roles": ",".join(sorted(self.roles)),
            "channel": str(self.channel),
            "campaigns": ",".join(sorted(self.campaigns)),
            **({} if cap is None else {"daily_cap": f"{cap.flag}/{cap.cap}"}),
            **({} if self.link_id is None else {"link_id": self.link_id}),
            **({} if self.mode is None else {"mode": str(self.mode)}),
        }

    def require_any_role(self, roles: frozenset[Role]) -> None:
        """Raise NotAllowed unless the caller has one of `roles`."""
        if not self.roles & roles:
            raise NotAllowed(f"{self.client_id} has none of {sorted(roles)}")

    def has_role(self, role: Role) -> bool:
        return role in self.roles

    @property
    def is_kiosk(self) -> bool:
        """Return True for an unattended kiosk: no officer is there."""
        return self.mode is DeviceMode.KIOSK

    @property
    def disclosure(self) -> Disclosure:
        """Return OFFICER for officers' devices, and PUBLIC for every other client."""
        return Disclosure.OFFICER if self.has_role(Role.KIOSK) else Disclosure.PUBLIC

    def may_access_campaign(self, campaign_id: str) -> bool:
        """Return True if the caller works for the campaign, or for every campaign."""
        return EVERY_CAMPAIGN in self.campaigns or campaign_id in self.campaigns

    def require_campaign(self, campaign_id: str) -> None:
        """Raise CampaignNotAllowed unless the caller works for the campaign."""
        if not self.may_access_campaign(campaign_id):
            raise CampaignNotAllowed(f"{self.client_id} is bound to other campaigns")

    def require_every_campaign(self) -> None:
        """Raise CampaignNotAllowed unless the caller works for every campaign."""
        if EVERY_CAMPAIGN not in self.campaigns:
            raise CampaignNotAllowed(f"{self.client_id} is bound to some campaigns")

    def require_self(self, client_id: str) -> None:
        """Raise NotAllowed unless `client_id` is the caller's own."""
        if client_id != self.client_id:
            raise NotAllowed(f"{self.client_id} asks about another client")
