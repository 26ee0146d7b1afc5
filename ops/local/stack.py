"""The local stack: fake SMS gateways and chats, the emulator, and Daftar deployed into it as on AWS."""

import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from http import HTTPStatus
from pathlib import Path

import httpx

from chalicelib.callers import Role
from chalicelib.clock import utc_now
from chalicelib.odk_settings import find_server_url
from ops.api_client import ApiClient
from ops.deploy.cloudformation import deploy
from ops.deploy.keys import create_missing_keys
from ops.deploy.packaging import package_app
from ops.deploy.stage_record import make_emulator_url
from ops.deploy.stages import StackOutputs, Stage
from ops.errors import OperationError, StackUnavailable
from ops.local.chats import CHAT_CAMPAIGN, create_chat_secrets, make_chat_campaign, subscribe_to_chats
from ops.local.description import StackDescription
from ops.local.emulator import Emulator
from ops.local.processes import Program, exclusive_lock, is_port_free
from ops.local.seeding import (
    CHAT_LINK_CLIENT,
    Tokens,
    create_mail_identity,
    create_twilio_secret,
    enrol_clients,
)
from ops.local.template import adapt_template
from ops.private_files import write_private_file
from ops.project import EXAMPLE_DIR, LOOPBACK, REGION, ROOT
from ops.refusals import ApiRefusal

_STAGE_NAME = "local"
_STACK_NAME = f"daftar-{_STAGE_NAME}"
# The emulator, the fake SMS gateway and the fake chat.
STACK_PORTS = 3
_BUCKET = f"daftar-{_STAGE_NAME}-artefacts"
# A name of the API that is known before the deployment; the fake gateway maps it to the real URL.
_PUBLIC_URL = "https://api.daftar.example"
_FAKE_START_SECONDS = 30
_SMS_TIMEOUT_SECONDS = 180

# Local SMS cost nothing, and a person waits for them.
_SMS_PARTS_PER_SECOND = 100

# `.example` is a reserved domain. The example's campaign is of 2024 and still gets its reports.
_MAIL_FROM = "laporan@daftar.example"
_REPORT_DAYS = 36_500
_POLL_SECONDS = 0.2


class LocalStack:
    """A local stack on `port` and the two ports above it, with its data under `directory`."""

    def __init__(self, *, port: int, directory: Path) -> None:
        self.port = port
        self.directory = directory
        self.gateway_url = f"http://{LOOPBACK}:{port + 1}"
        self.chat_url = f"http://{LOOPBACK}:{port + 2}"
        self._home = directory / f"port-{port}"
        self._shared_description_file = directory / "stack.json"
        self._own_description_file = self._home / "stack.json"
        self._gateway = Program("fake-sms", self._home)
        self._chat = Program("fake-chat", self._home)
        self.emulator = Emulator(port=port, home=self._home, sms_url=self.gateway_url)

    @property
    def is_up(self) -> bool:
        """Return True if any part of the stack runs."""
        return any(program.is_running() for program in self._programs)

    @property
    def is_fully_up(self) -> bool:
        return all(program.is_running() for program in self._programs)

    @property
    def _programs(self) -> tuple[Program, ...]:
        return self._gateway, self._chat, self.emulator.program

    def describe(self) -> StackDescription:
        """Return the description that `up` has written. Raise StackUnavailable if the stack is not up."""
        if not self.is_up:
            raise StackUnavailable(f"no local stack is up on port {self.port}: start it with daftar up")
        if not self._own_description_file.exists():
            raise StackUnavailable(f"the local stack on port {self.port} is not ready yet")
        return StackDescription.from_file(self._own_description_file)

    def as_stage(self) -> Stage:
        """Return this stack as a deployed stage. Raise StackUnavailable if it is not up."""
        outputs = StackOutputs(_STACK_NAME, self.describe().outputs)
        return Stage(_STACK_NAME, outputs, self.emulator.make_client, is_local=True)

    def up(
        self, *, fresh: bool = False, on_progress: Callable[[str], None] = lambda step: None
    ) -> StackDescription:
        """Start the stack, with the data of the last run unless `fresh`. On an error, stop all its programs.

        Raise OperationError if it is up already, cannot start, or cannot be deployed.
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

    @contextmanager
    def run(self, *, on_progress: Callable[[str], None]) -> Iterator[StackDescription]:
        """Start the stack for a block, and stop it after that. A stack that is up already is left alone.

        Raise OperationError as `up` does.
        """
        description = self.up(on_progress=on_progress)
        try:
            yield description
        finally:
            self.down()

    def down(self) -> None:
        """Stop the stack and keep its data. A stack that is not up is left as it is."""
        if self._is_own_description(self._shared_description_file):
            self._shared_description_file.unlink()
        self._own_description_file.unlink(missing_ok=True)
        # The emulator first: what it runs calls the others.
        for program in reversed(self._programs):
            program.stop()

    def await_sms(self, min_count: int) -> list[dict[str, str]]:
        """Return all SMS once there are `min_count` and none is queued. Raise OperationError after 180 s."""
        description = self.describe()
        deadline = time.monotonic() + _SMS_TIMEOUT_SECONDS
        while True:
            sms_list = description.fetch_sms()
            if len(sms_list) >= min_count and self.count_waiting_sms() == 0:
                return sms_list
            if time.monotonic() > deadline:
                raise OperationError(
                    f"{len(sms_list)} of {min_count} SMS came within {_SMS_TIMEOUT_SECONDS} seconds"
                )
            time.sleep(_POLL_SECONDS)

    def count_waiting_sms(self) -> int:
        """Return how many messages are in the notifications queue, including those in flight."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        queue = self.as_stage().outputs["NotificationsQueueUrl"]
        found = self.emulator.make_client("sqs").get_queue_attributes(QueueUrl=queue, AttributeNames=names)
        return sum(int(count) for count in found["Attributes"].values())

    def _is_own_description(self, file: Path) -> bool:
        own = self._own_description_file
        return file.exists() and own.exists() and file.read_bytes() == own.read_bytes()

    def _check_can_start(self) -> None:
        if self.is_up:
            raise OperationError(
                f"the local stack is up already on port {self.port}: daftar down stops it, DAFTAR_PORT names "
                "another port for a second one"
            )
        for port in range(self.port, self.port + STACK_PORTS):
            if not is_port_free(port):
                raise OperationError(
                    f"port {port} is taken by another program: set DAFTAR_PORT to the first of "
                    f"{STACK_PORTS} free ones"
                )

    def _start(self, on_progress: Callable[[str], None]) -> StackDescription:
        on_progress("packaging")
        package = package_app(_STAGE_NAME, self._home / "package")
        on_progress("starting the fake SMS gateway, the fake chat and the emulator")
        start_fake(self._gateway, "ops.fake_sms", self.port + 1, self._home / "sms.jsonl")
        start_fake(self._chat, "ops.fake_chat", self.port + 2, self._home / "chats.jsonl")
        self.emulator.start()
        on_progress("deploying")
        create_mail_identity(self.emulator.make_client("sesv2"), _MAIL_FROM)
        secret = create_twilio_secret(self.emulator.make_client("secretsmanager"), f"{_STACK_NAME}-twilio")
        stage = deploy(
            replace(package, template=adapt_template(package.template)),
            stack_name=_STACK_NAME,
            bucket=_BUCKET,
            parameters={
                "Stage": _STAGE_NAME,
                "DeletionProtection": "false",
                # As on AWS, there are receipts only for SMS of a configuration set.
                "SmsConfigurationSet": _STACK_NAME,
                "SmsPartsASecond": str(_SMS_PARTS_PER_SECOND),
                "TwilioUrl": self.gateway_url,
                "TwilioSecret": secret,
                "TelegramUrl": self.chat_url,
                "ChatCampaign": CHAT_CAMPAIGN,
                "ChatLinkClient": CHAT_LINK_CLIENT,
                "WhatsappUrl": f"{self.chat_url}/v23.0",
                **create_chat_secrets(self.emulator.make_client("secretsmanager"), _STACK_NAME),
                "PublicUrl": _PUBLIC_URL,
                "AppUrl": f"{self.emulator.url}/_aws/execute-api/{{api_id}}/{{stage}}/app",
                "MailFrom": _MAIL_FROM,
                "MailIdentity": _MAIL_FROM,
                "ReportDays": str(_REPORT_DAYS),
            },
            aws_client=self.emulator.make_client,
        )
        self._configure_receipts(stage)
        subscribe_to_chats(self.chat_url, make_emulator_url(self.emulator.url, stage))
        on_progress("creating keys, clients and the campaign")
        create_missing_keys(stage)
        tokens = enrol_clients(stage, self._home / "tokens.json")
        description = self._make_description(stage, tokens)
        _create_campaigns(description)
        for file in (self._own_description_file, self._shared_description_file):
            write_private_file(file, json.dumps(asdict(description), indent=1) + "\n")
        return description

    def _configure_receipts(self, stage: Stage) -> None:
        """Make the fake gateway send receipts as AWS and Twilio do."""
        receipts = {
            "topic_arn": stage.outputs["ReceiptsTopicArn"],
            "endpoint_url": self.emulator.url,
            "public_url": _PUBLIC_URL,
            "api_url": make_emulator_url(self.emulator.url, stage),
        }
        httpx.post(f"{self.gateway_url}/receipts", json=receipts, trust_env=False).raise_for_status()

    def _make_description(self, stage: Stage, tokens: Tokens) -> StackDescription:
        campaign = json.loads((EXAMPLE_DIR / "campaign.json").read_text())
        api_url = make_emulator_url(self.emulator.url, stage)
        app_url = f"{api_url}/app"
        return StackDescription(
            api_url=api_url,
            app_url=app_url,
            console_url=f"{api_url}/console",
            odk_url=find_server_url(app_url, tokens.roles[Role.KIOSK]),
            aws_endpoint_url=self.emulator.url,
            region=REGION,
            campaign_id=campaign["campaign_id"],
            tokens=dict(tokens.roles),
            device_tokens=dict(tokens.devices),
            gateway_url=self.gateway_url,
            chat_url=self.chat_url,
            outputs=dict(stage.outputs),
            mails=str(self._home / "mails"),
        )


def start_fake(program: Program, module: str, port: int, data_file: Path) -> None:
    """Start the fake of a provider on a port and wait until it answers. Raise OperationError."""
    program.start(
        [sys.executable, "-m", module, str(port), data_file],
        {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"},
    )
    program.await_health(f"http://{LOOPBACK}:{port}/healthz", timeout_seconds=_FAKE_START_SECONDS)


def _create_campaigns(description: StackDescription) -> None:
    api = ApiClient(description.api_url, description.tokens["manager"], language="en")
    example = (EXAMPLE_DIR / "campaign.json").read_bytes()
    for campaign in (example, json.dumps(make_chat_campaign(utc_now())).encode()):
        response = api.send("POST", "/v1/campaigns", campaign)
        # A conflict means that the campaign exists and was changed since.
        if not response.is_success and response.status_code != HTTPStatus.CONFLICT:
            raise OperationError(f"a campaign was refused: {ApiRefusal.from_response(response)}")
    api.close()
