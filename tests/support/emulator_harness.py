"""The emulator with our tables, queues and keys, and the fake SMS gateway, for a function that runs alone.

No function is deployed, so none runs beside the one under test.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ops.deploy.keys import create_missing_keys
from ops.deploy.stages import Stage
from ops.local.emulator import Emulator
from ops.local.processes import Program
from ops.local.stack import start_fake
from ops.project import LOOPBACK, REGION
from tests.support.moto_tables import STAGE_ENVIRONMENT, create_tables
from tests.support.ports import find_free_stack_port

BARE_TABLE = "BareTable"


@dataclass(frozen=True)
class EmulatorHarness:
    """The running emulator and fake gateway, and the environment variables of functions."""

    emulator: Emulator
    gateway_url: str
    environment: Mapping[str, str]


@contextlib.contextmanager
def run_harness(data_dir: Path) -> Iterator[EmulatorHarness]:
    """Start an emulator and a fake gateway with their data in `data_dir`. Both are stopped at the end."""
    data_dir.mkdir(parents=True)
    emulator_port = find_free_stack_port()
    gateway_port = emulator_port + 1
    gateway_url = f"http://{LOOPBACK}:{gateway_port}"
    emulator = Emulator(port=emulator_port, home=data_dir, sms_url=gateway_url)
    gateway = Program("fake-sms", data_dir)
    try:
        start_fake(gateway, "ops.fake_sms", gateway_port, data_dir / "sms.jsonl")
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
    create_missing_keys(Stage("alone", outputs, emulator.make_client))
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
