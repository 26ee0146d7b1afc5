"""The devices of a campaign over HTTP, for its managers."""

from datetime import datetime

from pydantic import BaseModel, Field

from chalicelib.callers import EVERY_CAMPAIGN, Caller, Channel, DeviceMode, Role
from chalicelib.devices.device_states import DeviceState
from chalicelib.http.pagination import Page, to_cursor


class DeviceStateView(BaseModel):
    """A device, with what its latest numbered capture told of it."""

    client_id: str
    roles: list[Role]
    channel: Channel
    mode: DeviceMode
    campaigns: list[str] = Field(description="Those of the caller; `*` stands for every campaign.")
    enrolled_at: datetime
    expires_at: datetime | None = Field(description="When its token ends.")
    revoked_at: datetime | None
    last_seen_at: datetime | None = Field(description="Its latest call, to ten minutes.")
    last_capture_at: datetime | None = Field(description="When its latest numbered capture arrived.")
    app_version: str | None
    clock_skew: int | None = Field(description="Seconds, the device's clock minus the server's.")
    owed: int = Field(description="How many numbers below its highest one have not arrived.")
    silent_since: datetime | None = Field(
        description="Since when it was not seen, if that is an hour or more and it owes captures."
    )
    may_change: bool = Field(description="If the caller may enrol it anew and revoke it.")

    @classmethod
    def build(cls, state: DeviceState, *, caller: Caller) -> "DeviceStateView":
        client, latest = state.client, state.latest_capture
        return cls(
            client_id=client.client_id,
            roles=sorted(client.roles),
            channel=client.channel,
            mode=client.device_mode,
            campaigns=sorted(
                each
                for each in client.campaigns
                if each == EVERY_CAMPAIGN or caller.may_access_campaign(each)
            ),
            enrolled_at=client.enrolled_at,
            expires_at=client.expires_at,
            revoked_at=client.revoked_at,
            last_seen_at=client.last_seen_at,
            last_capture_at=None if latest is None else latest.received_at,
            app_version=None if latest is None else latest.app_version,
            clock_skew=None if latest is None else latest.clock_skew,
            owed=state.owed,
            silent_since=state.silent_since,
            may_change=client.may_be_managed_by(caller),
        )


class DeviceStatesView(BaseModel):
    """A page of a campaign's devices, by id; `cursor` asks for the next one."""

    devices: list[DeviceStateView]
    cursor: str | None

    @classmethod
    def build(cls, page: Page[DeviceState], *, caller: Caller) -> "DeviceStatesView":
        devices = [DeviceStateView.build(each, caller=caller) for each in page.rows]
        return cls(devices=devices, cursor=to_cursor(page.next_position))
