"""What a new stack needs before its first request: data keys, clients, and the example's campaign."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from chalicelib import wiring
from chalicelib.clients.dynamodb import DynamoClients
from chalicelib.clients.errors import ClientExists
from chalicelib.clients.messages import EnrolClient
from chalicelib.clients.model import EVERY_CAMPAIGN, Channel, Role
from chalicelib.clients.service import Registry, Token, TokenLife
from chalicelib.privacy.dynamodb import DynamoWrappedKeys
from chalicelib.privacy.keyring import FIELD_PURPOSE, HASH_PURPOSE
from chalicelib.privacy.kms import KMSKeyWrap
from ops.deployment import Clients, Deployment
from ops.gateway.twilio_account import ACCOUNT_SID, AUTH_TOKEN

# The devices of the example market day, and where each meets workers.
DEVICES = {"van-1": Channel.VAN, "van-2": Channel.VAN, "kiosk-1": Channel.KIOSK}

# The tokens of a local stack are kept over its runs, and each may stand for all the devices of a test.
_LIFE = timedelta(days=3650)
_UNCAPPED = 10_000_000


@dataclass(frozen=True)
class Tokens:
    """The bearer tokens of a local stack: one for each role, one for each device of the example."""

    roles: Mapping[str, str]
    devices: Mapping[str, str]


def provide_keys(deployment: Deployment, clients: Clients) -> None:
    """Give the stage a data key for each purpose that has none. No key leaves KMS unwrapped."""
    stored = DynamoWrappedKeys(clients("dynamodb"), deployment.outputs["KeysTableName"])
    wrap = KMSKeyWrap(clients("kms"), deployment.outputs["FieldKeyArn"])
    for purpose in (FIELD_PURPOSE, HASH_PURPOSE):
        if not any(stored.of(purpose)):
            stored.add(wrap.make(purpose, at=wiring.now()))


def provide_gateway_account(secrets: Any, name: str) -> str:
    """The ARN of the secret with our account at the stand-in's Twilio side."""
    account = json.dumps({"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN})
    with suppress(secrets.exceptions.ResourceExistsException):
        secrets.create_secret(Name=name, SecretString=account)
    return str(secrets.describe_secret(SecretId=name)["ARN"])


def provide_sender(ses: Any, address: str) -> None:
    """An address that mails may be from."""
    with suppress(ses.exceptions.AlreadyExistsException):
        ses.create_email_identity(EmailIdentity=address)


def enrol_clients(deployment: Deployment, clients: Clients, tokens_file: Path) -> Tokens:
    """Enrol the local clients, for every campaign, under the tokens in the file; again changes nothing.

    The file is written first: a run that ends halfway leaves no client whose token nobody knows.
    """
    tokens = _kept_tokens(tokens_file)
    for role, token in tokens.roles.items():
        command = EnrolClient(
            client_id=role,
            roles=(Role(role),),
            campaigns=(EVERY_CAMPAIGN,),
            daily_flag=_UNCAPPED,
            daily_cap=_UNCAPPED,
        )
        _enrol(command, token, deployment, clients)
    for device, token in tokens.devices.items():
        command = EnrolClient(
            client_id=device,
            roles=(Role.KIOSK,),
            channel=DEVICES[device],
            campaigns=(EVERY_CAMPAIGN,),
            daily_flag=_UNCAPPED,
            daily_cap=_UNCAPPED,
        )
        _enrol(command, token, deployment, clients)
    return tokens


def _kept_tokens(file: Path) -> Tokens:
    if file.exists():
        return Tokens(**json.loads(file.read_text()))
    tokens = Tokens(
        roles={str(role): wiring.new_token() for role in Role},
        devices={device: wiring.new_token() for device in DEVICES},
    )
    write_private(file, json.dumps(asdict(tokens)))
    return tokens


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, at once: nobody sees it half written."""
    draft = file.with_name(f"{file.name}.draft")
    draft.unlink(missing_ok=True)
    with open(draft, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(text)
    draft.replace(file)


def _enrol(command: EnrolClient, token: str, deployment: Deployment, clients: Clients) -> None:
    registry = Registry(
        clients=DynamoClients(clients("dynamodb"), deployment.outputs["ClientsTableName"]),
        clock=wiring.now,
        new_token=lambda: Token(token),
        life=TokenLife(usual=_LIFE),
    )
    # If it exists, an earlier run has enrolled it, under this very token.
    with suppress(ClientExists):
        registry.enrol(command)
