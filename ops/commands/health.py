"""`daftar status|doctor`: how a stage is, and what it is missing."""

from typing import Any

import click

from chalicelib.clock import utc_now
from ops.commands.local_stack import find_local_stack
from ops.commands.results import Command, Result
from ops.commands.stage_option import on_stage
from ops.deploy.stages import Stage
from ops.health.checks import examine
from ops.health.status import read_status
from ops.local.description import StackDescription

ADDRESS_FIELDS = (
    *("api_url", "app_url", "console_url"),
    *("aws_endpoint_url", "region", "gateway_url", "chat_url"),
)
_SECTIONS = ("queues", "sms", "alarms", "schedules", "versions")


@click.command(
    cls=Command,
    fails_when="there is no stack, or something about it is not as it should be; each is named",
    json_fields=(*_SECTIONS, "problems", "local"),
)
@on_stage
def status(stage: Stage) -> Result:
    """Show what waits in queues, held SMS, alarms that ring, the last run of each schedule, and versions."""
    local, lines = _describe_local_stack() if stage.is_local else (None, [])
    sections = read_status(stage, utc_now())
    problems = [problem for section in sections.values() for problem in section.problems]
    return Result(
        {
            **{name: section.figures for name, section in sections.items()},
            "problems": problems,
            "local": local,
        },
        [*lines, *(line for section in sections.values() for line in section.lines)],
        failure="; ".join(problems) or None,
        code="unhealthy",
    )


@click.command(
    cls=Command,
    fails_when="there is no stack, or something is to be done; each is named",
    json_fields=("checks",),
)
@on_stage
def doctor(stage: Stage) -> Result:
    """Say what a stage is missing, and which command or which person mends it."""
    checks = examine(stage, utc_now())
    todo = [each for each in checks if not each.is_ok]
    return Result(
        {
            "checks": [
                {"check": each.check, "is_ok": each.is_ok, "text": each.text, "command": each.command}
                for each in checks
            ]
        },
        [str(each) for each in checks],
        failure="; ".join(f"{each.check}: {each.text}" for each in todo) or None,
        code="to_do",
    )


def list_addresses(description: StackDescription) -> dict[str, str]:
    """Return the URLs of a local stack."""
    return {name: getattr(description, name) for name in ADDRESS_FIELDS}


def describe_addresses(description: StackDescription) -> list[str]:
    """Return the URLs of a local stack as lines for people."""
    return [
        f"API     {description.api_url}",
        f"App     {description.app_url}",
        f"Console {description.console_url}",
        f"AWS     {description.aws_endpoint_url} ({description.region})",
        f"SMS     {description.gateway_url}",
        f"Chats   {description.chat_url} (phones on which to chat with the bot)",
    ]


def _describe_local_stack() -> tuple[dict[str, Any], list[str]]:
    stack = find_local_stack()
    description = stack.describe()
    received, waiting = len(description.fetch_sms()), stack.count_waiting_sms()
    figures = {**list_addresses(description), "sms_received": received, "sms_waiting": waiting}
    line = f"{received} SMS received, {waiting} waiting to be sent"
    return figures, [*describe_addresses(description), line]
