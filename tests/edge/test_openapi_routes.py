"""The public routes: the API's description, its page and the health check; and the description's examples."""

import json
import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest

from chalicelib.callers import Role
from ops.openapi.examples import load_examples
from ops.project import ROOT
from tests.edge.conftest import Edge, LogOutput, dump_stored_state
from tests.support.scenario import Scenario, ScenarioResponse

FILES = {"/v1/openapi.json": "openapi.json", "/docs": "page.html"}
PUBLIC_PATHS = [*FILES, "/healthz"]


@pytest.mark.parametrize("path", FILES)
def test_the_description_needs_no_token_and_stores_nothing(edge: Edge, path: str) -> None:
    before = dump_stored_state()

    response = edge.send("GET", path, caller=None)

    assert response.status_code == 200
    assert response.body == (ROOT / "chalicelib" / "http" / FILES[path]).read_bytes()
    assert dump_stored_state() == before


@pytest.mark.parametrize("path", FILES)
def test_an_unchanged_description_is_not_sent_again(edge: Edge, path: str, subtests: pytest.Subtests) -> None:
    etag = edge.send("GET", path, caller=None).headers["ETag"]

    for known in (etag, f"W/{etag}", f'"another", {etag}', "*"):
        with subtests.test(known):
            response = edge.send("GET", path, caller=None, If_None_Match=known)
            assert (response.status_code, response.body) == (304, b"")
            assert response.headers["ETag"] == etag
    for known in ('"another"', etag.strip('"'), ""):
        with subtests.test(known):
            assert edge.send("GET", path, caller=None, If_None_Match=known).status_code == 200


def test_the_page_may_load_nothing_and_run_its_own_script_only(edge: Edge) -> None:
    response = edge.send("GET", "/docs", caller=None)
    policy = response.headers["Content-Security-Policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", response.body.decode(), re.DOTALL)
    script_hash = b64encode(sha256(script.encode()).digest()).decode()

    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline';")
    assert f"script-src 'sha256-{script_hash}';" in policy


def test_the_health_check_answers_ok(edge: Edge) -> None:
    response = edge.send("GET", "/healthz", caller=None)

    assert (response.status_code, response.json_body) == (200, {"status": "ok"})
    assert response.headers["Cache-Control"] == "no-store"


def test_a_stage_without_a_required_setting_is_not_healthy(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAFTAR_KEYS_TABLE")
    edge.restart()

    response = edge.send("GET", "/healthz", caller=None)

    assert (response.status_code, response.json_body["code"]) == (500, "internal_error")


@pytest.mark.parametrize("path", PUBLIC_PATHS)
def test_a_public_request_is_logged_in_one_line_without_a_client(
    edge: Edge, log_output: LogOutput, path: str
) -> None:
    edge.send("GET", path, caller=None, Authorization="Bearer some-token")

    (line,) = log_output.lines
    assert (line["message"], line["route"], line["status"]) == ("request answered", path, 200)
    assert "client_id" not in line
    assert "some-token" not in log_output.text


@pytest.mark.parametrize("path", PUBLIC_PATHS)
def test_a_public_route_ignores_unknown_parameters_and_headers(edge: Edge, path: str) -> None:
    response = edge.send(
        "GET",
        f"{path}?a=%00&a=1",
        caller=None,
        Content_Type="text/plain",
        Accept="image/png",
        Accept_Language="\x00",
    )

    assert response.status_code == 200


def test_every_example_gets_its_documented_response(edge: Edge, subtests: pytest.Subtests) -> None:
    for role in Role:
        edge.enrol(str(role), {"client_id": str(role), "roles": [role], "campaigns": ["*"]})

    def send(caller: str | None, method: str, path: str, body: Any) -> ScenarioResponse:
        edge.tokens |= scenario.tokens
        response = edge.send(method, path, b"" if body is None else body, caller=caller)
        return ScenarioResponse(response.status_code, json.loads(response.body) if response.body else None)

    scenario = Scenario(send)
    for example in load_examples():
        with subtests.test(example.title):
            response = scenario.send_example(example)
            assert response.status == example.status, response.body
            assert scenario.compare_answer(example, response.body) == []
