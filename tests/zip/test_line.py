"""The functions of the line at work, each alone, handing on by our hands what AWS would hand on."""

import json
from pathlib import Path

import httpx
import pytest

from bench import posts
from bench.stage import Stage
from ops.deployment import Deployment
from ops.seeding import enrol_clients
from tests.builders import a_campaign, a_capture
from tests.events import schedule_event, sqs_event, stream_event
from tests.tables import STAGE_ENVIRONMENT
from tests.zip.conftest import Start, token_event

pytestmark = pytest.mark.e2e


def test_a_capture_becomes_a_text_and_a_summary(start: Start, stage: Stage) -> None:
    api = start("app.app", stage.environment)
    assert api.invoke(posts.campaign_post(a_campaign())).value["statusCode"] == 201
    answer = api.invoke(posts.registration_post(a_capture()))
    assert answer.value["statusCode"] == 201, answer
    reference = json.loads(answer.value["body"])["reference"]

    table = STAGE_ENVIRONMENT["DAFTAR_REGISTRATIONS_TABLE"]
    stored = stage.emulator.client("dynamodb").scan(TableName=table)["Items"]
    announced = start("app.on_registration_changes", stage.environment).invoke(stream_event(*stored))
    assert announced.value == {"batchItemFailures": []}

    queue = stage.environment["DAFTAR_NOTIFICATIONS_QUEUE_URL"]
    waiting = stage.emulator.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    bodies = [message["Body"] for message in waiting["Messages"]]
    told = start("app.on_notifications", stage.environment).invoke(sqs_event(*bodies))
    assert told.value == {"batchItemFailures": []}
    [text] = httpx.get(f"{stage.gateway_url}/messages").json()
    assert reference in text["text"]

    counted = start("app.roll_up_due_days", stage.environment).invoke(schedule_event())
    assert counted.error is None
    assert counted.value["written"] >= 1


def test_a_good_token_is_allowed(start: Start, stage: Stage, tmp_path: Path) -> None:
    outputs = {"ClientsTableName": STAGE_ENVIRONMENT["DAFTAR_CLIENTS_TABLE"]}
    deployment = Deployment(stack="alone", outputs=outputs, resources={})
    tokens = enrol_clients(deployment, stage.emulator.client, tmp_path / "tokens.json")
    authorizer = start("app.authorize_caller", stage.environment)
    allowed = authorizer.invoke(token_event(f"Bearer {tokens.roles['kiosk']}")).value
    assert allowed["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert allowed["context"]["roles"] == "kiosk"
