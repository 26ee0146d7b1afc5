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

import httpx
import pytest

from ops.api_client import ApiClient
from ops.local.emulator import Emulator
from ops.local.processes import Program
from ops.local.stack import start_fake
from ops.project import LOOPBACK, REGION, ROOT
from tests.support.payloads import make_capture_payload
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


def test_a_stage_is_deployed_from_nothing_registers_and_is_changed_only_where_asked(
    operator: Operator, tmp_path: Path
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
