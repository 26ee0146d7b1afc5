"""The local stack: the SMS stand-in, the embedded AWS, and Daftar deployed into it as it would be to AWS."""

import json
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from http import HTTPStatus
from pathlib import Path

import httpx

from ops.api import API
from ops.deployment import Deployment, deploy
from ops.emulator import REGION, ROOT, Emulator, deployable
from ops.packaging import package
from ops.processes import LOOPBACK, Program, ProgramError, exclusive, port_is_free
from ops.seeding import (
    Tokens,
    enrol_clients,
    provide_gateway_account,
    provide_keys,
    provide_sender,
    write_private,
)
from ops.stages import Stage

EXAMPLE = ROOT / "examples" / "tanah-abang-2024"
_STAGE = "local"
_STACK = f"daftar-{_STAGE}"
_BUCKET = f"daftar-{_STAGE}-artefacts"
# A name for the API that is known before it is deployed; the stand-in knows the way.
_PUBLIC_URL = "https://api.daftar.example"
_GATEWAY_START_SECONDS = 30
_TEXTS_SECONDS = 180

# Nobody pays for these texts, and who looks on should not have to wait for them.
_PARTS_A_SECOND = 100

# An address that nobody can have, and a campaign of 2024 that is news all the same.
_MAIL_FROM = "laporan@daftar.example"
_NEWS_FOR_DAYS = 36_500
_PAUSE_SECONDS = 0.2


@dataclass(frozen=True)
class Description:
    """A running local stack, as `stack.json` tells it to anybody's tools.

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

    def token_of(self, client: str) -> str | None:
        """The token of a device, or of a role."""
        return self.device_tokens.get(client) or self.tokens.get(client)

    def messages(self) -> list[dict[str, str]]:
        """The texts that the stand-in has received, oldest first."""
        answer = httpx.get(f"{self.gateway_url}/messages", trust_env=False).raise_for_status()
        texts: list[dict[str, str]] = answer.json()
        return texts

    def mails_sent(self) -> list[Path]:
        """The mails that were sent, oldest first: files that any mail program opens."""
        return sorted(Path(self.mails).glob("*.eml"))


class LocalStack:
    """One local stack on a port and the one above it, with its data under `local`."""

    def __init__(self, *, port: int, local: Path) -> None:
        self.port = port
        self.directory = local
        self.gateway_url = f"http://{LOOPBACK}:{port + 1}"
        self._home = local / f"port-{port}"
        self._shared_description = local / "stack.json"
        self._own_description = self._home / "stack.json"
        self._gateway = Program("SMS stand-in", self._home)
        self.emulator = Emulator(port=port, home=self._home, sms_url=self.gateway_url)

    @property
    def is_up(self) -> bool:
        """Whether any part of it is running."""
        return self._gateway.is_running() or self.emulator.program.is_running()

    @property
    def is_whole(self) -> bool:
        """Whether all of it is running."""
        return self._gateway.is_running() and self.emulator.program.is_running()

    def describe(self) -> Description:
        """What `up` found out. Raises ProgramError when the stack is not up."""
        if not (self.is_up and self._own_description.exists()):
            raise ProgramError(f"no stack is up on port {self.port}: daftar up")
        return Description(**json.loads(self._own_description.read_text()))

    def stage(self) -> Stage:
        """This stack as any deployed one. Raises ProgramError when it is not up."""
        return Stage(_STACK, self.describe().outputs, self.emulator.client)

    def up(self, *, fresh: bool = False, tell: Callable[[str], None] = lambda step: None) -> Description:
        """Start it, with the last run's data unless `fresh`. Whatever goes wrong, nothing is left running.

        Raises ProgramError when it is up already or cannot start, DeploymentFailed when it does not deploy.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        with exclusive(self._home.with_suffix(".lock"), "this stack is being started by another command"):
            self._require_room()
            if fresh:
                shutil.rmtree(self._home)
                self._home.mkdir()
            try:
                return self._started(tell)
            except BaseException:
                self.down()
                raise

    def down(self) -> None:
        """Stop it gently, so that its data is kept. Nothing to stop is fine."""
        if self._is_described_by(self._shared_description):
            self._shared_description.unlink()
        self._own_description.unlink(missing_ok=True)
        self.emulator.program.stop()
        self._gateway.stop()

    def await_texts(self, at_least: int) -> list[dict[str, str]]:
        """All texts, once there are that many and none is waiting. Raises ProgramError if they stay away."""
        description = self.describe()
        deadline = time.monotonic() + _TEXTS_SECONDS
        while True:
            texts = description.messages()
            if len(texts) >= at_least and self.texts_waiting() == 0:
                return texts
            if time.monotonic() > deadline:
                raise ProgramError(f"{len(texts)} of {at_least} texts came within {_TEXTS_SECONDS} seconds")
            time.sleep(_PAUSE_SECONDS)

    def texts_waiting(self) -> int:
        """How many messages are in the queue from which texts are sent, or in the sender's hands."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue = self.describe().outputs["NotificationsQueueUrl"]
        found = self.emulator.client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
        return sum(int(count) for count in found["Attributes"].values())

    def _is_described_by(self, file: Path) -> bool:
        own = self._own_description
        return file.exists() and own.exists() and file.read_bytes() == own.read_bytes()

    def _require_room(self) -> None:
        if self.is_up:
            raise ProgramError(f"the stack is up already on port {self.port}: daftar down")
        for port in (self.port, self.port + 1):
            if not port_is_free(port):
                raise ProgramError(f"port {port} is taken by another program: set DAFTAR_PORT to a free pair")

    def _started(self, tell: Callable[[str], None]) -> Description:
        tell("packaging")
        packaged = package(_STAGE, self._home / "package")
        tell("starting the SMS stand-in and the embedded AWS")
        self._start_gateway()
        self.emulator.start()
        tell("deploying")
        provide_sender(self.emulator.client("sesv2"), _MAIL_FROM)
        secret = provide_gateway_account(self.emulator.client("secretsmanager"), f"{_STACK}-twilio")
        deployment = deploy(
            replace(packaged, template=deployable(packaged.template)),
            stack=_STACK,
            bucket=_BUCKET,
            parameters={
                "Stage": _STAGE,
                "DeletionProtection": "false",
                # As on AWS, what is sent outside a configuration set is not reported on.
                "SmsConfigurationSet": _STACK,
                "SmsPartsASecond": str(_PARTS_A_SECOND),
                "TwilioUrl": self.gateway_url,
                "TwilioSecret": secret,
                "PublicUrl": _PUBLIC_URL,
                "MailFrom": _MAIL_FROM,
                "MailIdentity": _MAIL_FROM,
                "ReportDays": str(_NEWS_FOR_DAYS),
            },
            clients=self.emulator.client,
        )
        self._report_receipts_to(deployment)
        tell("providing keys, clients and the campaign")
        provide_keys(deployment, self.emulator.client)
        tokens = enrol_clients(deployment, self.emulator.client, self._home / "tokens.json")
        description = self._description(deployment, tokens)
        _open_campaign(description)
        for file in (self._own_description, self._shared_description):
            write_private(file, json.dumps(asdict(description), indent=1) + "\n")
        return description

    def _start_gateway(self) -> None:
        texts = self._home / "texts.jsonl"
        self._gateway.start(
            [sys.executable, "-m", "ops.gateway", str(self.port + 1), texts],
            {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
        )
        self._gateway.await_health(f"{self.gateway_url}/healthz", seconds=_GATEWAY_START_SECONDS)

    def _report_receipts_to(self, deployment: Deployment) -> None:
        """Have the stand-in report on texts as AWS and as Twilio would."""
        receipts = {
            "topic_arn": deployment.outputs["ReceiptsTopicArn"],
            "endpoint_url": self.emulator.url,
            "public_url": _PUBLIC_URL,
            "api_url": self._api_url(deployment),
        }
        httpx.post(f"{self.gateway_url}/receipts", json=receipts, trust_env=False).raise_for_status()

    def _api_url(self, deployment: Deployment) -> str:
        # The output names a host on AWS; the emulator serves the same API under this path.
        api_id, stage = deployment.outputs["RestAPIId"], deployment.outputs["RestAPIStage"]
        return f"{self.emulator.url}/_aws/execute-api/{api_id}/{stage}"

    def _description(self, deployment: Deployment, tokens: Tokens) -> Description:
        campaign = json.loads((EXAMPLE / "campaign.json").read_text())
        return Description(
            api_url=self._api_url(deployment),
            aws_endpoint_url=self.emulator.url,
            region=REGION,
            campaign_id=campaign["campaign_id"],
            tokens=dict(tokens.roles),
            device_tokens=dict(tokens.devices),
            gateway_url=self.gateway_url,
            outputs=dict(deployment.outputs),
            mails=str(self._home / "mails"),
        )


def _open_campaign(description: Description) -> None:
    api = API(description.api_url, description.tokens["manager"])
    response = api.send("POST", "/v1/campaigns", (EXAMPLE / "campaign.json").read_bytes())
    api.close()
    # Changed since, it is there all the same.
    if not response.is_success and response.status_code != HTTPStatus.CONFLICT:
        raise ProgramError(f"the example's campaign was refused: {response.status_code} {response.text}")
