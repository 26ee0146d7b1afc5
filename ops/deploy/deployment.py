"""Deploy a stage step by step, from an account with nothing in it to a stage that registers."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.deploy import mail_setup, sms_setup
from ops.deploy.alarm_topics import list_unconfirmed
from ops.deploy.artefacts import create_artefact_bucket
from ops.deploy.change_sets import (
    ChangeSet,
    discard_change_set,
    execute_change_set,
    prepare_change_set,
)
from ops.deploy.cloudformation import (
    PREPARED_STATUS,
    check_functions,
    clear_failed_creation,
    upload_package,
    upload_template,
)
from ops.deploy.first_admin import enrol_first_admin
from ops.deploy.granted_actions import list_widened_roles
from ops.deploy.index_steps import iter_index_steps
from ops.deploy.kept_rights import keep_rights, list_keeping_functions
from ops.deploy.keys import create_missing_keys
from ops.deploy.packaging import Package, package_app
from ops.deploy.parameters import make_parameters, read_deployed_parameters
from ops.deploy.preflight import read_account
from ops.deploy.smoke_test import run_smoke_test
from ops.deploy.stage_file import StageConfig
from ops.deploy.stage_record import (
    StageRecord,
    find_local_endpoint,
    make_api_url,
    store_stage_record,
    write_stage_record,
)
from ops.deploy.stages import AwsClientFactory, Stage, describe_stage
from ops.deploy.versions import StageVersions, find_rolled_back
from ops.errors import OperationError
from ops.local.template import adapt_template
from ops.project import ROOT

STAGES_DIR = ROOT / ".daftar"


class DeploymentDeclined(OperationError):
    """The operator has looked at the changes and did not want them; the stack is as it was."""

    default_code = "deployment_declined"


@dataclass(frozen=True)
class PlannedUpdate:
    """An update of the stack that an operator has to confirm."""

    change_set: ChangeSet
    widened_roles: Sequence[str]


@dataclass
class DeploymentResult:
    """The result of a deployment. `admin_token` is set if the first admin was enrolled."""

    stage: Stage
    api_url: str
    record_file: Path
    changes: list[str] = field(default_factory=list)
    admin_token: str | None = None
    notes: list[str] = field(default_factory=list)
    smoke_campaign: str | None = None


class Deployment:
    """One run of `daftar deploy`. Each step may be repeated, and does nothing if it is done already."""

    def __init__(
        self,
        config: StageConfig,
        aws_client: AwsClientFactory,
        *,
        on_step: Callable[[str], None],
        confirm: Callable[[PlannedUpdate], bool],
    ) -> None:
        self._config = config
        self._aws_client = aws_client
        self._on_step = on_step
        self._confirm = confirm
        self._cloudformation = aws_client("cloudformation")
        self._notes: list[str] = []

    def run(
        self,
        output_dir: Path,
        *,
        with_smoke_test: bool,
        with_first_admin: bool = True,
        is_empty: bool = False,
    ) -> DeploymentResult:
        """Deploy. A stage that `is_empty` gets no keys, no admin and no synthetic worker.

        Raise DeploymentFailed, DeploymentDeclined, SmokeTestFailed or OperationError.
        """
        account = read_account(self._aws_client)
        self._on_step("packaging")
        package = self._package(output_dir)
        self._on_step("creating the bucket for packages")
        bucket = self._config.get_bucket(account)
        create_artefact_bucket(self._aws_client("s3"), bucket)
        self._on_step("creating the configuration sets of SMS and SES")
        parameters = make_parameters(self._config, self._aws_client, self._add_note)
        changes = self._update_stack(package, bucket, parameters)
        stage = describe_stage(self._config.stack_name, self._aws_client)
        self._make_live(package, stage)
        check_functions(package, stage)
        api_url = make_api_url(stage)
        if not is_empty:
            self._on_step("creating the data keys")
            create_missing_keys(stage)
        self._send_receipts(stage, parameters)
        if {"AlarmEmail", "TicketEmail"} & {*self._config.parameters}:
            self._notes += list_unconfirmed(stage)
        record = StageRecord(
            stack_name=stage.stack_name,
            region=self._config.region,
            account=account,
            api_url=api_url,
            package=package.digest,
            outputs=dict(stage.outputs),
        )
        file = write_stage_record(record, STAGES_DIR)
        store_stage_record(record, bucket, self._aws_client("s3"))
        result = DeploymentResult(stage, api_url, file, changes, notes=self._notes)
        if not is_empty:
            result.smoke_campaign, result.admin_token = try_out(
                stage,
                api_url,
                on_step=self._on_step,
                with_smoke_test=with_smoke_test,
                with_first_admin=with_first_admin,
            )
        return result

    def _package(self, output_dir: Path) -> Package:
        if find_local_endpoint() is None:
            return package_app(self._config.kind, output_dir)
        # The emulator runs the functions by this Python, on this machine.
        package = package_app("local", output_dir)
        self._notes.append("this is the emulator: parts of the template that it cannot read are adapted")
        return replace(package, template=adapt_template(package.template))

    def _update_stack(self, package: Package, bucket: str, parameters: Mapping[str, str]) -> list[str]:
        """Bring the stack to the package's template, one new index of a table at a time."""
        s3 = self._aws_client("s3")
        deployed = self._read_deployed_template()
        done: list[str] = []
        for step in iter_index_steps(deployed, package.template) if deployed else ():
            self._on_step("preparing an index, which DynamoDB creates one at a time")
            done += self._update(
                upload_template(step, bucket, s3),
                read_deployed_parameters(self._cloudformation, self._config.stack_name),
            )
        self._on_step("preparing the changes")
        if deployed:
            stage = describe_stage(self._config.stack_name, self._aws_client)
            rolled_back = find_rolled_back(stage, deployed)
            template = keep_rights(deployed, package.template, package.digest, rolled_back=rolled_back)
            if keeping := list_keeping_functions(template):
                self._add_note(
                    f"{len(keeping)} functions keep rights of the release before until the next one"
                )
            package = replace(package, template=template)
        widened = list_widened_roles(deployed, package.template) if deployed else []
        return done + self._update(upload_package(package, bucket, s3, parameters), parameters, widened)

    def _update(
        self, template_url: str, parameters: Mapping[str, str], widened_roles: Sequence[str] = ()
    ) -> list[str]:
        """Show an update, do it if it is wanted, and return its changes."""
        change_set = prepare_change_set(
            self._cloudformation, self._config.stack_name, template_url, parameters
        )
        if change_set is None:
            return []
        if not self._confirm(PlannedUpdate(change_set, widened_roles)):
            discard_change_set(self._cloudformation, change_set)
            raise DeploymentDeclined("the stack was not changed")
        self._on_step("deploying")
        execute_change_set(self._cloudformation, change_set)
        return [str(each) for each in change_set.changes if not each.is_derived]

    def _make_live(self, package: Package, stage: Stage) -> None:
        """Let the aliases name the package, also after a rollback, and remove versions of long ago."""
        versions = StageVersions(stage)
        if moves := versions.plan_release(package.digest):
            versions.move(moves)
            self._notes.append(f"{len(moves)} functions had been rolled back, and run this release again")
        versions.remove_old()

    def _read_deployed_template(self) -> dict[str, Any] | None:
        """Return the template of the stack as it was given, None if there is no stack that works."""
        status = clear_failed_creation(self._cloudformation, self._config.stack_name)
        if status in {None, PREPARED_STATUS}:
            return None
        body = self._cloudformation.get_template(StackName=self._config.stack_name, TemplateStage="Original")[
            "TemplateBody"
        ]
        template: dict[str, Any] = json.loads(body) if isinstance(body, str) else body
        return template

    def _send_receipts(self, stage: Stage, parameters: Mapping[str, str]) -> None:
        self._on_step("sending receipts of SMS and bounces of mails to the stack")
        topic = stage.outputs["ReceiptsTopicArn"]
        try:
            sms_setup.send_receipts_to(
                self._aws_client("pinpoint-sms-voice-v2"), parameters["SmsConfigurationSet"], topic
            )
        except (ClientError, BotoCoreError) as error:
            self._add_note(sms_setup.explain_missing_service(error))
        if mail_set := parameters.get("MailConfigurationSet"):
            try:
                mail_setup.send_events_to(self._aws_client("sesv2"), mail_set, topic)
            except (ClientError, BotoCoreError) as error:
                self._add_note(mail_setup.explain_missing_service(error))

    def _add_note(self, note: str) -> None:
        if note not in self._notes:
            self._notes.append(note)


def try_out(
    stage: Stage,
    api_url: str,
    *,
    on_step: Callable[[str], object],
    with_smoke_test: bool,
    with_first_admin: bool,
) -> tuple[str | None, str | None]:
    """Try a stage out, then enrol its first admin. Return the campaign and the token. Raise OperationError.

    The admin comes last: of a deployment that fails after it, nobody would see the token.
    """
    campaign_id = None
    if with_smoke_test:
        on_step("registering a synthetic worker, counting and erasing it")
        campaign_id = run_smoke_test(stage, api_url)
    return campaign_id, enrol_first_admin(stage) if with_first_admin else None
