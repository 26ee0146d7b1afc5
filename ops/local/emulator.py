"""The embedded AWS: ministack with the right settings, in an environment that holds nothing else.

Its Lambda workers inherit that environment, so whatever leaked in would be there locally and missing on AWS.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from ops.local.processes import LOOPBACK, OperationError, Program

ROOT = Path(__file__).resolve().parents[2]
REGION = "ap-southeast-3"
VERSION = "1.5.33"
_INTERPRETER = ROOT / ".emulator" / "bin" / "python"
_MAIN_SCRIPT = ROOT / "ops" / "local" / "emulator_main.py"
_START_SECONDS = 60
# Whatever proxy the machine uses, it does not lead to our loopback interface.
_NO_PROXY = Config(proxies={})


class Emulator:
    """One emulator, its port and its data under `home`. What it holds survives a stop, not a kill."""

    def __init__(self, *, port: int, home: Path, sms_url: str) -> None:
        self.program = Program("emulator", home)
        self.url = f"http://{LOOPBACK}:{port}"
        self._port = port
        self._home = home
        self._sms_url = sms_url
        self._session: Any = boto3.Session("test", "test", region_name=REGION)

    def start(self) -> None:
        """Start it and wait until it answers. Raises OperationError."""
        if not _INTERPRETER.exists():
            raise OperationError("the emulator is not installed: make setup")
        # Workers leave their unpacked zips there.
        shutil.rmtree(self._home / "tmp", ignore_errors=True)
        for directory in ("state", "s3", "tmp"):
            (self._home / directory).mkdir(parents=True, exist_ok=True)
        # -P: our modules beside the program are not for the emulator to import.
        self.program.start([_INTERPRETER, "-P", _MAIN_SCRIPT], self._make_environment())
        health = self.program.await_health(
            f"{self.url}/_ministack/health", timeout_seconds=_START_SECONDS
        ).json()
        if health["version"] != VERSION:
            self.program.stop()
            raise OperationError(f"Daftar was proven on ministack {VERSION}, this is {health['version']}")

    def make_client(self, service: str) -> Any:
        """A client of one of its services, as its root user, or of the fake-sms that is beside it."""
        url = self._sms_url if service == "pinpoint-sms-voice-v2" else self.url
        return self._session.client(service, endpoint_url=url, config=_NO_PROXY)

    def _make_environment(self) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "HOME": str(self._home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self._home / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GATEWAY_PORT": str(self._port),
            "BIND_HOST": LOOPBACK,
            # It would listen on a second, fixed port.
            "IOT_MTLS_ENABLED": "0",
            # The host in the queue URLs that it hands out.
            "MINISTACK_HOST": LOOPBACK,
            "MINISTACK_REGION": REGION,
            # Each Lambda gets its own role's rights and no more, as on AWS.
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._home / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._home / "s3"),
            # The one service of ours that it lacks.
            "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": self._sms_url,
        }


# AWS authorises the batch under the action of the single message, and has no other name for it.
_SEND_ACTION, _SEND_BATCH_ACTION = "sqs:SendMessage", "sqs:SendMessageBatch"


def adapt_template(template: dict[str, Any]) -> dict[str, Any]:
    """The template with what the emulator reads differently from AWS said in a way that it takes.

    Left out is one demand: nothing speaks TLS here, so a bucket that insists on it would answer nobody.
    """
    resources = _drop_tls_policies(_allow_batch_sends(template["Resources"]))
    return {**template, "Resources": {**resources, **_make_gateway_responses(resources)}}


def _allow_batch_sends(value: Any) -> Any:
    """Policies that allow to send messages allow the emulator's action for batches of them as well."""
    if isinstance(value, list):
        return [_allow_batch_sends(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    changed = {name: _allow_batch_sends(inner) for name, inner in value.items()}
    actions = changed.get("Action", [])
    listed = actions if isinstance(actions, list) else [actions]
    return {**changed, "Action": [*listed, _SEND_BATCH_ACTION]} if _SEND_ACTION in listed else changed


def _drop_tls_policies(resources: dict[str, Any]) -> dict[str, Any]:
    return {
        name: resource
        for name, resource in resources.items()
        if not (resource["Type"] == "AWS::S3::BucketPolicy" and _is_tls_only(resource["Properties"]))
    }


def _is_tls_only(policy: dict[str, Any]) -> bool:
    statements = policy["PolicyDocument"]["Statement"]
    return all("aws:SecureTransport" in each.get("Condition", {}).get("Bool", {}) for each in statements)


def _make_gateway_responses(resources: dict[str, Any]) -> dict[str, Any]:
    """SAM's GatewayResponses, which the emulator drops, as the resources that it honours.

    A deployment of the API serves those that were there before it, and the emulator makes resources that
    wait for the same one in the order of their names: hence names before SAM's `RestAPIDeployment…`.
    """
    return {
        f"GatewayResponse{api}{kind.title().replace('_', '')}": {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                "RestApiId": {"Ref": api},
                "ResponseType": kind,
                **({"StatusCode": response["StatusCode"]} if "StatusCode" in response else {}),
                "ResponseParameters": {
                    f"gatewayresponse.header.{header}": value
                    for header, value in response.get("ResponseParameters", {}).get("Headers", {}).items()
                },
                "ResponseTemplates": response.get("ResponseTemplates", {}),
            },
        }
        for api, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Api"
        for kind, response in resource["Properties"].get("GatewayResponses", {}).items()
    }
