"""Write down where a deployed stage can be reached."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError, ParamValidationError

from ops.aws_errors import AWS_ERRORS, explain_aws_error, get_error_code
from ops.deploy.stage_file import STAGE_FILE, find_bucket
from ops.deploy.stages import AwsClientFactory, StackOutputs, Stage
from ops.errors import StackUnavailable
from ops.private_files import write_private_file
from ops.project import LOOPBACK

_RECORD_KEY = "stage.json"


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
    write_private_file(file, _format(record))
    return file


def store_stage_record(record: StageRecord, bucket: str, s3: Any) -> None:
    """Store the record in the bucket for packages, which stays when the stack is deleted."""
    s3.put_object(Bucket=bucket, Key=_RECORD_KEY, Body=_format(record).encode())


def _format(record: StageRecord) -> str:
    return json.dumps(asdict(record), indent=1) + "\n"


def find_recorded_stage(
    stack_name: str, directory: Path, aws_client: AwsClientFactory, stage_file: Path = STAGE_FILE
) -> Stage | None:
    """Return a stage as its last deployment recorded it, in its bucket or on this machine, else None.

    Raise StackUnavailable if it was deployed in another account or region, and OperationError.
    """
    try:
        account, region = (
            aws_client("sts").get_caller_identity()["Account"],
            aws_client("s3").meta.region_name,
        )
        bucket = find_bucket(stack_name, account, region, stage_file)
        text = _read_stored(bucket, aws_client("s3")) or _read_file(directory / f"{stack_name}.json")
    except ValueError:  # The SDK's error for an endpoint that is not a URL; it repeats the value.
        return None
    except AWS_ERRORS as error:
        raise explain_aws_error(error) from None
    if text is None:
        return None
    record = json.loads(text)
    if (record["account"], record["region"]) != (account, region):
        raise StackUnavailable(
            f"{stack_name} was deployed in {record['region']} of the account {record['account']}, and these "
            f"credentials are of {account} in {region}"
        )
    return Stage(stack_name, StackOutputs(stack_name, record["outputs"]), aws_client)


def _read_stored(bucket: str, s3: Any) -> str | None:
    try:
        return str(s3.get_object(Bucket=bucket, Key=_RECORD_KEY)["Body"].read(), "utf-8")
    except ParamValidationError:  # The stack's name makes no bucket's: it is none of ours.
        return None
    except ClientError as error:
        if get_error_code(error) in {"NoSuchBucket", "NoSuchKey"}:
            return None
        raise


def _read_file(file: Path) -> str | None:
    return file.read_text(encoding="utf-8") if file.exists() else None


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
