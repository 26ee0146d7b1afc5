"""`--stack NAME` for commands that call the API: which API, and whose token."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

import click

from ops.commands.local_stack import describe_local_stack
from ops.commands.stage_option import GROUP_STACK_NAME, stack_option
from ops.deploy.stage_record import make_api_url
from ops.deploy.stages import Stage, find_stage
from ops.errors import StackUnavailable

Parameters = ParamSpec("Parameters")
ReturnType = TypeVar("ReturnType")

# On AWS the tokens are with those who own them. The operator gives one to the command, and never in its
# arguments, which other users of the machine can read.
TOKEN_VARIABLE = "DAFTAR_TOKEN"  # noqa: S105 - the name of a variable


class ApiAccess(Protocol):
    """An API and the tokens of its clients."""

    @property
    def api_url(self) -> str: ...

    @property
    def device_tokens(self) -> Mapping[str, str]:
        """The tokens by device; empty if they are not known."""

    def find_token(self, client: str) -> str | None:
        """Return the token of a device or a role."""


@dataclass(frozen=True)
class DeployedApi:
    """The API of a stage on AWS, with the one token of whoever runs the command."""

    stage: Stage
    api_url: str
    token: str
    device_tokens: Mapping[str, str] = field(default_factory=dict)

    def find_token(self, client: str) -> str | None:
        return self.token


def on_api(command: Callable[Concatenate[ApiAccess, Parameters], ReturnType]) -> Callable[..., ReturnType]:
    """Add `--stack NAME` to a command, and pass the command that stack's API as its first argument."""

    @stack_option
    @click.pass_context
    def run(context: click.Context, /, *args: Any, stack_name: str | None, **options: Any) -> ReturnType:
        name = stack_name or context.meta.get(GROUP_STACK_NAME)
        return command(find_deployed_api(name) if name else describe_local_stack(), *args, **options)

    return update_wrapper(run, command)


def find_deployed_api(stack_name: str) -> DeployedApi:
    """Return the API of a stack on AWS. Raise OperationError, also if there is no token for it."""
    stage = find_stage(stack_name)
    token = os.environ.get(TOKEN_VARIABLE)
    if not token:
        raise StackUnavailable(f"set {TOKEN_VARIABLE} to the token of a client of {stack_name}")
    return DeployedApi(stage, make_api_url(stage), token)
