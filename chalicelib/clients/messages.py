"""What callers send to the clients package, over HTTP."""

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from chalicelib.campaigns.model import CampaignId
from chalicelib.clients.model import EVERY_CAMPAIGN, Channel, Client, Role

ClientId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}[a-z0-9]$")]


class EnrolClient(BaseModel):
    """Enrol one device, bot or person; an admin sends it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: ClientId
    roles: tuple[Role, ...] = Field(min_length=1)
    channel: Channel | None = Field(default=None, description="Follows from the role when left out.")
    campaigns: tuple[CampaignId | Annotated[str, Field(pattern=r"^\*$")], ...] = Field(
        default=(), max_length=50, description=f"Ids, or {EVERY_CAMPAIGN} for every campaign."
    )
    expires_at: AwareDatetime | None = None

    @property
    def met_through(self) -> Channel:
        """The channel given, else the one that goes with the first role: kiosk, bot, or the office."""
        if self.channel is not None:
            return self.channel
        return {Role.KIOSK: Channel.KIOSK, Role.BOT: Channel.BOT}.get(self.roles[0], Channel.OFFICE)


class ClientView(BaseModel):
    """A client as admins see it."""

    client_id: str
    roles: list[str]
    channel: str
    campaigns: list[str]
    enrolled_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, client: Client) -> "ClientView":
        """A client without its token, which nobody but its holder has."""
        return cls(
            client_id=client.client_id,
            roles=sorted(client.roles),
            channel=client.channel,
            campaigns=sorted(client.campaigns),
            enrolled_at=client.enrolled_at,
            expires_at=client.expires_at,
            revoked_at=client.revoked_at,
        )
