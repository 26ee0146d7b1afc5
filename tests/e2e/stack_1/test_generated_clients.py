"""Clients generated from the description that the deployed stack serves register a worker on it."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.generated_clients import (
    NODE_MODULES,
    PROGRAMS,
    build_typescript_program,
    generate_python_client,
    run_program,
)
from tests.support.isolated_campaign import open_market
from tests.support.payloads import make_nik
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.e2e

# A district of NIKs that no other test uses.
_DISTRICT = "940305"


@pytest.fixture
def document(stack: RunningStack, tmp_path: Path) -> Path:
    """Return a file with the description as the stack serves it."""
    file = tmp_path / "openapi.json"
    url = f"{stack.description.api_url}/v1/openapi.json"
    file.write_bytes(httpx.get(url, trust_env=False).raise_for_status().content)
    return file


@pytest.fixture
def python_command(document: Path, tmp_path: Path) -> list[str]:
    """Return the command of the Python program, with a client generated beside it."""
    generate_python_client(document, tmp_path)
    shutil.copy(PROGRAMS / "register_worker.py", tmp_path)
    return [sys.executable, "register_worker.py"]


@pytest.fixture
def typescript_command(document: Path, tmp_path: Path) -> list[str]:
    """Return the command of the TypeScript program, checked against the generated types."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are not installed: the TypeScript client needs both")
    assert NODE_MODULES.exists(), "make .node/.ready"
    return ["node", str(build_typescript_program(document, tmp_path))]


@pytest.mark.parametrize("language", ["python", "typescript"])
def test_a_generated_client_registers_a_worker_and_reads_a_refusal(
    stack: RunningStack, request: pytest.FixtureRequest, tmp_path: Path, language: str
) -> None:
    command = request.getfixturevalue(f"{language}_command")
    campaign_id = open_market(stack).campaign_id
    nik = make_nik({"python": 7001, "typescript": 7002}[language], district_code=_DISTRICT)

    def register(nik: str, *, client: str = "kiosk", expected_status: int = 0) -> Any:
        token = stack.description.find_token(client)
        environment = {"DAFTAR_URL": stack.description.api_url, "DAFTAR_TOKEN": str(token)}
        output = run_program(
            [*command, campaign_id, nik],
            tmp_path,
            environment=environment,
            expected_status=expected_status,
        )
        return json.loads(output)

    created = register(nik)
    again = register(nik)
    refused = register(nik[:-1], expected_status=1)
    forbidden = register(nik, client="manager", expected_status=1)

    assert (created["outcome"], created["status"]) == ("created", "received")
    assert again == {**created, "outcome": "already_registered"}
    registration = stack.send("manager", "GET", f"/v1/registrations/{created['reference']}").json()
    assert registration["campaign_id"] == campaign_id
    assert refused["code"] == "rules_broken"
    (error,) = refused["errors"]
    assert (error["field"], error["code"]) == ("worker.nik", "nik_length")
    assert error["message"].startswith("A NIK has 16 digits.")
    assert forbidden == {"code": "role_not_allowed", "errors": []}
