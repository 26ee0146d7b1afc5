"""Codes by which devices get their tokens, and what a device must know of itself."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from hmac import compare_digest
from typing import Protocol

from chalicelib.callers import Caller, Channel, DeviceMode, Role
from chalicelib.clients.errors import ClientRevoked, ClientUnknown
from chalicelib.clients.model import Client
from chalicelib.clients.schemas import EnrolClient
from chalicelib.clients.service import ClientRegistry, Token, hash_token
from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.enrolments.devices import Device, DeviceReader
from chalicelib.enrolments.errors import ClientWithoutDevice, EnrolmentCodeUnknown
from chalicelib.enrolments.links import LinkService, is_link_code
from chalicelib.enrolments.model import (
    CODE_LIFETIME,
    Code,
    ExitCode,
    Grant,
    generate_exit_code,
)
from chalicelib.enrolments.schemas import ExchangeCode, MakeCode, MakeDevice
from chalicelib.refusals import BrokenRule, RulesBroken, TryAgain

_MAX_TRIES = 5
_SCREEN_PREFIX = "screen-"
# The clients that get their token by a code of eight characters: officers' devices, and screens on a wall.
_DEVICE_ROLES = (frozenset({Role.KIOSK}), frozenset({Role.VIEWER}))


@dataclass(frozen=True)
class MadeCode:
    """A new code, which is shown once, and for a kiosk the digits that end its mode.

    `odk_token` is for a phone with ODK Collect, which cannot exchange a code: it becomes the device's token
    with its first use, as long as the code is good. None for other clients than officers'.
    """

    code: str
    expires_at: datetime
    exit_code: str | None = None
    odk_token: Token | None = None


class EnrolmentCodes(Protocol):
    """The store of codes, by keyed hashes."""

    def add(self, locator_hash: str, code_hash: str, grant: Grant, *, now: datetime) -> bool:
        """Store a code. Return False if another one that is still good begins alike."""

    def count_attempt(self, locator_hash: str, *, now: datetime) -> tuple[str, Grant]:
        """Count an attempt at a code, before it is compared. Return its hash and what it is good for.

        Raise EnrolmentCodeUnknown if there is none, it has expired, or it had too many attempts.
        """

    def mark_used(self, locator_hash: str, used_by: str) -> None:
        """Store who used a code. Raise EnrolmentCodeUnknown if it was somebody else."""


class EnrolmentService:
    """Makes codes, and gives devices their tokens for them."""

    def __init__(
        self,
        *,
        clients: ClientRegistry,
        codes: EnrolmentCodes,
        links: LinkService,
        devices: DeviceReader,
        hashing: KeyedHash,
        clock: Clock,
        randomness: "Randomness",
    ) -> None:
        self._clients = clients
        self._codes = codes
        self._links = links
        self._devices = devices
        self._hashing = hashing
        self._clock = clock
        self._randomness = randomness

    def make_device(
        self, campaign_id: str, command: MakeDevice, *, caller: Caller
    ) -> tuple[Client, MadeCode]:
        """Return a new client for a device of a campaign's officers, and its code. Raise ClientExists."""
        device = EnrolClient(
            client_id=command.client_id,
            roles=(Role.KIOSK,),
            channel=command.channel,
            campaigns=(campaign_id,),
        )
        client, _ = self._clients.enrol(device, enrolled_by=caller.client_id)
        return client, self._make_device_code(client, MakeCode.model_validate({"mode": command.mode}))

    def make_screen(self, campaign_id: str, *, caller: Caller) -> tuple[Client, MadeCode]:
        """Return a new client for a screen on a wall, which reads a campaign's figures, and its code."""
        screen = EnrolClient(
            client_id=f"{_SCREEN_PREFIX}{Code.generate(self._randomness.index).text.lower()}",
            roles=(Role.VIEWER,),
            channel=Channel.OFFICE,
            campaigns=(campaign_id,),
        )
        client, _ = self._clients.enrol(screen, enrolled_by=caller.client_id)
        return client, self._make_device_code(client, MakeCode())

    def make_code(self, client_id: str, command: MakeCode, *, caller: Caller) -> MadeCode:
        """Return a new code for a client's device.

        An admin may ask for every device, a manager for those whose campaigns are all the manager's. A client
        on the web gets the code of a link for workers' own phones, one that is a viewer that of a screen.
        Raise ClientUnknown, ClientRevoked, ClientWithoutDevice, RulesBroken or TryAgain.
        """
        client = self._clients.get(client_id)
        if not client.may_be_managed_by(caller):
            raise ClientUnknown("not a device of the manager's campaigns")
        if client.revoked_at is not None:
            raise ClientRevoked(client_id)
        if client.is_for_phones:
            _require_unset(command, "mode")
            return MadeCode(
                *self._links.make(client_id, is_reusable=command.reusable, expires_at=command.expires_at)
            )
        if client.roles not in _DEVICE_ROLES:
            raise ClientWithoutDevice(client_id)
        _require_unset(command, "reusable", "expires_at", *(() if _is_kiosk(client) else ("mode",)))
        return self._make_device_code(client, command)

    def _make_device_code(self, client: Client, command: MakeCode) -> MadeCode:
        now = self._clock()
        mode = command.mode or client.device_mode
        exit_code = generate_exit_code(self._randomness.index) if mode is DeviceMode.KIOSK else None
        grant = Grant(
            client.client_id,
            mode,
            expires_at=now + CODE_LIFETIME,
            exit_code=ExitCode.create(exit_code, self._randomness.new_id().encode()) if exit_code else None,
        )
        for _ in range(_MAX_TRIES):
            code = Code.generate(self._randomness.index)
            if self._codes.add(self._hash_locator(code), self._hash_code(code), grant, now=now):
                odk_token = self._make_odk_token(grant, now) if _is_kiosk(client) else None
                return MadeCode(code.text, grant.expires_at, exit_code, odk_token)
        raise TryAgain("every code drawn begins like another one")

    def _make_odk_token(self, grant: Grant, now: datetime) -> Token | None:
        token = Token(self._randomness.token())
        for_odk = replace(grant, mode=DeviceMode.OFFICER, exit_code=None)
        is_new = self._codes.add(self._hash_odk_token(token), hash_token(token), for_odk, now=now)
        return token if is_new else None

    def activate_odk_token(self, token: Token) -> Client:
        """Return the client whose device uses a token of a QR code for the first time.

        From then on it is a token of the client like any other. Raise EnrolmentCodeUnknown or TryAgain.
        """
        locator_hash = self._hash_odk_token(token)
        _, grant = self._codes.count_attempt(locator_hash, now=self._clock())
        # Whoever has the token is the device: its first request may be cut off, and come again.
        self._codes.mark_used(locator_hash, locator_hash)
        try:
            return self._clients.enrol_device(grant.client_id, grant.mode, token=token)[0]
        except (ClientUnknown, ClientRevoked):
            raise EnrolmentCodeUnknown("its client was revoked") from None

    def exchange(self, command: ExchangeCode) -> tuple[Device, Token, ExitCode | None]:
        """Return the device of a code with its token, once.

        Whoever names an `enrolment_id` gets another token for the same code and id, because the answer may be
        lost on the way. Raise EnrolmentCodeUnknown or TryAgain.
        """
        device_id = str(command.enrolment_id) if command.enrolment_id else self._randomness.new_id()
        if is_link_code(command.code):
            client, token = self._links.exchange(command.code, device_id)
            return self._devices.read(client), token, None
        code = Code.parse(command.code)
        if code is None:
            raise EnrolmentCodeUnknown("no code looks like this")
        locator_hash = self._hash_locator(code)
        code_hash, grant = self._codes.count_attempt(locator_hash, now=self._clock())
        if not compare_digest(code_hash, self._hash_code(code)):
            raise EnrolmentCodeUnknown("its second half is wrong")
        self._require_kind(grant.client_id, is_screen=command.for_screen)
        self._codes.mark_used(locator_hash, self._hashing.digest("enrolment id", device_id))
        try:
            client, token = self._clients.enrol_device(grant.client_id, grant.mode)
        except (ClientUnknown, ClientRevoked):
            raise EnrolmentCodeUnknown("its client was revoked") from None
        return self._devices.read(client), token, grant.exit_code

    def _require_kind(self, client_id: str, *, is_screen: bool) -> None:
        """Raise EnrolmentCodeUnknown unless a code is for what asks: a screen, or a device of officers."""
        try:
            client = self._clients.get(client_id)
        except ClientUnknown:
            raise EnrolmentCodeUnknown("its client is gone") from None
        if is_screen == _is_kiosk(client):
            raise EnrolmentCodeUnknown("a screen's code at a device, or a device's at a screen")

    def describe(self, token: Token) -> Device:
        """Return the device that holds a token. Raise TokenUnknown or TokenRevoked."""
        return self._devices.read(self._clients.identify(token))

    def _hash_locator(self, code: Code) -> str:
        return self._hashing.digest("enrolment code locator", code.locator)

    def _hash_odk_token(self, token: Token) -> str:
        return self._hashing.digest("odk token", token)

    def _hash_code(self, code: Code) -> str:
        return self._hashing.digest("enrolment code", code.text)


@dataclass(frozen=True)
class Randomness:
    """The random values of codes: an index below a number, a new id, and a new token."""

    index: Callable[[int], int]
    new_id: Callable[[], str]
    token: Callable[[], str]


def _is_kiosk(client: Client) -> bool:
    return client.roles == {Role.KIOSK}


def _require_unset(command: MakeCode, *fields: str) -> None:
    """Raise RulesBroken if a field is set that codes of this kind do not have."""
    given = [BrokenRule(name, "value_not_allowed") for name in fields if getattr(command, name)]
    if given:
        raise RulesBroken(*given)
