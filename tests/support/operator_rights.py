"""The rights of an operator, for commands that tests run in this process: what a command may not is refused.

The emulators ask for no permission. What the functions of a stage do meanwhile, in other threads and
processes, is not the operator's.
"""

import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import boto3
import click
import pytest
from botocore.exceptions import ClientError

from ops.cli import main
from ops.commands.results import Command
from ops.commands.rights import list_actions

# The actions of operations that have another name.
ACTIONS = {
    "lambda:Invoke": "lambda:InvokeFunction",
    "s3:HeadBucket": "s3:ListBucket",
    "s3:ListObjectsV2": "s3:ListBucket",
    "s3:PutBucketEncryption": "s3:PutEncryptionConfiguration",
    "s3:PutBucketLifecycleConfiguration": "s3:PutLifecycleConfiguration",
    "s3:PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessageBatch": "sqs:DeleteMessage",
}
# The actions of one operation, on the key before and on the key after.
RE_ENCRYPTION = ("kms:ReEncryptFrom", "kms:ReEncryptTo")
_SERVICES = {"monitoring": "cloudwatch"}

_RUNNING = threading.local()


@contextmanager
def enforce_operator_rights() -> Iterator[list[str]]:
    """Refuse what a command may not call, inside the block. Yield what was refused."""
    refused: list[str] = []
    make_client, invoke = boto3.Session.client, Command.invoke

    def make_guarded_client(*args: Any, **options: Any) -> Any:
        client: Any = make_client(*args, **options)
        client.meta.events.register("before-parameter-build", check)
        return client

    def check(params: Mapping[str, Any], model: Any, **_: Any) -> None:
        command = getattr(_RUNNING, "command", None)
        if command is None:
            return
        missing = list_needed_actions(model, params) - list_actions(command)
        refused.extend(f"{command}: {each}" for each in sorted(missing))
        if missing:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, model.name)

    def run_as(command: Command, context: click.Context) -> None:
        with _act_as(_NAMES.get(id(command))):
            invoke(command, context)

    with pytest.MonkeyPatch.context() as patching:
        patching.setattr(boto3.Session, "client", make_guarded_client)
        patching.setattr(Command, "invoke", run_as)
        yield refused


def act_as_function() -> AbstractContextManager[None]:
    """Act as a function of the stage inside the block, where a test runs one in the thread of a command."""
    return _act_as(None)


@contextmanager
def _act_as(command: str | None) -> Iterator[None]:
    before = getattr(_RUNNING, "command", None)
    _RUNNING.command = command
    try:
        yield
    finally:
        _RUNNING.command = before


def list_needed_actions(model: Any, params: Mapping[str, Any]) -> set[str]:
    """Return the actions that an operation asks for."""
    if model.name == "TransactWriteItems":
        members = {name for each in params["TransactItems"] for name in each}
        return {f"dynamodb:{name}Item" for name in members}
    if model.name == "ReEncrypt":
        return {*RE_ENCRYPTION}
    service = model.service_model.signing_name
    action = f"{_SERVICES.get(service, service)}:{model.name}"
    return {ACTIONS.get(action, action)}


def _iter_names(group: click.Group, prefix: str = "") -> Iterator[tuple[int, str]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _iter_names(command, f"{prefix}{name} ")
        elif name == "deploy" or any("--stack" in each.opts for each in command.params):
            yield id(command), f"{prefix}{name}"


# Commands of the local stack alone need no rights.
_NAMES = dict(_iter_names(main))
