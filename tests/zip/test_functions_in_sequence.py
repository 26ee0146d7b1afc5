"""The functions from a capture to its summary, each alone; the test passes on what AWS would pass on."""

from functools import partial
from pathlib import Path

import pytest

from ops.deploy.stages import Stage
from ops.local.seeding import enrol_clients
from tests.support.aws_events import make_token_event
from tests.support.emulator_harness import EmulatorHarness
from tests.support.moto_tables import STAGE_ENVIRONMENT
from tests.zip.conftest import StartFunction
from tests.zip.pipeline import Pipeline

pytestmark = pytest.mark.e2e


def test_a_capture_becomes_an_sms_and_a_summary(
    start_function: StartFunction, emulator_stage: EmulatorHarness
) -> None:
    pipeline, start = (
        Pipeline(emulator_stage),
        partial(start_function, environment=emulator_stage.environment),
    )
    pipeline.open_campaign(start)
    reference = pipeline.register(start)
    pipeline.publish(start)
    assert [reference in text for text in pipeline.send(start)].count(True) == 1
    pipeline.count(start)


def test_a_valid_token_is_allowed(
    start_function: StartFunction, emulator_stage: EmulatorHarness, tmp_path: Path
) -> None:
    outputs = {
        f"{name}TableName": STAGE_ENVIRONMENT[f"DAFTAR_{name.upper()}_TABLE"] for name in ("Clients", "Audit")
    }
    stage = Stage("alone", outputs, emulator_stage.emulator.make_client)
    tokens = enrol_clients(stage, tmp_path / "tokens.json")
    authorizer = start_function("app.authorize_caller", emulator_stage.environment)
    allowed = authorizer.invoke(make_token_event(f"Bearer {tokens.roles['kiosk']}")).value
    assert allowed["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    assert allowed["context"]["roles"] == "kiosk"
