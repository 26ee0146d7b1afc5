"""Every command in bad surroundings: an error in one line and a truthful status, never a traceback."""

import json
import socket
from contextlib import ExitStack
from dataclasses import asdict
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from click.testing import Result

from ops.http_server import RequestHandler
from ops.project import LOOPBACK
from tests.ops.command_lines import COMMANDS, DEPLOYING, STAGE_COMMANDS, run_daftar
from tests.ops.local_programs import make_description, make_outputs, running_programs
from tests.support.http_server import serve_in_background
from tests.support.ports import find_free_stack_port

# For these, a stack that is not up is the normal case.
_STARTING, _STOPPING = {"up", "run"}, {"down"}
NEEDING_A_STACK = [name for name in COMMANDS if name not in _STARTING | _STOPPING | DEPLOYING]

# What AWS repeats in its messages, and no command may.
_PERSONAL = "+6282455507001"
_NOT_PERMITTED = "(AccessDeniedException)"


def assert_explained(result: Result, *statuses: int) -> str:
    """Assert that a command has failed with one line and one JSON object. Return the line."""
    assert result.exit_code in (statuses or (1,)), result.output
    line = result.stderr.strip().splitlines()[-1]
    assert line.startswith("Error: "), result.output
    document = json.loads(result.stdout)
    assert document["ok"] is False
    assert line == f"Error: {document['error']['message']}"
    assert document["error"]["code"] != "internal_error", line
    assert "Traceback" not in result.output
    assert _PERSONAL not in result.output
    return line


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory for a local stack."""
    monkeypatch.setenv("DAFTAR_LOCAL_DIR", str(tmp_path))
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return tmp_path


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A free port for a local stack."""
    number = find_free_stack_port()
    monkeypatch.setenv("DAFTAR_PORT", str(number))
    return number


@pytest.mark.parametrize("name", NEEDING_A_STACK)
def test_without_a_stack_a_command_says_how_to_start_one(name: str, local: Path) -> None:
    line = assert_explained(run_daftar(name, "--json"))
    assert "no local stack is up on port 8320: start it with daftar up" in line


@pytest.mark.parametrize("name", NEEDING_A_STACK)
def test_a_stack_that_has_died_is_not_up(name: str, local: Path, port: int) -> None:
    with running_programs(local, port, json.dumps(asdict(make_description("http://127.0.0.1:1")))):
        pass
    assert "no local stack is up" in assert_explained(run_daftar(name, "--json"))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"api_url": 1}', "\ufeff\0"], ids=ascii)
def test_a_damaged_description_is_an_error_of_the_stack(text: str, local: Path, port: int) -> None:
    with running_programs(local, port, text):
        for name in ("status", "sms status", "register"):
            line = assert_explained(run_daftar(name, "--json"))
            assert "stack.json cannot be read: daftar down, then daftar up" in line


@pytest.mark.parametrize("name", sorted(_STOPPING))
def test_a_stack_with_a_damaged_description_can_be_stopped(name: str, local: Path) -> None:
    (local / "stack.json").write_text("{")
    result = run_daftar(name)
    assert (result.exit_code, result.stdout) == (0, "nothing was up on port 8320\n")


@pytest.mark.parametrize("name", NEEDING_A_STACK)
def test_a_stack_that_does_not_answer_is_an_error(name: str, local: Path, port: int) -> None:
    description = make_description(f"http://{LOOPBACK}:{port}")
    with running_programs(local, port, json.dumps(asdict(description))):
        result = run_daftar(name, "--json")
    if name != "mails":  # They are files.
        assert_explained(result)


class _Answer(RequestHandler):
    """Answers every request in the same way."""

    status, content_type, body = 200, "text/html", b"<html>"

    def do_GET(self) -> None:
        self.send(self.status, self.content_type, self.body)

    def do_POST(self) -> None:
        self.read_body()
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()


class _Refusal(_Answer):
    """The API refuses every request, in the language that was asked for."""

    status, content_type = 403, "application/problem+json"

    def do_GET(self) -> None:
        is_english = self.headers.get("Accept-Language") == "en"
        title = "You do not work for this campaign." if is_english else "Bukan kegiatan Anda."
        problem = {"code": "campaign_not_yours", "title": title, "status": 403}
        self.send(self.status, self.content_type, json.dumps(problem).encode())


API_COMMANDS = [
    *("register", "rescue", "roll-up", "summary", "audit"),
    *(name for name in COMMANDS if name.startswith("clients ") and name != "clients enrol-admin"),
]


@pytest.mark.parametrize("name", [*API_COMMANDS, "status", "messages"])
def test_an_answer_that_is_not_ours_is_an_error(name: str, local: Path, port: int) -> None:
    server = ThreadingHTTPServer((LOOPBACK, port), _Answer)
    description = json.dumps(asdict(make_description(f"http://{LOOPBACK}:{port}")))
    with serve_in_background(server), running_programs(local, port, description):
        assert_explained(run_daftar(name, "--json"))


@pytest.mark.parametrize("name", API_COMMANDS)
def test_a_refusal_of_the_api_is_one_english_line(name: str, local: Path, port: int) -> None:
    server = ThreadingHTTPServer((LOOPBACK, port), _Refusal)
    description = json.dumps(asdict(make_description(f"http://{LOOPBACK}:{port}")))
    with serve_in_background(server), running_programs(local, port, description):
        line = assert_explained(run_daftar(name, "--json"))
    assert "You do not work for this campaign. (campaign_not_yours)" in line


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - DEPLOYING))
@pytest.mark.parametrize("text", ["abc", "0", "70000", "-1", "\uff18\uff13\uff12\uff10"])
def test_a_port_that_is_none_is_wrong_use(
    name: str, text: str, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAFTAR_PORT", text)
    assert "DAFTAR_PORT is a number from 1 to 65533" in assert_explained(run_daftar(name, "--json"), 2)


@pytest.mark.parametrize("name", sorted(_STARTING))
def test_a_stack_whose_directory_is_a_file_is_not_started(
    name: str, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (local / "file").touch()
    monkeypatch.setenv("DAFTAR_LOCAL_DIR", str(local / "file"))
    assert "file" in assert_explained(run_daftar(name, "--json"))


@pytest.mark.parametrize("name", sorted(_STARTING))
def test_a_port_of_another_program_is_refused(name: str, local: Path, port: int) -> None:
    with socket.socket() as taken:
        taken.bind((LOOPBACK, port))
        taken.listen()
        assert f"port {port} is taken by another program" in assert_explained(run_daftar(name, "--json"))


@pytest.mark.parametrize("name", sorted(_STARTING))
def test_a_stack_that_is_up_is_left_alone(name: str, local: Path, port: int) -> None:
    with running_programs(local, port, json.dumps(asdict(make_description("http://127.0.0.1:1")))):
        line = assert_explained(run_daftar(name, "--json"))
        assert f"the local stack is up already on port {port}" in line
        assert (local / f"port-{port}" / "stack.json").exists()
        assert (local / "stack.json").exists()


class _Aws(RequestHandler):
    """AWS with one stack of Daftar, that refuses everything else and repeats a value in its message."""

    def do_POST(self) -> None:
        body = self.read_body().decode()
        if dict(parse_qsl(body)).get("Action") != "DescribeStacks":
            self.do_GET()
            return
        outputs = "".join(
            f"<member><OutputKey>{name}</OutputKey><OutputValue>{value}</OutputValue></member>"
            for name, value in make_outputs(f"http://{self.headers['Host']}").items()
        )
        facts = "<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>"
        stack = f"<StackName>daftar-prod</StackName>{facts}<Outputs>{outputs}</Outputs>"
        stacks = f"<Stacks><member>{stack}</member></Stacks>"
        self.send(200, "text/xml", f"<R><DescribeStacksResult>{stacks}</DescribeStacksResult></R>".encode())

    def do_GET(self) -> None:
        error = {"__type": "AccessDeniedException", "message": f"not {_PERSONAL}"}
        self.send(400, "application/json", json.dumps(error).encode())


class _ExpiredCredentials(RequestHandler):
    """AWS for credentials that have expired."""

    def do_POST(self) -> None:
        self.read_body()
        error = f"<Error><Code>ExpiredToken</Code><Message>{_PERSONAL}</Message></Error>"
        self.send(403, "text/xml", f"<ErrorResponse>{error}</ErrorResponse>".encode())


class _NoStack(RequestHandler):
    """AWS without the stack."""

    def do_POST(self) -> None:
        self.read_body()
        error = f"<Error><Code>ValidationError</Code><Message>{_PERSONAL}</Message></Error>"
        self.send(400, "text/xml", f"<ErrorResponse>{error}</ErrorResponse>".encode())


class _Empty(_Answer):
    """An AWS that describes nothing."""

    content_type, body = "text/xml", b"<R><DescribeStacksResult/></R>"


ON_AWS: dict[str, tuple[dict[str, str], type[RequestHandler] | None, str]] = {
    "no region": ({"AWS_DEFAULT_REGION": ""}, None, "no AWS region is set"),
    "an impossible region": ({"AWS_DEFAULT_REGION": "a b"}, None, "AWS_DEFAULT_REGION is no region"),
    "no credentials": (
        {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_SESSION_TOKEN": ""},
        *(_Aws, "there are no AWS credentials"),
    ),
    "half of the credentials": ({"AWS_SECRET_ACCESS_KEY": ""}, _Aws, "the AWS credentials are incomplete"),
    "an unknown profile": ({"AWS_PROFILE": "gone"}, None, "AWS_PROFILE names a profile"),
    "credentials that have expired": ({}, _ExpiredCredentials, "AWS refuses the credentials (ExpiredToken)"),
    "no such stack": ({}, _NoStack, "no stack daftar-prod can be read in"),
    "nobody at the address": (
        {"AWS_ENDPOINT_URL": f"http://{LOOPBACK}:1"},
        *(None, "AWS does not answer"),
    ),
    "an address that is none": ({"AWS_ENDPOINT_URL": "nowhere"}, None, "AWS_ENDPOINT_URL is not the URL"),
    "a page of somebody else": ({}, _Answer, "AWS could not be asked"),
    "an empty answer": ({}, _Empty, "AWS does not describe the stack daftar-prod"),
    "no permission": ({}, _Aws, _NOT_PERMITTED),
}


@pytest.mark.parametrize("name", STAGE_COMMANDS)
@pytest.mark.parametrize(("environment", "handler", "message"), ON_AWS.values(), ids=ON_AWS)
def test_a_command_on_aws_says_what_is_missing(
    name: str,
    environment: dict[str, str],
    handler: type[RequestHandler] | None,
    message: str,
    local: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for file in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(file, str(local / "none"))
    for variable, value in environment.items():
        if value:
            monkeypatch.setenv(variable, value)
        else:
            monkeypatch.delenv(variable, raising=False)
    with ExitStack() as servers:
        if handler:
            url = servers.enter_context(serve_in_background(ThreadingHTTPServer((LOOPBACK, 0), handler)))
            monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        line = assert_explained(run_daftar(name, "--stack", "daftar-prod", "--json"))

    needs_token = name in API_COMMANDS and message == _NOT_PERMITTED
    assert ("set DAFTAR_TOKEN to the token of a client" if needs_token else message) in line
    assert not {"daftar up", "daftar down", "daftar roll-up"} & {line}
