"""Requests about clients over HTTP, and their answers."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from chalicelib.callers import CHANNELS_BY_ROLE, EVERY_CAMPAIGN, Caller, Channel, DailyCap, Role
from chalicelib.campaigns.model import CampaignId, Instant
from chalicelib.clients.limits import may_be_together
from chalicelib.clients.model import Client, UseFlag
from chalicelib.fields import IMPERSONAL, UNIQUE_ITEMS, UNIQUE_ITEMS_SCHEMA, PageSize
from chalicelib.models import StrictModel

ClientId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$")]

# A month; an older token that is good for longer would be a second permanent one.
_MAX_OVERLAP_HOURS = 720
_MAX_PER_DAY = 10_000_000


class EnrolClient(StrictModel):
    """Enrol one device, bot or person; an admin sends it."""

    client_id: Annotated[ClientId, IMPERSONAL]
    roles: Annotated[tuple[Role, ...], UNIQUE_ITEMS, UNIQUE_ITEMS_SCHEMA] = Field(min_length=1)
    channel: Channel | None = Field(default=None, description="Follows from the role when left out.")
    campaigns: Annotated[
        tuple[CampaignId | Annotated[str, Field(pattern=r"^\*$")], ...], UNIQUE_ITEMS, UNIQUE_ITEMS_SCHEMA
    ] = Field(
        default=(),
        max_length=50,
        description=f"Ids, or {EVERY_CAMPAIGN} for every campaign. Needed by every role but admin.",
        validate_default=True,
    )
    expires_at: Instant | None = Field(
        default=None,
        description="When its token ends, within what its roles allow; the stage's usual life if left out.",
    )
    daily_flag: int | None = Field(
        default=None, ge=0, le=_MAX_PER_DAY, description="Captures a day that pass without a flag."
    )
    daily_cap: int | None = Field(
        default=None, ge=1, le=_MAX_PER_DAY, description="Captures a day that pass at all."
    )

    @field_validator("roles")
    @classmethod
    def _check_roles(cls, roles: tuple[Role, ...]) -> tuple[Role, ...]:
        if CHANNELS_BY_ROLE.keys() <= set(roles):
            raise _build_conflict()
        if not may_be_together(frozenset(roles)):
            raise PydanticCustomError("roles_conflict", "no client has these roles together")
        return roles

    @field_validator("campaigns")
    @classmethod
    def _check_campaigns(cls, campaigns: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        # Without one, the token opens nothing for these roles, and the id could not be enrolled again.
        if not campaigns and set(info.data.get("roles", ())) - {Role.ADMIN}:
            raise PydanticCustomError("campaign_needed", "these roles work for campaigns")
        return campaigns

    @field_validator("channel")
    @classmethod
    def _check_channel(cls, channel: Channel | None, info: ValidationInfo) -> Channel | None:
        roles: tuple[Role, ...] = info.data.get("roles", ())
        if channel is not None and any(channel not in CHANNELS_BY_ROLE.get(role, Channel) for role in roles):
            raise _build_conflict()
        return channel

    @model_validator(mode="after")
    def _check_caps_together(self) -> "EnrolClient":
        if (self.daily_flag is None) != (self.daily_cap is None):
            raise PydanticCustomError("daily_caps_incomplete", "daily_flag and daily_cap go together")
        return self

    @property
    def effective_channel(self) -> Channel:
        """Return the channel given, else bot for a bot, kiosk if that is the first role, or office."""
        if self.channel is not None:
            return self.channel
        if Role.BOT in self.roles:
            return Channel.BOT
        return Channel.KIOSK if self.roles[0] is Role.KIOSK else Channel.OFFICE

    @property
    def own_cap(self) -> DailyCap | None:
        """Return the cap of this client alone, if it was given one."""
        if self.daily_flag is None or self.daily_cap is None:
            return None
        return DailyCap(flag=self.daily_flag, cap=self.daily_cap)


class RotateToken(StrictModel):
    """Replace a client's token; an admin sends it."""

    overlap_hours: int | None = Field(
        default=None,
        ge=0,
        le=_MAX_OVERLAP_HOURS,
        description="How long older tokens stay good, 0 for not at all; the stage's usual time if left out.",
    )
    expires_at: Instant | None = Field(
        default=None,
        description="When it ends, within what the roles allow; the stage's usual life if left out.",
    )


class ListClients(StrictModel):
    """Ask for a page of clients."""

    cursor: str | None = Field(default=None, max_length=400)
    size: PageSize = 200


class ClientView(BaseModel):
    """A client as admins see it."""

    client_id: str
    roles: list[Role]
    channel: Channel
    campaigns: list[str]
    enrolled_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    rotated_at: datetime | None
    last_seen_at: datetime | None
    daily_flag: int | None
    daily_cap: int | None
    last_network: str | None = Field(
        description="Of its latest calls, to the day: a hash that is the same for the same network."
    )
    use_flags: tuple[UseFlag, ...] = Field(
        description="What was unusual about a use of its token, the last time that something was."
    )
    use_flagged_at: datetime | None
    enrolled_by: str | None = None
    rotated_by: str | None = None
    revoked_by: str | None = None

    @classmethod
    def from_client(cls, client: Client) -> "ClientView":
        own, use = client.daily_cap, client.use
        return cls(
            client_id=client.client_id,
            roles=sorted(client.roles),
            channel=client.channel,
            campaigns=sorted(client.campaigns),
            enrolled_at=client.enrolled_at,
            expires_at=client.expires_at,
            revoked_at=client.revoked_at,
            rotated_at=client.rotated_at,
            last_seen_at=client.last_seen_at,
            daily_flag=None if own is None else own.flag,
            daily_cap=None if own is None else own.cap,
            last_network=None if use is None else use.networks[0],
            use_flags=() if use is None else use.flags,
            use_flagged_at=None if use is None else use.flagged_at,
            enrolled_by=client.enrolled_by,
            rotated_by=client.rotated_by,
            revoked_by=client.revoked_by,
        )


class CallerView(BaseModel):
    """The client that asks, as it may know itself."""

    client_id: str
    roles: list[Role]
    campaigns: list[str] = Field(description=f"Ids, or {EVERY_CAMPAIGN} for every campaign.")
    expires_at: datetime | None

    @classmethod
    def build(cls, caller: Caller, *, expires_at: datetime | None) -> "CallerView":
        return cls(
            client_id=caller.client_id,
            roles=sorted(caller.roles),
            campaigns=sorted(caller.campaigns),
            expires_at=expires_at,
        )


def _build_conflict() -> PydanticCustomError:
    return PydanticCustomError("role_channel_conflict", "the roles and the channel contradict each other")
