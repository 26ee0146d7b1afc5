"""What a new stack needs before its first request: data keys, clients, and the example's campaign."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from chalicelib.callers import EVERY_CAMPAIGN, Channel, Role
from chalicelib.clients.errors import ClientExists
from chalicelib.clients.schemas import EnrolClient
from chalicelib.clients.service import ClientRegistry, Token, TokenLifetime
from chalicelib.clients.store import DynamoClients
from chalicelib.clock import utc_now
from chalicelib.crypto.keyring import FIELD_PURPOSE, HASH_PURPOSE
from chalicelib.crypto.kms import KMSKeyWrapper
from chalicelib.crypto.store import DynamoWrappedKeys
from chalicelib.randomness import generate_token
from ops.deploy.cloudformation import AwsClientFactory, Deployment
from ops.fake_sms.twilio_account import ACCOUNT_SID, AUTH_TOKEN

# The devices of the example market day, and where each meets workers.
DEVICE_CHANNELS = {"van-1": Channel.VAN, "van-2": Channel.VAN, "kiosk-1": Channel.KIOSK}

# The tokens of a local stack are kept over its runs, and each may stand for all the devices of a test.
_TOKEN_LIFETIME = timedelta(days=3650)
_NO_DAILY_CAP = 10_000_000


@dataclass(frozen=True)
class Tokens:
    """The bearer tokens of a local stack: one for each role, one for each device of the example."""

    roles: Mapping[str, str]
    devices: Mapping[str, str]


def create_missing_keys(deployment: Deployment, aws_client: AwsClientFactory) -> None:
    """Give the stage a data key for each purpose that has none. No key leaves KMS unwrapped."""
    stored = DynamoWrappedKeys(aws_client("dynamodb"), deployment.outputs["KeysTableName"])
    wrap = KMSKeyWrapper(aws_client("kms"), deployment.outputs["FieldKeyArn"])
    for purpose in (FIELD_PURPOSE, HASH_PURPOSE):
        if not any(stored.iter_by_purpose(purpose)):
            stored.add(wrap.generate(purpose, now=utc_now()))


def create_twilio_secret(secrets_client: Any, secret_name: str) -> str:
    """The ARN of the secret with our account at the stand-in's Twilio side."""
    account = json.dumps({"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN})
    with suppress(secrets_client.exceptions.ResourceExistsException):
        secrets_client.create_secret(Name=secret_name, SecretString=account)
    return str(secrets_client.describe_secret(SecretId=secret_name)["ARN"])


def create_mail_identity(ses_client: Any, address: str) -> None:
    """An address that mails may be from."""
    with suppress(ses_client.exceptions.AlreadyExistsException):
        ses_client.create_email_identity(EmailIdentity=address)


def enrol_clients(deployment: Deployment, aws_client: AwsClientFactory, tokens_file: Path) -> Tokens:
    """Enrol the local clients, for every campaign, under the tokens in the file; again changes nothing.

    The file is written first: a run that ends halfway leaves no client whose token nobody knows.
    """
    tokens = _load_or_make_tokens(tokens_file)
    for role, token in tokens.roles.items():
        command = EnrolClient(
            client_id=role,
            roles=(Role(role),),
            campaigns=(EVERY_CAMPAIGN,),
            daily_flag=_NO_DAILY_CAP,
            daily_cap=_NO_DAILY_CAP,
        )
        _enrol_client(command, token, deployment, aws_client)
    for device, token in tokens.devices.items():
        command = EnrolClient(
            client_id=device,
            roles=(Role.KIOSK,),
            channel=DEVICE_CHANNELS[device],
            campaigns=(EVERY_CAMPAIGN,),
            daily_flag=_NO_DAILY_CAP,
            daily_cap=_NO_DAILY_CAP,
        )
        _enrol_client(command, token, deployment, aws_client)
    return tokens


def _load_or_make_tokens(file: Path) -> Tokens:
    if file.exists():
        return Tokens(**json.loads(file.read_text()))
    tokens = Tokens(
        roles={str(role): generate_token() for role in Role},
        devices={device: generate_token() for device in DEVICE_CHANNELS},
    )
    write_private_file(file, json.dumps(asdict(tokens)))
    return tokens


def write_private_file(file: Path, text: str) -> None:
    """Write a file that only its owner can read, at once: nobody sees it half written."""
    draft = file.with_name(f"{file.name}.draft")
    draft.unlink(missing_ok=True)
    with open(draft, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as out:
        out.write(text)
    draft.replace(file)


def _enrol_client(
    command: EnrolClient, token: str, deployment: Deployment, aws_client: AwsClientFactory
) -> None:
    registry = ClientRegistry(
        clients=DynamoClients(aws_client("dynamodb"), deployment.outputs["ClientsTableName"]),
        clock=utc_now,
        generate_token=lambda: Token(token),
        token_lifetime=TokenLifetime(default_lifetime=_TOKEN_LIFETIME),
    )
    # If it exists, an earlier run has enrolled it, under this very token.
    with suppress(ClientExists):
        registry.enrol(command)
