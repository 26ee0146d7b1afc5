"""The `daftar` command: help, exit statuses, error messages, `--json` and `--stack`."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import click
import httpx
import pytest
from botocore.exceptions import ClientError, NoCredentialsError
from click.testing import CliRunner, Result

from chalicelib.crypto.keyring import KeysMissing
from ops.cli import main
from ops.commands.error_messages import Group
from ops.commands.results import Command
from ops.commands.results import Result as CommandResult
from ops.commands.stage_option import on_stage, stage_group
from ops.deploy.stages import Stage, find_stage
from ops.errors import OperationError
from ops.http_server import RequestHandler
from ops.local.emulator import Emulator
from ops.project import LOOPBACK, ROOT
from ops.signals import Shutdown
from tests.ops.command_lines import ARGUMENTS, COMMANDS, DEPLOYING, STAGE_COMMANDS, run_daftar
from tests.support.http_server import serve_in_background

LOCAL_COMMANDS = set(COMMANDS) - set(STAGE_COMMANDS) - DEPLOYING


def test_every_command_has_a_good_command_line_in_these_tests() -> None:
    assert set(ARGUMENTS) == set(COMMANDS)


def test_the_commands_that_only_work_locally_are_those_of_the_readme() -> None:
    assert {"up", "down", "run", "messages", "mails"} == LOCAL_COMMANDS


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_without_a_stack(name: str) -> None:
    command = COMMANDS[name]
    for line in ([*name.split(), "--help"], [*name.split(), *ARGUMENTS[name], "--help"]):
        result = run_line(*line)
        assert result.exit_code == 0
        words = " ".join(result.output.split())
        assert command.fails_when
        assert f"Exit status: 0 done; 1 {command.fails_when}; 2 used wrongly" in words
        assert f"result has {', '.join(command.json_fields)}." in words
    [summary] = [line for line in result.output.splitlines() if line.startswith("  ")][:1]
    assert summary.strip()[0].isupper()


@pytest.mark.parametrize("name", STAGE_COMMANDS)
def test_help_looks_up_no_stack_on_aws(name: str) -> None:
    group, *rest = name.split()
    placements = [[group, *rest, "--stack", "gone", "--help"]]
    placements += [[group, "--stack", "gone", *rest, "--help"]] if rest else []
    for line in placements:
        assert run_line(*line).exit_code == 0


def run_line(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


USED_WRONGLY: dict[str, tuple[str, ...]] = {
    "an unknown command": ("regsiter",),
    "a group alone": ("sms",),
    "an unknown option": ("status", "--jsn"),
    "no arguments": ("register",),
    "a file that does not exist": ("register", "gone.jsonl"),
    "a folder": ("register", "."),
    "a date in other digits": (
        "summary",
        "tanah-abang-2024",
        "\uff12\uff10\uff12\uff14-\uff11\uff10-\uff10\uff19",
    ),
    "a date without zeros": ("summary", "tanah-abang-2024", "2024-10-9"),
    "a date that does not exist": ("roll-up", "tanah-abang-2024", "2024-02-30"),
    "an empty date": ("export", "tanah-abang-2024", ""),
    "days out of order": ("roll-up", "tanah-abang-2024", "--from", "2024-10-10", "--to", "2024-10-09"),
    "days for analysts out of order": (
        *("export", "tanah-abang-2024", "--from", "2024-10-10", "--to", "2024-10-09"),
    ),
    "a day and days": ("export", "tanah-abang-2024", "2024-10-09", "--to", "2024-10-10"),
    "half of the days": ("export", "tanah-abang-2024", "--from", "2024-10-09"),
    "no day": ("export", "tanah-abang-2024"),
    "a path as a campaign": ("summary", "../clients", "2024-10-09"),
    "an empty campaign": ("roll-up", ""),
    "an empty client": ("clients", "revoke", ""),
    "a path as a client": ("clients", "rotate", "van-1/token"),
    "an unknown role": ("clients", "enrol", "van-9", "--role", "king"),
    "an unknown channel": ("clients", "enrol", "van-9", "--role", "kiosk", "--channel", "fax"),
    "hours in words": ("clients", "rotate", "van-9", "--overlap-hours", "1_0"),
    "a key kept too briefly": ("rotate", "--retire", "--keep-days", "35"),
    "a key retired and taken back": ("rotate", "--retire", "--reinstate", "field-1"),
    "a restore to no moment": ("restore",),
    "a restore to a moment without an offset": ("restore", "--at", "2026-01-01T00:00:00"),
    "a restore to the future": ("restore", "--at", "2999-01-01T00:00:00Z"),
    "a restore and a drill": ("restore", "--at", "2026-01-01T00:00:00Z", "--drill"),
    "a table that is never taken back": (
        *("restore", "--at", "2026-01-01T00:00:00Z", "--also", "RequestsTable"),
    ),
    "no reason": ("sms", "stop", ""),
    "an unknown queue": ("dead-letters", "list", "Queue"),
    "no messages": ("dead-letters", "redrive", "StreamFailures"),
    "messages and all": ("dead-letters", "drop", "StreamFailures", "m-1", "--all"),
    "an empty stack": ("sms", "status", "--stack", ""),
    "an empty stack of the group": ("sms", "--stack", " ", "status"),
}


@pytest.mark.parametrize("arguments", USED_WRONGLY.values(), ids=USED_WRONGLY)
def test_wrong_use_is_told_from_failure_before_a_stack_is_looked_up(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DAFTAR_LOCAL_DIR", str(tmp_path))

    result = run_line(*arguments, "--json")

    assert result.exit_code == 2
    assert "\nError: " in result.stderr
    error = json.loads(result.stdout)["error"]
    assert error["code"] == "usage"
    assert error["message"] in result.stderr


def fail_with(error: BaseException, *arguments: str) -> Result:
    """Run a command that raises an error."""

    @click.group(cls=Group)
    def group() -> None:
        """Group."""

    def fail() -> CommandResult:
        raise error

    group.add_command(Command("fail", callback=fail))
    return CliRunner().invoke(group, ["fail", *arguments])


SECRET = "+6282455507001"
ERRORS: dict[str, tuple[BaseException, int, str, str]] = {
    "ours": (OperationError("it is down", code="down"), 1, "it is down", "down"),
    "a refusal of AWS": (
        ClientError({"Error": {"Code": "Throttling", "Message": SECRET}}, "GetItem"),
        *(1, "AWS refused GetItem (Throttling)", "aws_error"),
    ),
    "a refusal of the credentials": (
        ClientError({"Error": {"Code": "ExpiredTokenException", "Message": SECRET}}, "GetItem"),
        *(1, "AWS refuses the credentials (ExpiredTokenException): sign in again", "aws_error"),
    ),
    "an error of the SDK": (
        NoCredentialsError(),
        *(1, "there are no AWS credentials: sign in, or set AWS_PROFILE", "aws_error"),
    ),
    "an error of the network": (
        httpx.ReadTimeout(SECRET),
        *(1, "the local stack does not answer (ReadTimeout): daftar status", "stack_unavailable"),
    ),
    "a full disk": (OSError(28, "No space left", "out"), 1, "out: No space left", "system_error"),
    "a fault of ours": (KeyError(SECRET), 1, "daftar itself is at fault: KeyError at ", "internal_error"),
    "Ctrl-C": (KeyboardInterrupt(), 130, "interrupted", "interrupted"),
    "a signal": (Shutdown(), 130, "interrupted", "interrupted"),
    "a signal with advice": (Shutdown("send it again"), 130, "send it again", "interrupted"),
    "a stage without keys": (KeysMissing("field"), 1, "KeysMissing: field", "data_unavailable"),
    "the end of standard input": (EOFError(), 1, "there was no answer on standard input", "no_answer"),
}


@pytest.mark.parametrize(("error", "status", "message", "code"), ERRORS.values(), ids=ERRORS)
def test_every_error_is_one_line_a_status_and_one_json_object(
    error: BaseException, status: int, message: str, code: str
) -> None:
    result = fail_with(error, "--json")

    assert result.exit_code == status
    [line] = result.stderr.strip().splitlines()
    assert line.startswith(f"Error: {message}")
    document = json.loads(result.stdout)
    assert set(document) == {"ok", "result", "error"}
    assert (document["ok"], document["result"]) == (False, None)
    assert document["error"]["code"] == code
    assert line == f"Error: {document['error']['message']}"
    assert SECRET not in result.output
    assert fail_with(error).stdout == ""


def test_a_result_in_part_is_shown_with_its_failure() -> None:
    @click.group(cls=Group)
    def group() -> None:
        """Group."""

    def half() -> CommandResult:
        return CommandResult({"done": 1}, ["1 [bold]done[/bold]"], failure="1 was refused", code="half")

    group.add_command(Command("half", callback=half))

    for_people = CliRunner().invoke(group, ["half"])
    assert (for_people.exit_code, for_people.stdout) == (1, "1 [bold]done[/bold]\n")
    assert for_people.stderr == "Error: 1 was refused\n"
    for_programs = CliRunner().invoke(group, ["half", "--json"])
    assert for_programs.exit_code == 1
    assert json.loads(for_programs.stdout) == {
        "ok": False,
        "result": {"done": 1},
        "error": {"code": "half", "message": "1 was refused", "fields": []},
    }


@pytest.mark.parametrize("arguments", [["--help"], ["down"], ["down", "--json"]], ids=" ".join)
def test_a_reader_that_goes_away_early_gets_no_traceback(arguments: list[str], tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "ops.cli", *arguments],
            cwd=ROOT,
            env=os.environ | {"DAFTAR_LOCAL_DIR": str(tmp_path)},
            stdout=writer,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.parametrize(
    "redirections", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", ">/dev/full 2>&1"]
)
def test_closed_streams_and_a_full_disk_are_no_fault_of_the_command(
    redirections: str, tmp_path: Path
) -> None:
    command = f'"{sys.executable}" -m ops.cli down --json {redirections}'
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        cwd=ROOT,
        env=os.environ | {"DAFTAR_LOCAL_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == int("full" in redirections)
    assert done.stderr == ("Error: No space left on device\n" if redirections == ">/dev/full" else "")


def test_a_file_whose_name_is_no_text_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAFTAR_LOCAL_DIR", str(tmp_path))
    result = run_line("register", os.fsdecode(os.fsencode(tmp_path) + b"/\xff.jsonl"))
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_function_may_run_longer_than_the_sdk_waits_by_default(stack_name: str, tmp_path: Path) -> None:
    emulator = Emulator(port=9, home=tmp_path, sms_url="")
    for client in (find_stage(stack_name).aws_client("lambda"), emulator.make_client("lambda")):
        assert client.meta.config.read_timeout > 15 * 60
        assert client.meta.config.retries["total_max_attempts"] == 1, "a second run would meet the first one"


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


@stage_commands.command("describe", json_fields=("stack", "outputs", "word"))
@click.argument("word")
@on_stage
def describe_stage(stage: Stage, word: str) -> CommandResult:
    """Describe."""
    return CommandResult({}, [f"{stage.stack_name} {dict(stage.outputs)} {word}"])


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
    result = CliRunner().invoke(stage_commands, ["describe", "word"])
    assert result.exit_code == 1
    assert "no local stack is up on port 8320" in result.stderr
    assert "name a stack on AWS with --stack" in result.stderr


def test_a_command_that_only_works_locally_gives_no_advice_for_aws(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAFTAR_LOCAL_DIR", str(tmp_path))
    assert "AWS" not in run_daftar("clients list").output


def test_an_unknown_stack_is_refused(stack_name: str) -> None:
    result = CliRunner().invoke(stage_commands, ["describe", "--stack", "another", "word"])
    assert result.exit_code == 1
    assert result.output.startswith("Error: no stack another can be read in eu-north-1")


def test_a_stack_that_is_not_daftar_is_refused(stack_name: str) -> None:
    result = run_daftar("sms status", "--stack", stack_name)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: the stack daftar-prod has no output SendingTableName")
