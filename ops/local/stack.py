"""The local stack: the fake-sms, the embedded AWS, and Daftar deployed into it as it would be to AWS."""

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from pathlib import Path

import httpx

from ops.api_client import ApiClient
from ops.deploy.cloudformation import Deployment, deploy
from ops.deploy.packaging import package_app
from ops.deploy.stages import Stage
from ops.local.emulator import REGION, ROOT, Emulator, adapt_template
from ops.local.processes import LOOPBACK, OperationError, Program, exclusive_lock, is_port_free
from ops.local.seeding import (
    Tokens,
    create_mail_identity,
    create_missing_keys,
    create_twilio_secret,
    enrol_clients,
    write_private_file,
)

EXAMPLE_DIR = ROOT / "examples" / "tanah-abang-2024"
_STAGE_NAME = "local"
_STACK_NAME = f"daftar-{_STAGE_NAME}"
_BUCKET = f"daftar-{_STAGE_NAME}-artefacts"
# A name for the API that is known before it is deployed; the stand-in knows the way.
_PUBLIC_URL = "https://api.daftar.example"
_GATEWAY_START_SECONDS = 30
_SMS_TIMEOUT_SECONDS = 180

# Nobody pays for these texts, and who looks on should not have to wait for them.
_SMS_PARTS_PER_SECOND = 100

# An address that nobody can have, and a campaign of 2024 that is news all the same.
_MAIL_FROM = "laporan@daftar.example"
_REPORT_DAYS = 36_500
_POLL_SECONDS = 0.2


@dataclass(frozen=True)
class StackDescription:
    """A running local stack, as `stack_name.json` tells it to anybody's tools.

    The tokens are good for every campaign, also one opened later.
    """

    api_url: str
    aws_endpoint_url: str
    region: str
    campaign_id: str
    tokens: dict[str, str]
    device_tokens: dict[str, str]
    gateway_url: str
    outputs: dict[str, str]
    mails: str

    def find_token(self, client: str) -> str | None:
        """The token of a device, or of a role."""
        return self.device_tokens.get(client) or self.tokens.get(client)

    def fetch_sms(self) -> list[dict[str, str]]:
        """The texts that the stand-in has received, oldest first."""
        answer = httpx.get(f"{self.gateway_url}/messages", trust_env=False).raise_for_status()
        texts: list[dict[str, str]] = answer.json()
        return texts

    def list_mails(self) -> list[Path]:
        """The mails that were sent, oldest first: files that any mail program opens."""
        return sorted(Path(self.mails).glob("*.eml"))


class LocalStack:
    """One local stack on a port and the one above it, with its data under `local`."""

    def __init__(self, *, port: int, directory: Path) -> None:
        self.port = port
        self.directory = directory
        self.gateway_url = f"http://{LOOPBACK}:{port + 1}"
        self._home = directory / f"port-{port}"
        self._shared_description_file = directory / "stack.json"
        self._own_description_file = self._home / "stack.json"
        self._gateway = Program("fake-sms", self._home)
        self.emulator = Emulator(port=port, home=self._home, sms_url=self.gateway_url)

    @property
    def is_up(self) -> bool:
        """Whether any part of it is running."""
        return self._gateway.is_running() or self.emulator.program.is_running()

    @property
    def is_fully_up(self) -> bool:
        """Whether all of it is running."""
        return self._gateway.is_running() and self.emulator.program.is_running()

    def describe(self) -> StackDescription:
        """What `up` found out. Raises OperationError when the stack is not up."""
        if not (self.is_up and self._own_description_file.exists()):
            raise OperationError(f"no stack is up on port {self.port}: daftar up")
        return StackDescription(**json.loads(self._own_description_file.read_text()))

    def as_stage(self) -> Stage:
        """This stack as any deployed one. Raises OperationError when it is not up."""
        return Stage(_STACK_NAME, self.describe().outputs, self.emulator.make_client)

    def up(
        self, *, fresh: bool = False, on_progress: Callable[[str], None] = lambda step: None
    ) -> StackDescription:
        """Start it, with the last run's data unless `fresh`. Whatever goes wrong, nothing is left running.

        Raises OperationError when it is up already or cannot start, DeploymentFailed when it does not deploy.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(
            self._home.with_suffix(".lock"), "this stack is being started by another command"
        ):
            self._check_can_start()
            if fresh:
                shutil.rmtree(self._home)
                self._home.mkdir()
            try:
                return self._start(on_progress)
            except BaseException:
                self.down()
                raise

    def down(self) -> None:
        """Stop it gently, so that its data is kept. Nothing to stop is fine."""
        if self._is_own_description(self._shared_description_file):
            self._shared_description_file.unlink()
        self._own_description_file.unlink(missing_ok=True)
        self.emulator.program.stop()
        self._gateway.stop()

    def await_sms(self, min_count: int) -> list[dict[str, str]]:
        """All texts, once there are that many and none is waiting. Raises OperationError if they stay away."""
        description = self.describe()
        deadline = time.monotonic() + _SMS_TIMEOUT_SECONDS
        while True:
            texts = description.fetch_sms()
            if len(texts) >= min_count and self.count_waiting_sms() == 0:
                return texts
            if time.monotonic() > deadline:
                raise OperationError(
                    f"{len(texts)} of {min_count} texts came within {_SMS_TIMEOUT_SECONDS} seconds"
                )
            time.sleep(_POLL_SECONDS)

    def count_waiting_sms(self) -> int:
        """How many messages are in the queue from which texts are sent, or in the sender's hands."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue = self.describe().outputs["NotificationsQueueUrl"]
        found = self.emulator.make_client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
        return sum(int(count) for count in found["Attributes"].values())

    def _is_own_description(self, file: Path) -> bool:
        own = self._own_description_file
        return file.exists() and own.exists() and file.read_bytes() == own.read_bytes()

    def _check_can_start(self) -> None:
        if self.is_up:
            raise OperationError(f"the stack is up already on port {self.port}: daftar down")
        for port in (self.port, self.port + 1):
            if not is_port_free(port):
                raise OperationError(
                    f"port {port} is taken by another program: set DAFTAR_PORT to a free pair"
                )

    def _start(self, on_progress: Callable[[str], None]) -> StackDescription:
        on_progress("packaging")
        packaged = package_app(_STAGE_NAME, self._home / "package")
        on_progress("starting the fake-sms and the embedded AWS")
        self._start_gateway()
        self.emulator.start()
        on_progress("deploying")
        create_mail_identity(self.emulator.make_client("sesv2"), _MAIL_FROM)
        secret = create_twilio_secret(self.emulator.make_client("secretsmanager"), f"{_STACK_NAME}-twilio")
        deployment = deploy(
            replace(packaged, template=adapt_template(packaged.template)),
            stack_name=_STACK_NAME,
            bucket=_BUCKET,
            parameters={
                "Stage": _STAGE_NAME,
                "DeletionProtection": "false",
                # As on AWS, what is sent outside a configuration set is not reported on.
                "SmsConfigurationSet": _STACK_NAME,
                "SmsPartsASecond": str(_SMS_PARTS_PER_SECOND),
                "TwilioUrl": self.gateway_url,
                "TwilioSecret": secret,
                "PublicUrl": _PUBLIC_URL,
                "MailFrom": _MAIL_FROM,
                "MailIdentity": _MAIL_FROM,
                "ReportDays": str(_REPORT_DAYS),
            },
            aws_client=self.emulator.make_client,
        )
        self._configure_receipts(deployment)
        on_progress("providing keys, clients and the campaign")
        create_missing_keys(deployment, self.emulator.make_client)
        tokens = enrol_clients(deployment, self.emulator.make_client, self._home / "tokens.json")
        description = self._make_description(deployment, tokens)
        _create_campaign(description)
        for file in (self._own_description_file, self._shared_description_file):
            write_private_file(file, json.dumps(asdict(description), indent=1) + "\n")
        return description

    def _start_gateway(self) -> None:
        texts = self._home / "sms.jsonl"
        self._gateway.start(
            [sys.executable, "-m", "ops.fake_sms", str(self.port + 1), texts],
            {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
        )
        self._gateway.await_health(f"{self.gateway_url}/healthz", timeout_seconds=_GATEWAY_START_SECONDS)

    def _configure_receipts(self, deployment: Deployment) -> None:
        """Have the stand-in report on texts as AWS and as Twilio would."""
        receipts = {
            "topic_arn": deployment.outputs["ReceiptsTopicArn"],
            "endpoint_url": self.emulator.url,
            "public_url": _PUBLIC_URL,
            "api_url": self._make_api_url(deployment),
        }
        httpx.post(f"{self.gateway_url}/receipts", json=receipts, trust_env=False).raise_for_status()

    def _make_api_url(self, deployment: Deployment) -> str:
        # The output names a host on AWS; the emulator serves the same API under this path.
        api_id, stage = deployment.outputs["RestAPIId"], deployment.outputs["RestAPIStage"]
        return f"{self.emulator.url}/_aws/execute-api/{api_id}/{stage}"

    def _make_description(self, deployment: Deployment, tokens: Tokens) -> StackDescription:
        campaign = json.loads((EXAMPLE_DIR / "campaign.json").read_text())
        return StackDescription(
            api_url=self._make_api_url(deployment),
            aws_endpoint_url=self.emulator.url,
            region=REGION,
            campaign_id=campaign["campaign_id"],
            tokens=dict(tokens.roles),
            device_tokens=dict(tokens.devices),
            gateway_url=self.gateway_url,
            outputs=dict(deployment.outputs),
            mails=str(self._home / "mails"),
        )


def _create_campaign(description: StackDescription) -> None:
    api = ApiClient(description.api_url, description.tokens["manager"])
    response = api.send("POST", "/v1/campaigns", (EXAMPLE_DIR / "campaign.json").read_bytes())
    api.close()
    # Changed since, it is there all the same.
    if not response.is_success and response.status_code != HTTPStatus.CONFLICT:
        raise OperationError(f"the example's campaign was refused: {response.status_code} {response.text}")
