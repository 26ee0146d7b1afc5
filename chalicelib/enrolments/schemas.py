"""Requests about the enrolment of devices over HTTP, and their answers."""

from base64 import urlsafe_b64encode
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, Field, field_validator
from pydantic_core import PydanticCustomError

from chalicelib.callers import CHANNELS_BY_ROLE, Channel, DeviceMode, Role
from chalicelib.campaigns.model import Campaign, Instant
from chalicelib.clients.schemas import ClientId
from chalicelib.fields import IMPERSONAL, StrictUUID
from chalicelib.models import StrictModel


class MakeCode(StrictModel):
    """Make a code for a client's device; an admin or a manager sends it."""

    may_be_left_out: ClassVar[bool] = True

    mode: Literal[DeviceMode.OFFICER, DeviceMode.KIOSK] | None = Field(
        default=None, description="How the web app works on a kiosk's device; for officers if left out."
    )
    reusable: bool = Field(
        default=False, description="Of a web client: a link for a poster, and not for one phone."
    )
    expires_at: Instant | None = Field(
        default=None, description="Of a web client: when the link ends; in 7 days if left out, 400 at most."
    )


class MakeDevice(StrictModel):
    """Enrol a device of officers for a campaign; a manager sends it."""

    client_id: Annotated[ClientId, IMPERSONAL]
    channel: Channel = Field(description="kiosk, van, agent or office.")
    mode: Literal[DeviceMode.OFFICER, DeviceMode.KIOSK] = Field(
        default=DeviceMode.OFFICER, description="How the web app works on it."
    )

    @field_validator("channel")
    @classmethod
    def _check_channel(cls, channel: Channel) -> Channel:
        if channel not in CHANNELS_BY_ROLE[Role.KIOSK]:
            raise PydanticCustomError("role_channel_conflict", "no channel of officers")
        return channel


class ExchangeCode(StrictModel):
    """Give a code for the device's token; the device sends it."""

    code: str = Field(
        max_length=40, description="8 characters, in any case and grouping, or the 22 of a link as they are."
    )
    enrolment_id: StrictUUID | None = Field(
        default=None,
        description="Made by the device. With it, the same request may be repeated while the code is good.",
    )
    for_screen: bool = Field(
        default=False, description="A screen on a wall asks: its code is no other device's, nor the reverse."
    )


class CodeView(BaseModel):
    """A new code, or link, which is shown only once."""

    client_id: str = Field(description="The client whose token it is good for.")
    code: str
    expires_at: datetime
    app_url: str = Field(description="Where the web app is opened and the code is typed.")
    url: str = Field(description="The same with the code, for a QR or a message.")
    odk_qr: str | None = Field(
        default=None,
        description="The text of a QR code that sets up ODK Collect, for an officer's device: good once, as "
        "long as `code` is. Whoever scans it first is the device.",
    )
    exit_code: str | None = Field(
        default=None, description="The digits that end the mode of a kiosk. They are shown only once."
    )


class ScreenView(BaseModel):
    """A new screen on a wall, and the code by which it is paired; the code is shown only once."""

    client_id: str
    code: str
    expires_at: datetime
    board_url: str = Field(description="Where the board is opened and the code is typed.")
    url: str = Field(description="The same with the code.")


class DeviceCampaignView(BaseModel):
    """A campaign that a device may register workers for."""

    campaign_id: str
    name: str
    place: str
    first_day: date
    last_day: date
    accepts_until: date


class DeviceView(BaseModel):
    """A device as its web app needs to know it."""

    client_id: str
    roles: list[Role]
    channel: Channel
    mode: DeviceMode
    expires_at: datetime | None
    campaigns: list[DeviceCampaignView] = Field(description="Those that accept captures, the latest first.")
    next_device_sequence: int = Field(description="One more than the highest number that has arrived.")
    server_time: datetime


class ExitCodeView(BaseModel):
    """The salted hash by which a kiosk checks its exit code: PBKDF2, HMAC-SHA-256, 32 bytes, base64url."""

    salt: str
    iterations: int
    hash: str


class EnrolledDeviceView(DeviceView):
    """A device with its token, which is shown only once."""

    token: str
    exit_code: ExitCodeView | None = None


class RenewedTokenView(BaseModel):
    """The next token of a device, which is shown only once."""

    client_id: str
    token: str
    expires_at: datetime | None
    older_tokens_end_at: datetime


def build_campaign_view(campaign: Campaign) -> DeviceCampaignView:
    return DeviceCampaignView.model_validate(
        campaign.model_dump(include=set(DeviceCampaignView.model_fields))
    )


def encode_bytes(content: bytes) -> str:
    """Return bytes as base64url without padding."""
    return urlsafe_b64encode(content).decode().rstrip("=")
