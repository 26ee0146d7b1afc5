"""`--stack NAME`: the stage that a command works on."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from ops.commands.error_messages import Group
from ops.commands.local_stack import find_local_stack
from ops.deploy.stages import Stage, find_stage
from ops.errors import StackUnavailable

Parameters = ParamSpec("Parameters")
ReturnType = TypeVar("ReturnType")

GROUP_STACK_NAME = "stack_name"


def _check_stack_name(_context: click.Context, _option: click.Parameter, name: str | None) -> str | None:
    # An empty variable of a script must not turn into the local stack.
    if name is not None and not name.strip():
        raise click.BadParameter("name a stack, or leave --stack out for the local one")
    return name


stack_option = click.option(
    "--stack",
    "stack_name",
    metavar="NAME",
    callback=_check_stack_name,
    help="A CloudFormation stack on AWS, with your credentials and region. Default: the local stack.",
)


def on_stage(
    command: Callable[Concatenate[Stage, Parameters], ReturnType],
) -> Callable[..., ReturnType]:
    """Add `--stack NAME` to a command, and pass the command that stage as its first argument."""

    @stack_option
    @click.pass_context
    def run(context: click.Context, /, *args: Any, stack_name: str | None, **options: Any) -> ReturnType:
        return command(find_chosen_stage(context, stack_name), *args, **options)

    return update_wrapper(run, command)


def find_chosen_stage(context: click.Context, stack_name: str | None) -> Stage:
    """Return the stage of `--stack`, the local one without it. Raise OperationError."""
    name = stack_name or context.meta.get(GROUP_STACK_NAME)
    if name:
        return find_stage(name)
    if isinstance(context.obj, Stage):
        return context.obj
    try:
        return find_local_stack().as_stage()
    except StackUnavailable as error:
        raise StackUnavailable(f"{error}, or name a stack on AWS with --stack") from None


def stage_group(name: str) -> Callable[[Callable[[], None]], click.Group]:
    """Make a command group that also takes `--stack NAME` before the command: a default for its commands.

    The stack is looked up by the command, so that its help and its usage errors need none.
    """

    def make_group(function: Callable[[], None]) -> click.Group:
        @stack_option
        @click.pass_context
        def choose_stage(context: click.Context, stack_name: str | None) -> None:
            context.meta[GROUP_STACK_NAME] = stack_name

        return click.group(name, cls=Group)(update_wrapper(choose_stage, function))

    return make_group
