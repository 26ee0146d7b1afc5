"""Commands that call the API of a stage on AWS, with the one token of whoever runs them."""

import json
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from click.testing import CliRunner

from ops.cli import main
from ops.http_server import RequestHandler
from ops.project import LOOPBACK
from tests.ops.command_lines import CAPTURES, run_daftar
from tests.ops.local_programs import make_outputs
from tests.support.http_server import serve_in_background

KNOWN_CAMPAIGN = "tanah-abang-2024"


class _Stage(RequestHandler):
    """A stage on AWS with one campaign: its stack, its table of campaigns, and its API."""

    registered_by: list[str | None] = []  # noqa: RUF012 - one server for each test
    may_read_tables = True

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        if "/v1/clients" in self.path:
            first = {"clients": [make_client("a")], "cursor": "a b&c"}
            last = {"clients": [make_client("b")], "cursor": None}
            self._answer(last if query.get("cursor") == ["a b&c"] else first)
        elif "/v1/audit" in self.path:
            assert query["subject"] == ["client:van-9"]
            self._answer({"records": [], "cursor": None if "cursor" in query else "2"})
        else:
            self._answer({})

    def do_POST(self) -> None:
        body = self.read_body().decode()
        if parse_qs(body).get("Action") == ["DescribeStacks"]:
            self.send(200, "text/xml", describe_stack(f"http://{self.headers['Host']}").encode())
        elif "GetItem" in self.headers.get("X-Amz-Target", ""):
            self._get_campaign(body)
        elif self.path.endswith("/v1/registrations"):
            self.registered_by.append(self.headers["Authorization"])
            self._answer({"outcome": "created"})
        else:
            self._answer({"token": "daftar_new", "expires_at": "2027-01-01T00:00:00Z"})

    def _get_campaign(self, body: str) -> None:
        if not self.may_read_tables:
            self._answer({"__type": "AccessDeniedException", "message": "no"}, status=400)
        elif KNOWN_CAMPAIGN in body:
            days = {"first_day": {"S": "2024-10-09"}, "last_day": {"S": "2024-10-11"}}
            self._answer({"Item": days})
        else:
            self._answer({})

    def _answer(self, document: dict[str, Any], status: int = 200) -> None:
        self.send(status, "application/json", json.dumps(document).encode())


def make_client(client_id: str) -> dict[str, Any]:
    times = dict.fromkeys(("expires_at", "last_seen_at", "revoked_at"))
    return {"client_id": client_id, "roles": [], "campaigns": [], **times}


def describe_stack(url: str) -> str:
    outputs = "".join(
        f"<member><OutputKey>{name}</OutputKey><OutputValue>{value}</OutputValue></member>"
        for name, value in make_outputs(url).items()
    )
    facts = "<CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>CREATE_COMPLETE</StackStatus>"
    stack = f"<StackName>daftar-prod</StackName>{facts}<Outputs>{outputs}</Outputs>"
    return f"<R><DescribeStacksResult><Stacks><member>{stack}</member></Stacks></DescribeStacksResult></R>"


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[_Stage]]:
    class Stage(_Stage):
        registered_by: list[str | None] = []  # noqa: RUF012 - of this test

    with serve_in_background(ThreadingHTTPServer((LOOPBACK, 0), Stage)) as url:
        for service in ("CLOUDFORMATION", "DYNAMODB"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        monkeypatch.setenv("DAFTAR_TOKEN", "daftar_given")
        yield Stage


def test_captures_are_sent_in_order_as_the_client_of_the_token_whatever_the_files_are_called(
    stage: type[_Stage],
) -> None:
    count = len(CAPTURES.read_bytes().splitlines())
    result = run_daftar(
        "register", str(CAPTURES.with_name("van-1.jsonl")), "--stack", "daftar-prod", "--json"
    )

    assert result.exit_code == 0, result.output
    assert [*json.loads(result.stdout)["result"]["outcomes"]] == ["DAFTAR_TOKEN"]
    assert len(stage.registered_by) > count
    assert set(stage.registered_by) == {"Bearer daftar_given"}


def test_no_other_client_can_be_chosen_than_that_of_the_token(stage: type[_Stage]) -> None:
    result = run_daftar("register", "--as", "van-1", "--stack", "daftar-prod")

    assert result.exit_code == 2
    assert "DAFTAR_TOKEN is one client's" in result.stderr
    assert stage.registered_by == []


@pytest.mark.parametrize(
    ("campaign", "may_read_tables", "warnings"),
    [
        (KNOWN_CAMPAIGN, True, []),
        ("tanah-abang", True, ["Warning: there is no campaign tanah-abang yet"]),
        (
            *(KNOWN_CAMPAIGN, False),
            [f"Warning: {KNOWN_CAMPAIGN}: the AWS credentials do not permit GetItem (AccessDeniedException)"],
        ),
    ],
    ids=["known", "mistyped", "not to be looked up"],
)
def test_a_client_for_a_campaign_that_does_not_exist_is_enrolled_with_a_warning(
    campaign: str, may_read_tables: bool, warnings: list[str], stage: type[_Stage]
) -> None:
    stage.may_read_tables = may_read_tables
    line = ("van-9", "--role", "kiosk", "--campaign", campaign)
    result = CliRunner().invoke(main, ["clients", "enrol", *line, "--stack", "daftar-prod"])

    assert result.exit_code == 0, result.output
    assert "daftar_new" in result.stdout
    assert result.stderr.splitlines() == warnings


@pytest.mark.parametrize(
    ("command", "key", "count"), [("clients list", "clients", 2), ("audit", "records", 0)]
)
def test_a_list_of_several_pages_is_shown_as_one(
    command: str, key: str, count: int, stage: type[_Stage]
) -> None:
    result = run_daftar(command, "--stack", "daftar-prod", "--json")

    assert result.exit_code == 0, result.output
    assert len(json.loads(result.stdout)["result"][key]) == count
