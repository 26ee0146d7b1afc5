"""The local stack and the command line that works with it."""

import json
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from ops.cli import main
from ops.project import LOOPBACK
from tests.ops.command_lines import COMMANDS
from tests.support.payloads import make_capture_id, make_capture_payload
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e


@pytest.fixture
def run_daftar(stack: RunningStack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run `daftar` with some arguments against the stack under test."""
    monkeypatch.setenv("DAFTAR_PORT", str(stack.local_stack.port))
    monkeypatch.setenv("DAFTAR_LOCAL_DIR", str(stack.local_stack.directory))
    return lambda *arguments: CliRunner().invoke(main, [str(each) for each in arguments])


def test_stack_json_describes_the_running_stack(stack: RunningStack) -> None:
    file = stack.local_stack.directory / "stack.json"
    described = json.loads(file.read_text())
    assert set(described) >= {
        "api_url",
        "app_url",
        "console_url",
        "odk_url",
        "aws_endpoint_url",
        "region",
        "campaign_id",
        "tokens",
        "gateway_url",
    }
    assert set(described["tokens"]) == {"kiosk", "bot", "viewer", "manager", "core", "admin"}
    assert file.stat().st_mode & 0o777 == 0o600
    assert described["app_url"] == f"{described['api_url']}/app"
    assert described["console_url"] == f"{described['api_url']}/console"
    assert described["odk_url"] == f"{described['api_url']}/odk/{described['tokens']['kiosk']}"


def test_everything_listens_on_loopback_only(stack: RunningStack) -> None:
    for url in (
        stack.description.api_url,
        stack.description.gateway_url,
        stack.description.aws_endpoint_url,
        stack.description.outputs["NotificationsQueueUrl"],
    ):
        assert httpx.URL(url).host == LOOPBACK


def test_refusals_of_api_gateway_have_our_shape(stack: RunningStack) -> None:
    api = stack.description.api_url
    no_token = httpx.get(f"{api}/v1/campaigns")
    no_route = httpx.get(f"{api}/v1/nothing", headers={"Authorization": "Bearer x"})
    answers = [no_token, no_route]
    assert [(each.status_code, each.json()["code"]) for each in answers] == [
        (401, "token_missing_or_unknown"),
        (404, "route_unknown"),
    ]
    assert {each.headers["Content-Type"] for each in answers} == {"application/problem+json"}


def test_every_client_of_the_stack_is_known_to_it(stack: RunningStack) -> None:
    listed = stack.send("admin", "GET", "/v1/clients").json()["clients"]
    ours = {*stack.description.tokens, *stack.description.device_tokens}
    assert ours <= {client["client_id"] for client in listed}


def test_schedules_reach_their_functions(stack: RunningStack) -> None:
    assert len(stack.fire_schedules()) == 5


def test_functions_share_one_unpacked_zip(stack: RunningStack) -> None:
    home = stack.local_stack.directory / f"port-{stack.local_stack.port}"
    read = [code.resolve() for code in (home / "tmp").glob("ministack-lambda-*/code")]

    assert len(read) > 1
    assert len(set(read)) == 1


@pytest.mark.parametrize("command", ["up", "run"])
def test_a_stack_that_is_up_is_neither_started_again_nor_stopped(
    command: str, run_daftar: Callable[..., Result], stack: RunningStack
) -> None:
    answer = run_daftar(command)
    assert answer.exit_code == 1
    assert "up already" in answer.output
    assert stack.local_stack.is_fully_up
    document = json.loads(run_daftar("status", "--json").stdout)
    assert document["result"]["local"]["api_url"] == stack.description.api_url


def test_port_of_another_program_is_refused(
    run_daftar: Callable[..., Result], stack: RunningStack, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DAFTAR_LOCAL_DIR", str(tmp_path))
    answer = run_daftar("up")
    assert answer.exit_code == 1
    assert f"port {stack.local_stack.port} is taken" in answer.output


def test_status_says_where_it_is_and_what_waits(
    run_daftar: Callable[..., Result], stack: RunningStack
) -> None:
    answer = run_daftar("status")
    assert stack.description.api_url in answer.output
    assert "waiting to be sent" in answer.output
    # Other tests leave messages that failed for good, and SMS that are held.
    document = json.loads(run_daftar("status", "--json").stdout)
    assert document["ok"] is (document["result"]["problems"] == [])


def test_status_of_a_stack_that_is_down_says_how_to_start_it(
    run_daftar: Callable[..., Result], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DAFTAR_LOCAL_DIR", str(tmp_path))
    answer = run_daftar("status")
    assert answer.exit_code == 1
    assert "daftar up" in answer.output


def test_lines_that_are_refused_are_counted_by_their_code(
    run_daftar: Callable[..., Result], tmp_path: Path
) -> None:
    captures = tmp_path / "van-1.jsonl"
    captures.write_text("{\n{\n")
    answer = run_daftar("register", captures)
    assert answer.exit_code == 1, answer.output
    assert f"{captures}:2: The body is not well-formed JSON. (json_malformed)\n" in answer.stdout
    assert answer.stderr.endswith("Error: 2 of 2 lines were not registered\n")


def test_each_invalid_field_of_a_refused_line_is_named_and_the_other_lines_are_registered(
    run_daftar: Callable[..., Result], tmp_path: Path
) -> None:
    good = make_capture_payload(capture_id=make_capture_id(7_000_001))
    bad = make_capture_payload(
        capture_id=make_capture_id(7_000_002), worker={"nik": "317107", "birth_date": "1985-04-12"}
    )
    captures = tmp_path / "van-1.jsonl"
    captures.write_text("".join(f"{json.dumps(body)}\n" for body in (bad, good)))

    answer = run_daftar("register", captures, "--json")

    assert answer.exit_code == 1, answer.output
    result = json.loads(answer.stdout)["result"]
    assert sum(result["outcomes"]["van-1"].values()) == 2
    [failed] = result["failed_lines"]
    assert (failed["file"], failed["line"]) == (str(captures), 1)
    assert ("worker.nik", "nik_length") in [(each["field"], each["code"]) for each in failed["fields"]]
    assert "317107" not in answer.output


def test_a_file_without_captures_is_wrong_use(run_daftar: Callable[..., Result], tmp_path: Path) -> None:
    captures = tmp_path / "van-1.jsonl"
    captures.write_bytes(b"\n\xef\xbb\xbf\n")
    answer = run_daftar("register", captures)
    assert (answer.exit_code, "there is no capture in these files" in answer.output) == (2, True)


@pytest.mark.parametrize(
    "content",
    [bytes(range(256)), b"[" * 100_000, b'"\\ud800"', b"{}\x00", '{"a": 1}'.encode("utf-16")],
    ids=["binary", "nested", "half a character", "NUL", "UTF-16"],
)
def test_a_hostile_file_is_refused_line_by_line(
    content: bytes, run_daftar: Callable[..., Result], tmp_path: Path
) -> None:
    captures = tmp_path / "[bold]van-1.jsonl"
    captures.write_bytes(content)
    answer = run_daftar("register", captures)
    assert answer.exit_code == 1
    assert f"{captures}:1: " in answer.stdout
    assert "Traceback" not in answer.output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("summary", "gone-2024", "2024-10-09"), "campaign_unknown"),
        (("roll-up", "gone-2024"), "campaign_unknown"),
        (("export", "gone-2024", "2024-10-09"), "campaign_unknown"),
        (("sms", "release", "gone-2024"), "campaign_unknown"),
        (("clients", "rotate", "gone-1"), "client_unknown"),
        (("clients", "revoke", "gone-1"), "client_unknown"),
        (("clients", "enrol", "gone-1", "--role", "manager"), "body_invalid"),
        (("clients", "enrol", "van-1", "--role", "kiosk", "--campaign", "*"), "client_exists"),
        (("summary", "tanah-abang-2024", "2024-10-11"), "day_not_in_campaign"),
        (("roll-up", "tanah-abang-2024", "--to", "9999-12-31"), "day_not_in_campaign"),
        (("export", "tanah-abang-2024", "--from", "2024-10-08", "--to", "2024-10-09"), "day_not_in_campaign"),
        (("dead-letters", "show", "ReceiptsDeadLetters", "gone"), "message_unknown"),
        (("dead-letters", "redrive", "ReceiptsDeadLetters", "gone"), "message_unknown"),
        (("dead-letters", "drop", "ReceiptsDeadLetters", "gone", "--yes"), "message_unknown"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else value,
)
def test_what_does_not_exist_is_an_error_in_one_english_line(
    arguments: tuple[str, ...], code: str, run_daftar: Callable[..., Result]
) -> None:
    answer = run_daftar(*arguments, "--json")

    assert answer.exit_code == 1, answer.output
    document = json.loads(answer.stdout)
    assert (document["ok"], document["error"]["code"]) == (False, code)
    assert answer.stderr == f"Error: {document['error']['message']}\n"
    assert "{" not in answer.stderr


def test_a_manager_without_a_campaign_keeps_the_id_free(run_daftar: Callable[..., Result]) -> None:
    refused = run_daftar("clients", "enrol", "branch-9", "--role", "manager")
    assert refused.exit_code == 1
    assert "campaigns: Name the campaigns that it works for, or * for every campaign." in refused.stderr

    enrolled = run_daftar("clients", "enrol", "branch-9", "--role", "manager", "--campaign", "later-2030")
    assert enrolled.exit_code == 0, enrolled.output
    assert enrolled.stderr == "Warning: there is no campaign later-2030 yet\n"


def test_every_command_that_reads_prints_one_json_object(
    run_daftar: Callable[..., Result], stack: RunningStack
) -> None:
    for name in ("status", "messages", "mails", "clients list", "sms status", "dead-letters list"):
        answer = run_daftar(*name.split(), "--json")
        assert answer.exit_code == 0, answer.output
        document = json.loads(answer.stdout)
        assert (document["ok"], document["error"]) == (True, None)
        assert tuple(document["result"]) == COMMANDS[name].json_fields


def test_captures_are_sent_as_the_client_that_is_asked_for(
    run_daftar: Callable[..., Result], tmp_path: Path
) -> None:
    captures = tmp_path / "captures.jsonl"
    captures.write_text("{}\n")
    assert "role_not_allowed" in run_daftar("register", "--as", "manager", captures).output
    assert "no client 'van-9'" in run_daftar("register", "--as", "van-9", captures).output


def test_days_are_counted_and_shown(run_daftar: Callable[..., Result], stack: RunningStack) -> None:
    example = stack.send("manager", "GET", f"/v1/campaigns/{stack.description.campaign_id}").json()
    stack.send("manager", "POST", "/v1/campaigns", example | {"campaign_id": "command-line"})
    counted = run_daftar("roll-up", "command-line")
    assert counted.exit_code == 0, counted.output
    assert "2024-10-09" in counted.output
    assert "2024-10-10" in counted.output
    for days in (("2024-10-10",), ("--from", "2024-10-10"), ("--from", "2024-10-10", "--to", "2024-10-10")):
        some = run_daftar("roll-up", "command-line", *days)
        assert some.exit_code == 0, some.output
        assert "2024-10-09" not in some.output
        assert "2024-10-10" in some.output
    shown = run_daftar("summary", "command-line", "2024-10-09")
    assert shown.exit_code == 0, shown.output
    assert "captures" in shown.output


def test_day_outside_the_campaign_is_refused_without_a_traceback(
    run_daftar: Callable[..., Result], stack: RunningStack
) -> None:
    answer = run_daftar("summary", stack.description.campaign_id, "2024-10-11")
    assert answer.exit_code == 1
    assert "has the days 2024-10-09 to 2024-10-10, not 2024-10-11" in answer.output
    assert "Traceback" not in answer.output


def test_doctor_finds_the_keys_and_the_admin_of_a_local_stack(run_daftar: Callable[..., Result]) -> None:
    document = json.loads(run_daftar("doctor", "--json").stdout)
    found = {each["check"]: each["is_ok"] for each in document["result"]["checks"]}
    assert (found["keys"], found["admins"]) == (True, True)


def test_messages_are_shown_as_they_were_received(run_daftar: Callable[..., Result]) -> None:
    assert run_daftar("messages").exit_code == 0


def test_a_client_is_enrolled_given_a_new_token_and_revoked(
    run_daftar: Callable[..., Result], stack: RunningStack
) -> None:
    def status_with(token: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return httpx.get(f"{stack.description.api_url}/v1/campaigns", headers=headers).status_code

    enrolled = run_daftar("clients", "enrol", "cli-1", "--role", "manager", "--campaign", "*")
    assert enrolled.exit_code == 0, enrolled.output
    first = enrolled.output.split()[-1]
    assert status_with(first) == 200

    rotated = run_daftar("clients", "rotate", "cli-1", "--overlap-hours", 1)
    assert rotated.exit_code == 0, rotated.output
    second = rotated.output.split()[-1]
    assert (status_with(first), status_with(second)) == (200, 200)

    unused = run_daftar("clients", "rotate", "cli-1").output.split()[-1]
    assert run_daftar("clients", "revoke", "cli-1").exit_code == 0
    # The gateway keeps what the authorizer said of a token for a minute; this one it was never asked about.
    assert status_with(unused) == 401

    listed = run_daftar("clients", "list").output
    assert "cli-1" in listed
    assert not [token for token in (first, second, unused) if token in listed]
    refused = run_daftar("clients", "rotate", "cli-1")
    assert (refused.exit_code, "client_revoked" in refused.output) == (1, True)
