"""Create what a new local stack needs: the clients, the Twilio secret and the mail identity."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from chalicelib.callers import EVERY_CAMPAIGN, Channel, Role
from chalicelib.clients.errors import ClientExists
from chalicelib.clients.schemas import EnrolClient
from chalicelib.clients.service import TokenLifetime
from chalicelib.randomness import generate_token
from ops.deploy.first_admin import open_registry
from ops.deploy.stages import Stage
from ops.fake_sms.twilio_account import ACCOUNT_SID, AUTH_TOKEN
from ops.private_files import write_private_file

# The devices of the example market day, and the channel of each.
DEVICE_CHANNELS = {"van-1": Channel.VAN, "van-2": Channel.VAN, "kiosk-1": Channel.KIOSK}

# The client whose links to our own form WhatsApp gives out.
CHAT_LINK_CLIENT = "chat-links"

# A local stack keeps its tokens over its runs, and a test may use one token for all its devices.
_TOKEN_LIFETIME = timedelta(days=3650)
_NO_DAILY_CAP = 10_000_000


@dataclass(frozen=True)
class Tokens:
    """The bearer tokens of a local stack, by role and by device of the example."""

    roles: Mapping[str, str]
    devices: Mapping[str, str]


def create_twilio_secret(secrets_client: Any, secret_name: str) -> str:
    """Store the account of the fake Twilio gateway as a secret. Return its ARN."""
    account = json.dumps({"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN})
    with suppress(secrets_client.exceptions.ResourceExistsException):
        secrets_client.create_secret(Name=secret_name, SecretString=account)
    return str(secrets_client.describe_secret(SecretId=secret_name)["ARN"])


def create_mail_identity(ses_client: Any, address: str) -> None:
    with suppress(ses_client.exceptions.AlreadyExistsException):
        ses_client.create_email_identity(EmailIdentity=address)


def enrol_clients(stage: Stage, tokens_file: Path) -> Tokens:
    """Enrol the local clients for every campaign, under the tokens in the file. A repeat changes nothing.

    The file is written first, so that an interrupted run leaves no client whose token is lost.
    """
    tokens = _load_or_make_tokens(tokens_file)
    for command, token in _iter_enrolments(tokens):
        _enrol_client(command, token, stage)
    return tokens


def _iter_enrolments(tokens: Tokens) -> Iterator[tuple[EnrolClient, str]]:
    for role, token in tokens.roles.items():
        yield _make_enrolment(role, Role(role)), token
    for device, token in tokens.devices.items():
        yield _make_enrolment(device, Role.KIOSK, DEVICE_CHANNELS[device]), token
    # Its own token is used by nobody.
    yield _make_enrolment(CHAT_LINK_CLIENT, Role.BOT, Channel.WEB), generate_token()


def _make_enrolment(client_id: str, role: Role, channel: Channel | None = None) -> EnrolClient:
    return EnrolClient(
        client_id=client_id,
        roles=(role,),
        channel=channel,
        campaigns=(EVERY_CAMPAIGN,),
        daily_flag=_NO_DAILY_CAP,
        daily_cap=_NO_DAILY_CAP,
    )


def _load_or_make_tokens(file: Path) -> Tokens:
    kept = json.loads(file.read_text()) if file.exists() else {"roles": {}, "devices": {}}
    # A stack that was made before a role was added gets a token for it.
    tokens = Tokens(
        roles={str(role): generate_token() for role in Role} | kept["roles"],
        devices={device: generate_token() for device in DEVICE_CHANNELS} | kept["devices"],
    )
    write_private_file(file, json.dumps(asdict(tokens)))
    return tokens


def _enrol_client(command: EnrolClient, token: str, stage: Stage) -> None:
    lifetime = TokenLifetime(_TOKEN_LIFETIME, longest=dict.fromkeys(Role, _TOKEN_LIFETIME))
    registry = open_registry(stage, lifetime, make_token=lambda: token)
    # If the client exists, an earlier run has enrolled it with the same token.
    with suppress(ClientExists):
        registry.enrol(command)
