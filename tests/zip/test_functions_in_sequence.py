"""The functions from a capture to its summary, each alone; the test passes on what AWS would pass on."""

import json
from pathlib import Path

import httpx
import pytest

from ops.deploy.stages import Stage
from ops.local.seeding import enrol_clients
from tests.support import http_events
from tests.support.aws_events import make_schedule_event, make_sqs_event, make_stream_event, make_token_event
from tests.support.emulator_harness import EmulatorHarness
from tests.support.moto_tables import STAGE_ENVIRONMENT
from tests.support.payloads import make_campaign_payload, make_capture_payload
from tests.zip.conftest import StartFunction

pytestmark = pytest.mark.e2e


def test_a_capture_becomes_an_sms_and_a_summary(
    start_function: StartFunction, emulator_stage: EmulatorHarness
) -> None:
    api = start_function("app.app", emulator_stage.environment)
    assert api.invoke(http_events.make_campaign_event(make_campaign_payload())).value["statusCode"] == 201
    answer = api.invoke(http_events.make_registration_event(make_capture_payload()))
    assert answer.value["statusCode"] == 201, answer
    reference = json.loads(answer.value["body"])["reference"]

    table = STAGE_ENVIRONMENT["DAFTAR_REGISTRATIONS_TABLE"]
    stored = emulator_stage.emulator.make_client("dynamodb").scan(TableName=table)["Items"]
    published = start_function("app.on_registration_changes", emulator_stage.environment).invoke(
        make_stream_event(*stored)
    )
    assert published.value == {"batchItemFailures": []}

    queue = emulator_stage.environment["DAFTAR_NOTIFICATIONS_QUEUE_URL"]
    received = emulator_stage.emulator.make_client("sqs").receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10
    )
    bodies = [message["Body"] for message in received["Messages"]]
    sent = start_function("app.on_notifications", emulator_stage.environment).invoke(make_sqs_event(*bodies))
    assert sent.value == {"batchItemFailures": []}
    [sms] = httpx.get(f"{emulator_stage.gateway_url}/messages").json()
    assert reference in sms["text"]

    counted = start_function("app.roll_up_due_days", emulator_stage.environment).invoke(make_schedule_event())
    assert counted.error is None
    assert counted.value["written"] >= 1


def test_a_valid_token_is_allowed(
    start_function: StartFunction, emulator_stage: EmulatorHarness, tmp_path: Path
) -> None:
    outputs = {"ClientsTableName": STAGE_ENVIRONMENT["DAFTAR_CLIENTS_TABLE"]}
    stage = Stage("alone", outputs, emulator_stage.emulator.make_client)
    tokens = enrol_clients(stage, tmp_path / "tokens.json")
    authorizer = start_function("app.authorize_caller", emulator_stage.environment)
    allowed = authorizer.invoke(make_token_event(f"Bearer {tokens.roles['kiosk']}")).value
    assert allowed["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert allowed["context"]["roles"] == "kiosk"
