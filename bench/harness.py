"""What a function reaches while it runs alone: the embedded AWS with our tables, queue and keys.

No function is deployed, so none wakes up beside the one that is looked at.
"""

import contextlib
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.deploy.cloudformation import Deployment
from ops.local.emulator import REGION, ROOT, Emulator
from ops.local.processes import LOOPBACK, Program, is_port_free
from ops.local.seeding import create_missing_keys
from tests.support.moto_tables import STAGE_ENVIRONMENT, create_tables

BARE_TABLE = "BareTable"
_START_SECONDS = 30


@dataclass(frozen=True)
class EmulatorHarness:
    """A stage that stands, and the environment that functions find it by."""

    emulator: Emulator
    gateway_url: str
    environment: Mapping[str, str]


@contextlib.contextmanager
def run_harness(data_dir: Path) -> Iterator[EmulatorHarness]:
    """A new stage with its data under `home`; the programs behind it are stopped at the end."""
    data_dir.mkdir(parents=True)
    emulator_port, gateway_port = find_free_ports(2)
    gateway_url = f"http://{LOOPBACK}:{gateway_port}"
    emulator = Emulator(port=emulator_port, home=data_dir, sms_url=gateway_url)
    gateway = Program("fake-sms", data_dir)
    try:
        gateway.start(
            [sys.executable, "-m", "ops.fake_sms", str(gateway_port), data_dir / "sms.jsonl"],
            {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
        )
        gateway.await_health(f"{gateway_url}/healthz", timeout_seconds=_START_SECONDS)
        emulator.start()
        yield EmulatorHarness(emulator, gateway_url, _create_resources(emulator, gateway_url))
    finally:
        emulator.program.stop()
        gateway.stop()


def _create_resources(emulator: Emulator, gateway_url: str) -> Mapping[str, str]:
    dynamodb = emulator.make_client("dynamodb")
    create_tables(dynamodb)
    dynamodb.create_table(
        TableName=BARE_TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = emulator.make_client("kms").create_key()["KeyMetadata"]["Arn"]
    outputs = {"KeysTableName": STAGE_ENVIRONMENT["DAFTAR_KEYS_TABLE"], "FieldKeyArn": key}
    create_missing_keys(Deployment(stack_name="alone", outputs=outputs, resources={}), emulator.make_client)
    return {
        **STAGE_ENVIRONMENT,
        "DAFTAR_FIELD_KEY_ARN": key,
        **{
            f"DAFTAR_{name.upper()}_QUEUE_URL": emulator.make_client("sqs").create_queue(QueueName=name)[
                "QueueUrl"
            ]
            for name in ("notifications", "reminders")
        },
        "BARE_TABLE": BARE_TABLE,
        "POWERTOOLS_SERVICE_NAME": "daftar",
        "POWERTOOLS_METRICS_NAMESPACE": "Daftar",
        "PYDANTIC_DISABLE_PLUGINS": "__all__",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL": emulator.url,
        "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": gateway_url,
    }


def find_free_port_pair() -> int:
    """A port that nobody listens on now, and neither on the one above it."""
    while True:
        [port] = find_free_ports(1)
        if is_port_free(port + 1):
            return port


def find_free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with contextlib.ExitStack() as probes:
        bound = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in bound:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in bound]
