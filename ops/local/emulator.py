"""Start the emulator of AWS (ministack) with Daftar's settings, in an environment that holds nothing else.

Its Lambda workers inherit that environment: a variable that leaked into it would be set here and missing on
AWS.
"""

import os
import shutil
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from ops.deploy.stages import INVOKE_CONFIG
from ops.errors import OperationError
from ops.local.processes import Program
from ops.project import LOOPBACK, REGION, ROOT

VERSION = "1.5.33"
_INTERPRETER = ROOT / ".emulator" / "bin" / "python"
_MAIN_SCRIPT = ROOT / "ops" / "local" / "emulator_main.py"
_START_SECONDS = 60
# A proxy of the machine does not lead to the loopback interface.
_NO_PROXY = Config(proxies={})


class Emulator:
    """An emulator on one port, with its data under `home`. The data survives a stop, but not a kill."""

    def __init__(self, *, port: int, home: Path, sms_url: str) -> None:
        self.program = Program("emulator", home)
        self.url = f"http://{LOOPBACK}:{port}"
        self._port = port
        self._home = home
        self._sms_url = sms_url
        self._session: Any = boto3.Session("test", "test", region_name=REGION)

    def start(self) -> None:
        """Start the emulator and wait until it answers. Raise OperationError."""
        if not _INTERPRETER.exists():
            raise OperationError("the emulator is not installed: make setup")
        # Lambda workers leave their unpacked zips in `tmp`.
        shutil.rmtree(self._home / "tmp", ignore_errors=True)
        for directory in ("state", "s3", "tmp"):
            (self._home / directory).mkdir(parents=True, exist_ok=True)
        # -P: the emulator must not import the modules beside the program.
        self.program.start([_INTERPRETER, "-P", _MAIN_SCRIPT], self._make_environment())
        health = self.program.await_health(
            f"{self.url}/_ministack/health", timeout_seconds=_START_SECONDS
        ).json()
        if health["version"] != VERSION:
            self.program.stop()
            raise OperationError(f"Daftar is tested with ministack {VERSION}, this is {health['version']}")

    def make_client(self, service: str) -> Any:
        """Return a boto3 client with root rights; the SMS service is the fake gateway."""
        url = self._sms_url if service == "pinpoint-sms-voice-v2" else self.url
        config = _NO_PROXY.merge(INVOKE_CONFIG) if service == "lambda" else _NO_PROXY
        return self._session.client(service, endpoint_url=url, config=config)

    def _make_environment(self) -> dict[str, str]:
        return {
            "PATH": os.defpath,
            "HOME": str(self._home),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self._home / "tmp"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "GATEWAY_PORT": str(self._port),
            "BIND_HOST": LOOPBACK,
            # IoT would listen on a second, fixed port.
            "IOT_MTLS_ENABLED": "0",
            # The host in queue URLs.
            "MINISTACK_HOST": LOOPBACK,
            "MINISTACK_REGION": REGION,
            # Enforce IAM: each Lambda has the rights of its own role, as on AWS.
            "AUTH": "true",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self._home / "state"),
            "S3_PERSIST": "1",
            "S3_DATA_DIR": str(self._home / "s3"),
            # The only service of ours that ministack lacks.
            "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2": self._sms_url,
        }
