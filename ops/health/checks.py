"""Look for what a stage is missing, and say what to do about each."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from chalicelib.callers import Role
from chalicelib.crypto.keyring import FIELD_PURPOSE, HASH_PURPOSE, RESCUE_PURPOSE
from chalicelib.crypto.store import DynamoWrappedKeys
from ops.aws_errors import AWS_ERRORS, explain_aws_error
from ops.deploy.alarm_topics import ALARM_TOPICS, read_subscriptions
from ops.deploy.first_admin import FIRST_ADMIN, iter_clients
from ops.deploy.mail_setup import has_events
from ops.deploy.preflight import Level, inspect_account
from ops.deploy.sms_setup import has_receipts
from ops.deploy.stage_file import StageConfig
from ops.deploy.stages import Stage
from ops.sealed_items import list_tables

_SOON = timedelta(days=7)
_PURPOSES = (FIELD_PURPOSE, HASH_PURPOSE, RESCUE_PURPOSE)


@dataclass(frozen=True)
class Diagnosis:
    """The result of one check: what was found and, unless it is well, the command that mends it.

    Without a command, the text says what a person does elsewhere.
    """

    check: str
    is_ok: bool
    text: str
    command: str | None = None

    def __str__(self) -> str:
        advice = "" if self.command is None else f"; {self.command}"
        return f"{'ok  ' if self.is_ok else 'TODO'} {self.check}: {self.text}{advice}"


def examine(stage: Stage, now: datetime) -> list[Diagnosis]:
    """Return the results of all checks. A check that AWS does not answer is not well."""
    return [
        diagnosis
        for name, (check, is_for_local) in _CHECKS.items()
        if is_for_local or not stage.is_local
        for diagnosis in _run(name, check, stage, now)
    ]


Check = Callable[[Stage, datetime], Iterator[tuple[bool, str, str | None]]]


def _run(name: str, check: Check, stage: Stage, now: datetime) -> Iterator[Diagnosis]:
    try:
        yield from (Diagnosis(name, *found) for found in check(stage, now))
    except AWS_ERRORS as error:
        yield Diagnosis(name, is_ok=False, text=str(explain_aws_error(error)))


def _check_keys(stage: Stage, _now: datetime) -> Iterator[tuple[bool, str, str | None]]:
    keys = DynamoWrappedKeys(stage.aws_client("dynamodb"), stage.outputs["KeysTableName"])
    missing = [purpose for purpose in _PURPOSES if not any(keys.iter_by_purpose(purpose))]
    if missing:
        yield False, f"there is no data key for {', '.join(missing)}", _make_deploy_command(stage)
    else:
        yield True, "a data key for each purpose", None


def _check_admins(stage: Stage, now: datetime) -> Iterator[tuple[bool, str, str | None]]:
    admins = [each for each in iter_clients(stage) if Role.ADMIN in each.roles and not each.is_revoked(now)]
    if not admins:
        command = stage.format_command("clients enrol-admin ID")
        yield False, "no admin has a token that is valid: nobody can enrol clients", command
        return
    ends = [each.expires_at for each in admins if each.expires_at is not None]
    if len(ends) == len(admins) and max(ends) < now + _SOON:
        last = max(admins, key=lambda each: each.expires_at or now)
        command = stage.format_command(f"clients rotate {last.client_id}")
        yield False, f"the last admin's token ends at {last.expires_at:%Y-%m-%d %H:%M} UTC", command
        return
    yield True, f"{len(admins)} with a valid token", None
    if not stage.is_local and [each.client_id for each in admins] == [FIRST_ADMIN]:
        command = stage.format_command("clients enrol NAME --role admin")
        yield False, "the first admin is the only one, and its token lives for 30 days at most", command


def _check_devices(stage: Stage, now: datetime) -> Iterator[tuple[bool, str, str | None]]:
    ending = [
        each.client_id
        for each in iter_clients(stage)
        if Role.ADMIN not in each.roles
        and not each.is_revoked(now)
        and each.expires_at is not None
        and each.expires_at < now + _SOON
    ]
    if ending:
        named = ", ".join(ending[:5]) + (" ..." if len(ending) > 5 else "")  # noqa: PLR2004 - what fits a line
        text = f"the tokens of {len(ending)} clients end within a week ({named}); devices renew theirs"
        yield False, text, stage.format_command("clients list")
    else:
        yield True, "no client's token ends within a week", None


def _check_tables(stage: Stage, _now: datetime) -> Iterator[tuple[bool, str, str | None]]:
    dynamodb = stage.aws_client("dynamodb")
    tables = {table: stage.outputs[f"{table}Name"] for table in list_tables(stage.outputs)}
    without = [
        table
        for table, name in tables.items()
        if dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        .get("PointInTimeRecoveryDescription", {})
        .get("PointInTimeRecoveryStatus")
        != "ENABLED"
    ]
    if without:
        text = f"no point-in-time recovery of {', '.join(without)}"
        yield False, text, _make_deploy_command(stage)
    else:
        yield True, f"point-in-time recovery of {len(tables)} tables", None


def _check_account(stage: Stage, now: datetime) -> Iterator[tuple[bool, str, str | None]]:
    config = StageConfig(
        _get_stage_name(stage), region=stage.aws_client("sts").meta.region_name, parameters=stage.parameters
    )
    findings = inspect_account(config, stage.aws_client, today=now.date())
    yield from ((each.level is Level.NOTE, each.text, None) for each in findings)


def _check_receipts(stage: Stage, _now: datetime) -> Iterator[tuple[bool, str, str | None]]:
    configuration_set = stage.parameters.get("SmsConfigurationSet") or None
    if not stage.parameters.get("SmsProtectConfiguration"):
        text = "no protect configuration: SMS are not limited to Indonesia"
        yield False, text, _make_deploy_command(stage)
    try:
        is_ok = configuration_set is not None and has_receipts(
            stage.aws_client("pinpoint-sms-voice-v2"), configuration_set, stage.outputs["ReceiptsTopicArn"]
        )
    except (ClientError, BotoCoreError) as error:
        yield False, str(explain_aws_error(error)), None
        return
    if is_ok:
        yield True, "receipts of SMS come to the stage", None
    else:
        text = "receipts of SMS do not come to the stage: their outcome stays unknown"
        yield False, text, _make_deploy_command(stage)


def _check_bounces(stage: Stage, _now: datetime) -> Iterator[tuple[bool, str, str | None]]:
    if not stage.parameters.get("MailIdentity"):
        return  # The account's check says so.
    mail_set = stage.parameters.get("MailConfigurationSet")
    topic = stage.outputs["ReceiptsTopicArn"]
    if mail_set and has_events(stage.aws_client("sesv2"), mail_set, topic):
        yield True, "bounces and complaints of mails come to the stage", None
    else:
        text = "bounces of mails do not come to the stage: such a mail counts as delivered"
        yield False, text, _make_deploy_command(stage)


def _check_alarm_address(stage: Stage, _now: datetime) -> Iterator[tuple[bool, str, str | None]]:
    for topic, found in read_subscriptions(stage).items():
        alarms = ALARM_TOPICS[topic]
        if found.confirmed:
            yield True, f"{alarms}: {found.confirmed} confirmed", None
        elif found.total:
            text = f"{alarms}: not confirmed: open the mail from AWS in that mailbox and follow its link"
            yield False, text, None
        else:
            text = f"nobody gets {alarms}: name AlarmEmail in deploy.toml"
            yield False, text, _make_deploy_command(stage)


def _get_stage_name(stage: Stage) -> str:
    return stage.stack_name.removeprefix("daftar-")


def _make_deploy_command(stage: Stage) -> str:
    return "daftar up" if stage.is_local else f"daftar deploy --stage {_get_stage_name(stage)}"


# By the name that the report shows. The flag: it is checked on the local stack, too.
_CHECKS: dict[str, tuple[Check, bool]] = {
    "account": (_check_account, False),
    "keys": (_check_keys, True),
    "admins": (_check_admins, True),
    "tokens": (_check_devices, True),
    # The emulator knows no point-in-time recovery.
    "tables": (_check_tables, False),
    "receipts": (_check_receipts, False),
    "bounces": (_check_bounces, False),
    "alarms' address": (_check_alarm_address, False),
}
