"""`--stack NAME`: the stage that a command works on."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from ops.commands.local_stack import find_local_stack
from ops.deploy.stages import Stage, find_stage

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_stack_option = click.option(
    "--stack",
    "stack_name",
    metavar="NAME",
    help="A CloudFormation stack on AWS, with your credentials and region. Default: the local stack.",
)


def on_stage(
    command: Callable[Concatenate[Stage, Parameters], Result],
) -> Callable[..., Result]:
    """Add `--stack NAME` to a command, and pass the command that stage as its first argument."""

    @_stack_option
    @click.pass_context
    def run(context: click.Context, /, *args: Any, stack_name: str | None, **options: Any) -> Result:
        stage = find_stage(stack_name) if stack_name else context.obj or find_local_stack().as_stage()
        return command(stage, *args, **options)

    return update_wrapper(run, command)


def stage_group(name: str) -> Callable[[Callable[[], None]], click.Group]:
    """Make a command group that also takes `--stack NAME` before the command: a default for its commands."""

    def make_group(function: Callable[[], None]) -> click.Group:
        @_stack_option
        @click.pass_context
        def choose_stage(context: click.Context, stack_name: str | None) -> None:
            context.obj = find_stage(stack_name) if stack_name else context.obj

        return click.group(name)(update_wrapper(choose_stage, function))

    return make_group
