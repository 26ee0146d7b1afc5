"""Write down where a deployed stage can be reached."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ops.deploy.stages import AwsClientFactory, StackOutputs, Stage
from ops.private_files import write_private_file
from ops.project import LOOPBACK


@dataclass(frozen=True)
class StageRecord:
    """The description of a deployed stage. It holds no token and no secret."""

    stack_name: str
    region: str
    account: str
    api_url: str
    package: str
    outputs: Mapping[str, str]


def write_stage_record(record: StageRecord, directory: Path) -> Path:
    """Write `NAME.json` to a directory. Return the file."""
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / f"{record.stack_name}.json"
    write_private_file(file, json.dumps(asdict(record), indent=1) + "\n")
    return file


def find_recorded_stage(stack_name: str, directory: Path, aws_client: AwsClientFactory) -> Stage | None:
    """Return a stage as its last deployment from this machine recorded it, None if it did not."""
    file = directory / f"{stack_name}.json"
    if not file.exists():
        return None
    outputs = json.loads(file.read_text(encoding="utf-8"))["outputs"]
    return Stage(stack_name, StackOutputs(stack_name, outputs), aws_client)


def make_api_url(stage: Stage) -> str:
    """Return the API's URL. The emulator serves it under a path, not at the host that the stack names."""
    if endpoint := find_local_endpoint():
        return make_emulator_url(endpoint, stage)
    return stage.outputs["EndpointURL"].rstrip("/")


def make_emulator_url(endpoint: str, stage: Stage) -> str:
    """Return the URL of a stage's API in the emulator at `endpoint`."""
    return f"{endpoint}/_aws/execute-api/{stage.outputs['RestAPIId']}/{stage.outputs['RestAPIStage']}"


def is_emulated(stage: Stage) -> bool:
    """Return True if a stage is in the emulator: the local one, or one that was deployed into it."""
    return stage.is_local or find_local_endpoint() is not None


def find_local_endpoint() -> str | None:
    """Return AWS_ENDPOINT_URL if it leads to an emulator on this machine, else None."""
    url = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    return url if urlsplit(url).hostname in {LOOPBACK, "localhost"} else None
