"""`daftar deploy` in an empty AWS: a new stage, again without a change, and with one changed parameter."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import boto3
import httpx
import pytest
from click.testing import CliRunner

from chalicelib.clock import utc_now
from ops.api_client import ApiClient
from ops.cli import main
from ops.deploy.stage_record import find_recorded_stage, make_api_url
from ops.deploy.stages import find_stage, make_client_factory
from ops.local.emulator import Emulator
from ops.local.processes import Program
from ops.local.stack import start_fake
from ops.project import LOOPBACK, REGION, ROOT
from ops.restore.copies import ScannedCopies
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik
from tests.support.polling import wait_until

pytestmark = pytest.mark.e2e


class Operator:
    """Somebody with rights in the account, who has nothing but the command."""

    def __init__(self, aws_url: str, gateway_url: str) -> None:
        self.gateway_url = gateway_url
        self._environment = {
            **os.environ,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": aws_url,
            "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": gateway_url,
        }

    def list_sms(self) -> list[dict[str, Any]]:
        """Return the SMS that the stage has sent."""
        sms_list: list[dict[str, Any]] = httpx.get(f"{self.gateway_url}/messages", trust_env=False).json()
        return sms_list

    def use_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let commands that run in this process, under the rights of an operator, find the account."""
        for name, value in self._environment.items():
            monkeypatch.setenv(name, value)

    def run(self, *arguments: str, token: str = "") -> dict[str, Any]:
        """Run `daftar` and return the result. Fail with its errors."""
        completed = subprocess.run(
            [sys.executable, "-m", "ops.cli", *arguments, "--json"],
            cwd=ROOT,
            env=self._environment | {"DAFTAR_TOKEN": token},
            check=False,
            capture_output=True,
            text=True,
        )
        assert completed.returncode == 0, completed.stdout + completed.stderr
        result: dict[str, Any] = json.loads(completed.stdout)["result"]
        return result


def make_campaign(today: str) -> dict[str, Any]:
    example = json.loads((ROOT / "examples" / "tanah-abang-2024" / "campaign.json").read_text())
    days = {"first_day": today, "last_day": today, "accepts_until": today}
    return {**example, **days, "campaign_id": "pasar-percobaan"}


@pytest.fixture
def operator(new_stack_location: Callable[[], tuple[int, Path]]) -> Iterator[Operator]:
    """Somebody with an AWS account that has nothing in it."""
    port, home = new_stack_location()
    gateway_url = f"http://{LOOPBACK}:{port + 1}"
    gateway, emulator = Program("fake-sms", home), Emulator(port=port, home=home, sms_url=gateway_url)
    try:
        start_fake(gateway, "ops.fake_sms", port + 1, home / "sms.jsonl")
        emulator.start()
        yield Operator(emulator.url, gateway_url)
    finally:
        emulator.program.stop()
        gateway.stop()


def test_a_stage_is_deployed_from_nothing_registers_and_is_restored_in_place_and_into_another(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = operator.run("deploy", "--stage", "try", "--yes")
    assert made["stack_name"] == "daftar-try"
    assert made["smoke_campaign"].startswith("smoke-")
    admin = made["admin_token"]

    again = operator.run("deploy", "--stage", "try", "--yes", "--no-smoke-test")
    assert (again["changes"], again["admin_token"]) == ([], None)

    config = tmp_path / "deploy.toml"
    config.write_text("[stages.try.parameters]\nSmsPartsASecond = 77\n")
    changed = operator.run("deploy", "--stage", "try", "--config", str(config), "--yes", "--no-smoke-test")
    assert changed["changes"], "nothing was changed"
    others = [each for each in changed["changes"] if not re.match(r"change \w+, Lambda::Function", each)]
    assert others == []

    # The stage is used through its own API, with clients that its first admin has enrolled.
    def enrol(role: str) -> str:
        client = operator.run("clients", "enrol", f"{role}-1", "--role", role, *campaigns, token=admin)[
            "client"
        ]
        return str(client["token"])

    stack_option = ("--stack", "daftar-try")
    campaigns = ("--campaign", "pasar-percobaan", *stack_option)
    manager, kiosk = enrol("manager"), enrol("kiosk")
    now = datetime.now(ZoneInfo("Asia/Jakarta")) - timedelta(minutes=1)
    with closing(ApiClient(made["api_url"], manager)) as api:
        opened = api.send("POST", "/v1/campaigns", json.dumps(make_campaign(str(now.date()))))
    assert opened.status_code == 201, opened.text
    capture = make_capture_payload(
        campaign_id="pasar-percobaan",
        captured_at=now.isoformat(timespec="seconds"),
        consent={"given_at": now.isoformat(timespec="seconds")},
    )
    file = tmp_path / "captures.jsonl"
    file.write_text(json.dumps(capture) + "\n")
    operator.run("register", str(file), *stack_option, token=kiosk)
    [summary] = operator.run("roll-up", "pasar-percobaan", *stack_option, token=manager)["summaries"]
    assert summary["counts"]["created"] == 1
    wait_until("the worker's SMS", lambda: len(operator.list_sms()) == 1)

    # It is restored, with other workers; a drill fails by its exit status if anything is not as it should be.
    assert operator.run("status", *stack_option)["problems"] == []
    drill = operator.run("restore", "--drill", "--workers", "20", *stack_option)
    assert (drill["lost_captures"], drill["erasures"]) == (1, 2), "the erasure of the smoke test is repeated"
    phones = [sms["to"] for sms in operator.list_sms()]
    twice = {phone for phone in phones if phones.count(phone) > 1}
    assert len(twice) == 1, "only the worker whose capture was lost was told again, under a new reference"

    operator.use_environment(monkeypatch)
    refill(operator, capture, file, manager, kiosk)


def refill(operator: Operator, capture: dict[str, Any], file: Path, manager: str, kiosk: str) -> None:
    """Restore the stage into another one, and leave it as it is."""
    moment, old = utc_now(), find_stage("daftar-try")
    ScannedCopies().take(old, moment)
    with closing(ApiClient(make_api_url(old), kiosk)) as api:
        reference = api.send("POST", "/v1/registrations", json.dumps(capture)).json()["reference"]
    path = f"/v1/registrations/{reference}"
    with closing(ApiClient(make_api_url(old), manager)) as api:
        shown = api.send("GET", path).json()["worker"]
    later = {**capture, "capture_id": make_capture_id(2), "device_sequence": 2}
    later["worker"] = {**capture["worker"], "nik": make_nik(2), "phone": None}
    file.write_text(json.dumps(later) + "\n")
    operator.run("register", str(file), "--stack", "daftar-try", token=kiosk)
    recorded = find_recorded_stage("daftar-try", file.parent, make_client_factory(boto3.Session()))
    assert recorded is not None, "nothing outlives the stack"
    assert recorded.outputs == old.outputs
    new = operator.run("deploy", "--stage", "try-2", "--empty", "--yes")
    assert (new["admin_token"], new["smoke_campaign"]) == (None, None)
    sent = len(operator.list_sms())

    line = ("restore", "--at", moment.isoformat(), "--stack", "daftar-try", "--into", "daftar-try-2", "--yes")
    filled = run_here(*line)

    assert {"client_id": "kiosk-1", "first": 2, "last": 2} in filled["resend"]
    assert filled["erasures"] == 2
    new_stack = ("--stack", "daftar-try-2")
    with closing(ApiClient(new["api_url"], manager)) as api:
        assert read_concurrency("daftar-try-2") == 0, "it is open already"
        run_here("restore", "--open", *new_stack)
        assert read_concurrency("daftar-try-2") is None
        found = api.send("GET", path)
    assert found.json()["worker"] == shown, "what is sealed was not opened"
    day = capture["captured_at"][:10]
    [summary] = operator.run("roll-up", "pasar-percobaan", day, *new_stack, token=manager)["summaries"]
    assert summary["counts"]["created"] == 1
    assert operator.run("sms", "status", *new_stack)["is_stopped"]
    assert len(operator.list_sms()) == sent
    assert operator.run("status", "--stack", "daftar-try")["problems"] == [], "the old stage goes on"
    again = CliRunner().invoke(main, [*line, "--json"])
    assert json.loads(again.stdout)["error"]["code"] == "stage_not_empty"


def read_concurrency(stack: str) -> int | None:
    """Return how many calls of the API may run at once, None for any. The emulator's API goes past this."""
    stage = find_stage(stack)
    found = stage.aws_client("lambda").get_function_concurrency(FunctionName=stage.outputs["APIHandlerName"])
    concurrency: int | None = found.get("ReservedConcurrentExecutions")
    return concurrency


def run_here(*arguments: str) -> dict[str, Any]:
    """Run `daftar` in this process, where it has an operator's rights only, and return the result."""
    completed = CliRunner().invoke(main, [*arguments, "--json"])
    assert completed.exit_code == 0, completed.output
    result: dict[str, Any] = json.loads(completed.stdout)["result"]
    return result
