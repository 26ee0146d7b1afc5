"""What a function reaches while it runs alone: the embedded AWS with our tables, queue and keys.

No function is deployed, so none wakes up beside the one that is looked at.
"""

import contextlib
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.deployment import Deployment
from ops.emulator import REGION, ROOT, Emulator
from ops.processes import LOOPBACK, Program, port_is_free
from ops.seeding import provide_keys
from tests.tables import STAGE_ENVIRONMENT, create_tables

BARE_TABLE = "BareTable"
_START_SECONDS = 30


@dataclass(frozen=True)
class Stage:
    """A stage that stands, and the environment that functions find it by."""

    emulator: Emulator
    gateway_url: str
    environment: Mapping[str, str]


@contextlib.contextmanager
def standing(home: Path) -> Iterator[Stage]:
    """A new stage with its data under `home`; the programs behind it are stopped at the end."""
    home.mkdir(parents=True)
    emulator_port, gateway_port = free_ports(2)
    gateway_url = f"http://{LOOPBACK}:{gateway_port}"
    emulator = Emulator(port=emulator_port, home=home, sms_url=gateway_url)
    gateway = Program("SMS stand-in", home)
    try:
        gateway.start(
            [sys.executable, "-m", "ops.gateway", str(gateway_port), home / "texts.jsonl"],
            {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
        )
        gateway.await_health(f"{gateway_url}/healthz", seconds=_START_SECONDS)
        emulator.start()
        yield Stage(emulator, gateway_url, _furnish(emulator, gateway_url))
    finally:
        emulator.program.stop()
        gateway.stop()


def _furnish(emulator: Emulator, gateway_url: str) -> Mapping[str, str]:
    dynamodb = emulator.client("dynamodb")
    create_tables(dynamodb)
    dynamodb.create_table(
        TableName=BARE_TABLE,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    key = emulator.client("kms").create_key()["KeyMetadata"]["Arn"]
    outputs = {"KeysTableName": STAGE_ENVIRONMENT["DAFTAR_KEYS_TABLE"], "FieldKeyArn": key}
    provide_keys(Deployment(stack="alone", outputs=outputs, resources={}), emulator.client)
    return {
        **STAGE_ENVIRONMENT,
        "DAFTAR_FIELD_KEY_ARN": key,
        **{
            f"DAFTAR_{name.upper()}_QUEUE_URL": emulator.client("sqs").create_queue(QueueName=name)[
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


def free_pair() -> int:
    """A port that nobody listens on now, and neither on the one above it."""
    while True:
        [port] = free_ports(1)
        if port_is_free(port + 1):
            return port


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    with contextlib.ExitStack() as probes:
        bound = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in bound:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in bound]
