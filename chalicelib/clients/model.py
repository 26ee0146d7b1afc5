"""Clients: devices, bots and people with a token, their roles and their campaigns."""

from dataclasses import replace
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.audit.model import OPERATOR
from chalicelib.callers import Caller, Channel, DailyCap, DeviceMode, Role
from chalicelib.clients.errors import ClientRevoked
from chalicelib.values import Value

# Our own figures. A device is idle between two campaigns, and moves between a few networks.
_LONG_SILENCE = timedelta(days=30)
_MAX_NETWORKS = 20
_RECORD_INTERVAL = timedelta(days=1)


class UseFlag(StrEnum):
    """Something unusual about a use of a token, for admins to look at. It locks nothing."""

    NEW_NETWORK = "new_network"
    LONG_SILENCE = "long_silence"


class TokenUse(Value):
    """The networks that a client's tokens were used from, to the day, and the latest use that was unusual.

    `networks` are keyed hashes, the latest first.
    """

    networks: tuple[str, ...]
    used_at: datetime
    flags: tuple[UseFlag, ...] = ()
    flagged_at: datetime | None = None

    @classmethod
    def begin(cls, network: str, now: datetime) -> "TokenUse":
        """Return the first use: there is nothing to compare it with."""
        return cls((network,), now)

    def after_call(self, network: str, now: datetime) -> "TokenUse":
        """Return what is to be recorded after a call: this, if the network called within the day."""
        is_silence_over = now - self.used_at >= _LONG_SILENCE
        is_new = network not in self.networks
        if not is_new and network == self.networks[0] and now - self.used_at < _RECORD_INTERVAL:
            return self
        networks = (network, *(each for each in self.networks if each != network))[:_MAX_NETWORKS]
        flags = (*([UseFlag.NEW_NETWORK] * is_new), *([UseFlag.LONG_SILENCE] * is_silence_over))
        if not flags:
            return replace(self, networks=networks, used_at=now)
        return TokenUse(networks, now, flags, now)


class Client(Value):
    """An enrolled client and the validity of its token. Only its holder has the token itself.

    `enrolled_by`, `rotated_by` and `revoked_by` are the clients that did so. Earlier releases stored none.
    `authorised_at` is when a person last gave it a token; it may renew that itself for a bounded time. A
    token with a `link_id` is that of a worker's own phone.
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
    authorised_at: datetime | None = None
    mode: DeviceMode | None = None
    link_id: str | None = None
    enrolled_by: str | None = None
    revoked_by: str | None = None
    rotated_by: str | None = None
    use: TokenUse | None = None

    def is_revoked(self, now: datetime) -> bool:
        """Return True if the token was revoked or has expired."""
        return self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= now)

    def revoke(self, now: datetime, *, revoked_by: str = OPERATOR) -> "Client":
        return replace(self, revoked_at=now, revoked_by=revoked_by)

    def rotate(
        self,
        now: datetime,
        *,
        expires_at: datetime,
        rotated_by: str = OPERATOR,
        is_renewal: bool = False,
    ) -> "Client":
        """Return this client with a new token that is good until `expires_at`. Raise ClientRevoked.

        `is_renewal`: the client asked for it, and no person did.
        """
        if self.revoked_at is not None:
            raise ClientRevoked(self.client_id)
        authorised_at = self.last_authorised_at if is_renewal else now
        return replace(
            self,
            rotated_at=now,
            rotated_by=rotated_by,
            expires_at=expires_at,
            authorised_at=authorised_at,
        )

    @property
    def last_authorised_at(self) -> datetime:
        """Return when a person last gave it a token."""
        # A client of an earlier release could not renew its token itself.
        return self.authorised_at or self.rotated_at or self.enrolled_at

    @property
    def device_mode(self) -> DeviceMode:
        """Return how its web app works: for officers unless it was enrolled otherwise."""
        return self.mode or (DeviceMode.OFFICER if Role.KIOSK in self.roles else DeviceMode.SELF)

    @property
    def is_for_phones(self) -> bool:
        """Return True if it is for workers' own phones: the public's role, on the web."""
        return self.roles == {Role.BOT} and self.channel is Channel.WEB

    def may_be_managed_by(self, caller: Caller) -> bool:
        """Return True for an admin, and for a manager of all campaigns of a device, or of a screen on a wall.

        Its token opens all of them. The clients of persons and systems are for admins alone.
        """
        if caller.has_role(Role.ADMIN):
            return True
        is_device = self.roles in ({Role.KIOSK}, {Role.VIEWER}) or self.is_for_phones
        return is_device and all(caller.may_access_campaign(each) for each in self.campaigns)

    @property
    def caller(self) -> Caller:
        return Caller(
            client_id=self.client_id,
            roles=self.roles,
            channel=self.channel,
            campaigns=self.campaigns,
            daily_cap=self.daily_cap,
            link_id=self.link_id,
            mode=self.mode,
        )
