"""The app behind Chalice's test client: real services and the real authorizer; every table is on moto."""

import gzip
import io
import json
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from chalice.local import LambdaContext
from chalice.test import Client, HTTPResponse

from chalicelib import observability
from chalicelib.callers import Channel, Role
from chalicelib.campaigns.model import Campaign
from chalicelib.clients.schemas import EnrolClient
from chalicelib.http.headers import SECURITY_HEADERS
from infra.api_functions import find_function
from ops.fake_sms.inbox import Inbox
from ops.fake_sms.server import FakeSmsServer
from ops.odk.xform import write_xform
from ops.openapi.page import write_page
from ops.project import LOOPBACK
from tests.support.app_loader import get_shared_session, load_app
from tests.support.gateway_answers import make_gateway_answer
from tests.support.moto_snapshots import Snapshot, get_moto_client, list_stored_items
from tests.support.moto_tables import read_table_definitions
from tests.support.openapi import find_undocumented
from tests.support.payloads import make_campaign_payload
from tests.support.role_guard import RoleBoundClients

SMS_ENDPOINT = "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2"
LAMBDA_TIMEOUT_MS = 900_000
# Routes whose answers hold nothing personal and are the same for everybody.
CACHEABLE_ROUTES = re.compile(
    r"/docs|/v1/openapi\.json|/v1/occupations|/v1/campaigns/[^/]+/bundle|/(?:app|console)(/.+)?"
)
FAR_FUTURE = "2999-12-31"  # The tests use the real clock, and the campaign must not close.

CLIENTS: dict[str, dict[str, Any]] = {
    "kiosk": {"client_id": "van-1", "roles": [Role.KIOSK], "channel": Channel.VAN},
    "kiosk elsewhere": {"client_id": "senen-1", "roles": [Role.KIOSK], "campaigns": ["senen-2024"]},
    "kiosk anywhere": {"client_id": "van-9", "roles": [Role.KIOSK], "campaigns": ["*"]},
    "bot": {"client_id": "whatsapp", "roles": [Role.BOT]},
    "manager": {"client_id": "branch-office", "roles": [Role.MANAGER], "campaigns": ["*"]},
    "manager here": {"client_id": "van-manager", "roles": [Role.MANAGER]},
    "core": {"client_id": "membership", "roles": [Role.CORE], "campaigns": ["*"]},
    "viewer": {"client_id": "wall-screen", "roles": [Role.VIEWER]},
    "admin": {"client_id": "head-office", "roles": [Role.ADMIN], "campaigns": ["*"]},
}


def assert_documented(method: str, path: str, response: HTTPResponse) -> None:
    """Fail unless the OpenAPI document describes the response."""
    is_compressed = response.headers.get("Content-Encoding") == "gzip"
    problems = find_undocumented(
        method,
        path,
        status=response.status_code,
        headers=response.headers,
        body=gzip.decompress(response.body) if is_compressed else response.body,
    )
    assert problems == [], f"{method} {path}: {response.body[:500]!r}"


def assert_protected(method: str, path: str, response: HTTPResponse) -> None:
    """Fail unless the response has the security headers: every edge test checks every answer that it gets."""
    missing = [name for name in SECURITY_HEADERS if name not in response.headers]
    assert missing == [], f"{method} {path}"
    may_be_kept = response.headers["Cache-Control"] != "no-store"
    assert not may_be_kept or CACHEABLE_ROUTES.fullmatch(path.partition("?")[0]), f"{method} {path}"
    if response.headers.get("Content-Type", "").startswith("text/html"):
        assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"], f"{method} {path}"


def _list_functions(method: str, path: str) -> list[str]:
    """Return the functions that answer a request for a path: a token in a path is no authorizer's."""
    return [find_function(method, path), *([] if path.startswith("/odk/") else ["AuthorizeCaller"])]


class Edge:
    """The app with clients of every role. Sends requests and invokes functions, as their roles allow."""

    def __init__(self) -> None:
        self.tokens: dict[str, str] = {}
        self.denied: list[tuple[str, str]] = []
        self.restart()

    def restart(self) -> None:
        """Replace the app by a new one, which reads the environment again."""
        self._aws = RoleBoundClients(get_shared_session(), self.denied)
        self.app, self.container = load_app(aws=self._aws)
        self._client = Client(self.app)

    def send(
        self, method: str, path: str, body: Any = b"", *, caller: str | None = "kiosk", **headers: str
    ) -> HTTPResponse:
        """Send a request as an enrolled client, or without a token if `caller` is None.

        A body that is not bytes is sent as JSON. Headers are keywords: `Accept_Language="en"`.
        """
        sent_headers = {name.replace("_", "-").lower(): value for name, value in headers.items()}
        if caller is not None:
            sent_headers["authorization"] = f"Bearer {self.tokens[caller]}"
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        if raw:
            sent_headers.setdefault("content-type", "application/json")
        with self._aws.run_as(*_list_functions(method, path.partition("?")[0])):
            response = self._client.http.request(method, path, headers=sent_headers, body=raw)
        # Chalice's client refuses in place of API Gateway, with responses that no caller gets.
        if response.status_code in {401, 403} and "X-Correlation-Id" not in response.headers:
            return make_gateway_answer("UNAUTHORIZED" if response.status_code == 401 else "ACCESS_DENIED")
        assert_documented(method, path, response)
        assert_protected(method, path, response)
        return response

    def send_behind_gateway(self, event: dict[str, Any]) -> dict[str, Any]:
        """Send an event of API Gateway, which has asked no authorizer. Return the function's answer."""
        context = LambdaContext("api_handler", memory_size=512, max_runtime_ms=LAMBDA_TIMEOUT_MS)
        with self._aws.run_as(find_function(event["httpMethod"], event["path"])):
            answer: dict[str, Any] = self.app(event, context)
        return answer

    def register(self, capture: Any, *, caller: str = "kiosk", **headers: str) -> HTTPResponse:
        """Send a capture."""
        return self.send("POST", "/v1/registrations", capture, caller=caller, **headers)

    def enrol(self, name: str, client: dict[str, Any]) -> None:
        """Enrol a client under a name for the test and record a call, so that no request stores one."""
        self._enrol(name, EnrolClient.model_validate({"campaigns": ["tanah-abang-2024"], **client}))

    def enrol_unchecked(self, name: str, client: dict[str, Any]) -> None:
        """Enrol a client as one was before its roles were refused together; it keeps them."""
        self._enrol(name, EnrolClient.model_construct(channel=Channel.OFFICE, **client))

    def _enrol(self, name: str, command: EnrolClient) -> None:
        enrolled, token = self.container.clients.enrol(command)
        self.container.last_seen.record_call(enrolled, token)
        self.container.token_uses.record_call(enrolled.client_id, LOOPBACK)
        self.tokens[name] = token

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke a function with an event, without the three-second limit of Chalice's client."""
        context = LambdaContext(function, memory_size=512, max_runtime_ms=LAMBDA_TIMEOUT_MS)
        with self._aws.run_as(function.title().replace("_", "")):
            return self.app.handler_map[function](event, context)


def create_bucket(name: str) -> None:
    """Create a bucket of the stage."""
    boto3.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-north-1"}
    )


def _create_campaign_and_clients() -> dict[str, str]:
    """Create the campaign at Pasar Tanah Abang and a client for every role. Return their tokens."""
    edge = Edge()
    create_bucket("photos")
    edge.container.campaigns.open(Campaign.model_validate(make_campaign_payload(accepts_until=FAR_FUTURE)))
    for name, client in CLIENTS.items():
        edge.enrol(name, client)
    return edge.tokens


# After some minutes a request would record the client's last call.
_MARKET_SNAPSHOT = Snapshot(("dynamodb", "s3"), _create_campaign_and_clients, max_age_seconds=300)


@pytest.fixture(scope="session", autouse=True)
def _made_files() -> None:
    """Write the page of `GET /docs` and the form for ODK Collect, as packaging does."""
    write_page()
    write_xform()


@pytest.fixture
def edge(moto_stage: None) -> Iterator[Edge]:
    """Yield the app with the campaign at Pasar Tanah Abang and a client for every role.

    Fail if a function did what its role does not allow, even if it went on without.
    """
    edge = Edge()
    restore_market(edge)
    yield edge
    assert edge.denied == []


def restore_market(edge: Edge) -> None:
    """Bring the stage back to the campaign and the clients, without registrations."""
    edge.tokens |= _MARKET_SNAPSHOT.restore()


@pytest.fixture
def low_phone_cap(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the limits of a phone number: flagged after one registration a day, refused after three."""
    monkeypatch.setenv("DAFTAR_PHONE_DAILY_FLAG", "1")
    monkeypatch.setenv("DAFTAR_PHONE_DAILY_CAP", "3")
    edge.restart()


@pytest.fixture
def gateway(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeSmsServer]:
    """Run the fake SMS gateway."""
    with FakeSmsServer(0, Inbox(tmp_path / "sms.jsonl")) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv(SMS_ENDPOINT, server.url)
        yield server
        server.shutdown()
        thread.join()


class LogOutput:
    """Collects log lines and metrics of the functions, as CloudWatch gets them."""

    def __init__(self, lines: io.StringIO, metrics: Any) -> None:
        self._lines = lines
        self._metrics = metrics
        self._printed_metrics = ""

    @property
    def text(self) -> str:
        """Return all output as text."""
        self._printed_metrics += self._metrics.readouterr().out
        return self._lines.getvalue() + self._printed_metrics

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Return the log lines, oldest first."""
        return [json.loads(line) for line in self._lines.getvalue().splitlines()]

    @property
    def metrics(self) -> list[dict[str, Any]]:
        """Return the metrics, oldest first."""
        return [json.loads(line) for line in self.text.splitlines() if line.startswith('{"_aws"')]


@pytest.fixture
def log_output(capsys: pytest.CaptureFixture[str]) -> Iterator[LogOutput]:
    """Collect the log lines and metrics of the test."""
    handler = observability.logger.registered_handler
    assert isinstance(handler, logging.StreamHandler)
    lines = io.StringIO()
    previous = handler.setStream(lines)
    yield LogOutput(lines, capsys)
    handler.setStream(previous)


def read_tables() -> str:
    """Return every item of every table as text: whatever is readable in it is readable here."""
    return json.dumps([list_stored_items(table) for table in read_table_definitions()], default=repr)


def dump_stored_state(*, without: str = "") -> str:
    """Return every item of every table but one, and the counts of the notifications queue, as JSON."""
    sqs = get_moto_client("sqs")
    state: dict[str, Any] = {
        table: sorted(
            json.dumps(item, sort_keys=True, default=lambda value: value.hex())
            for item in list_stored_items(table)
        )
        for table in read_table_definitions()
        if table != without
    }
    url = sqs.get_queue_url(QueueName="notifications")["QueueUrl"]
    state["queue"] = sqs.get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return json.dumps(state, indent=1)


def assert_problem(response: HTTPResponse, status: int, code: str) -> dict[str, Any]:
    """Return the problem document of a refusal. Check its status, code and the fields of all refusals."""
    problem: dict[str, Any] = response.json_body
    assert (response.status_code, problem.get("code")) == (status, code), response.body
    assert response.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == status
    assert problem["type"] == "about:blank"
    assert problem["title"]
    assert "Traceback" not in response.body.decode()
    assert set(problem) <= {"type", "code", "title", "status", "errors", "request_id"}
    return problem
