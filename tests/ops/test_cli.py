"""The `daftar` command: help texts, error messages and `--stack`."""

from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import click
import pytest
from click.testing import CliRunner

from ops.cli import main
from ops.commands.error_messages import ErrorExplainingGroup
from ops.commands.stage_option import on_stage, stage_group
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.http_server import RequestHandler
from ops.project import LOOPBACK
from ops.signals import Shutdown
from tests.support.http_server import serve_in_background

STACK_OPTION_COMMANDS = {
    *("export", "rotate", "sms release", "sms stop", "sms resume", "sms status"),
    *("opt-outs show", "opt-outs enter", "opt-outs lift"),
    *("dead-letters list", "dead-letters show", "dead-letters redrive", "dead-letters drop"),
}


def iter_commands(group: click.Group, prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, command in group.commands.items():
        yield (*prefix, name)
        if isinstance(command, click.Group):
            yield from iter_commands(command, (*prefix, name))


@pytest.mark.parametrize("command", [*iter_commands(main)], ids=" ".join)
def test_every_command_has_a_help_text(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*command, "--help"])

    assert result.exit_code == 0
    [summary] = [line for line in result.output.splitlines() if line.startswith("  ")][:1]
    assert summary.strip()[0].isupper()


@pytest.mark.parametrize("command", sorted(STACK_OPTION_COMMANDS))
def test_commands_that_work_on_aws_have_the_option_stack(command: str) -> None:
    assert "--stack NAME" in CliRunner().invoke(main, [*command.split(), "--help"]).output


@pytest.mark.parametrize(("error", "exit_code"), [(OperationError("no stack is up"), 1), (Shutdown(), 130)])
def test_an_error_ends_a_command_without_a_traceback(error: BaseException, exit_code: int) -> None:
    @click.group(cls=ErrorExplainingGroup)
    def group() -> None:
        """Group."""

    @group.command()
    def fail() -> None:
        raise error

    result = CliRunner().invoke(group, ["fail"])

    assert result.exit_code == exit_code
    assert result.output == (f"Error: {error}\n" if exit_code == 1 else "")


class _CloudFormationHandler(RequestHandler):
    """CloudFormation with the one stack `daftar-prod`."""

    def do_POST(self) -> None:
        request = dict(parse_qsl(self.read_body().decode()))
        if request["StackName"] == "daftar-prod":
            output = "<OutputKey>Answer</OutputKey><OutputValue>42</OutputValue>"
            stack = f"<StackName>daftar-prod</StackName><Outputs><member>{output}</member></Outputs>"
            stack += (
                "<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>"
            )
            result = f"<Stacks><member>{stack}</member></Stacks>"
            body = f"<R><DescribeStacksResult>{result}</DescribeStacksResult></R>"
            self.send(200, "text/xml", body.encode())
        else:
            error = "<Code>ValidationError</Code><Message>does not exist</Message>"
            self.send(400, "text/xml", f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode())


@pytest.fixture
def stack_name(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A stack on AWS."""
    with serve_in_background(ThreadingHTTPServer((LOOPBACK, 0), _CloudFormationHandler)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        yield "daftar-prod"


@stage_group("group")
def stage_commands() -> None:
    """Group."""


@stage_commands.command("describe")
@click.argument("word")
@on_stage
def describe_stage(stage: Stage, word: str) -> None:
    """Describe."""
    click.echo(f"{stage.stack_name} {dict(stage.outputs)} {word}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["describe", "--stack", "daftar-prod", "word"],
        ["--stack", "daftar-prod", "describe", "word"],
    ],
    ids=["on the command", "on the group"],
)
def test_a_stack_on_aws_is_named_on_the_command_or_on_its_group(
    arguments: list[str], stack_name: str
) -> None:
    result = CliRunner().invoke(stage_commands, arguments, catch_exceptions=False)

    assert result.output == f"{stack_name} {{'Answer': '42'}} word\n"


def test_the_local_stack_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAFTAR_LOCAL_DIR", str(tmp_path))
    with pytest.raises(OperationError, match="no stack is up on port 8320"):
        CliRunner().invoke(stage_commands, ["describe", "word"], catch_exceptions=False)


def test_an_unknown_stack_is_refused(stack_name: str) -> None:
    with pytest.raises(OperationError, match="the stack another cannot be read"):
        CliRunner().invoke(stage_commands, ["describe", "--stack", "another", "word"], catch_exceptions=False)
