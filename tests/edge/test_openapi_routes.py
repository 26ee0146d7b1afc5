"""What the API says of itself to anybody, and its examples sent to it."""

import json
from typing import Any

import pytest

from chalicelib.callers import Role
from ops.openapi.examples import load_examples
from ops.project import ROOT
from tests.edge.conftest import Edge, LogOutput, dump_stored_state
from tests.support.scenario import Scenario, ScenarioResponse

FILES = {"/v1/openapi.json": "openapi.json", "/docs": "page.html"}


@pytest.mark.parametrize("path", FILES)
def test_anybody_may_read_the_description(edge: Edge, path: Any) -> None:
    answer = edge.send("GET", path, caller=None)

    assert answer.status_code == 200
    assert answer.body == (ROOT / "chalicelib" / "http" / FILES[path]).read_bytes()


@pytest.mark.parametrize("path", FILES)
def test_a_copy_that_is_still_right_is_not_sent_again(
    edge: Edge, path: Any, subtests: pytest.Subtests
) -> None:
    tag = edge.send("GET", path, caller=None).headers["ETag"]

    for known in (tag, f"W/{tag}", f'"another", {tag}', "*"):
        with subtests.test(known):
            answer = edge.send("GET", path, caller=None, If_None_Match=known)
            assert (answer.status_code, answer.body) == (304, b"")
            assert answer.headers["ETag"] == tag
    for known in ('"another"', tag.strip('"'), ""):
        with subtests.test(known):
            assert edge.send("GET", path, caller=None, If_None_Match=known).status_code == 200


def test_the_page_may_load_nothing(edge: Edge) -> None:
    policy = edge.send("GET", "/docs", caller=None).headers["Content-Security-Policy"]

    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")


def test_a_health_check_tells_that_the_api_answers_and_no_more(edge: Edge) -> None:
    answer = edge.send("GET", "/healthz", caller=None)

    assert (answer.status_code, answer.json_body) == (200, {"status": "ok"})
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_stage_that_was_told_too_little_is_not_healthy(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DAFTAR_KEYS_TABLE")
    edge.restart()

    answer = edge.send("GET", "/healthz", caller=None)

    assert (answer.status_code, answer.json_body["code"]) == (500, "internal_error")


@pytest.mark.parametrize("path", ["/v1/openapi.json", "/docs", "/healthz"])
def test_a_public_request_is_one_line_in_the_log_that_names_no_caller(
    edge: Edge, log_output: LogOutput, path: str
) -> None:
    edge.send("GET", path, caller=None, Authorization="Bearer of-somebody")

    (line,) = log_output.lines
    assert (line["message"], line["route"], line["status"]) == ("request answered", path, 200)
    assert "client_id" not in line
    assert "of-somebody" not in log_output.text


@pytest.mark.parametrize("path", ["/v1/openapi.json", "/docs", "/healthz"])
def test_a_strange_request_for_what_is_public_is_answered_all_the_same(edge: Edge, path: str) -> None:
    answer = edge.send(
        "GET",
        f"{path}?a=%00&a=1",
        caller=None,
        Content_Type="text/plain",
        Accept="image/png",
        Accept_Language="\x00",
    )

    assert answer.status_code == 200


def test_every_example_is_answered_as_the_description_tells(edge: Edge, subtests: pytest.Subtests) -> None:
    for role in Role:
        edge.enrol(str(role), {"client_id": str(role), "roles": [role], "campaigns": ["*"]})

    def send(by: str | None, method: str, path: str, body: Any) -> ScenarioResponse:
        edge.tokens |= story.tokens
        response = edge.send(method, path, b"" if body is None else body, caller=by)
        return ScenarioResponse(response.status_code, json.loads(response.body) if response.body else None)

    story = Scenario(send)
    for example in load_examples():
        with subtests.test(example.title):
            sent = story.send_example(example)
            assert sent.status == example.status, sent.body
            assert story.compare(example.answer, sent.body) == []


def test_reading_the_description_changes_nothing(edge: Edge) -> None:
    before = dump_stored_state()

    for path in FILES:
        edge.send("GET", path, caller=None)

    assert dump_stored_state() == before
