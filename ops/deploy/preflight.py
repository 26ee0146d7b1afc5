"""Look at an account before a stage is deployed into it: what stops, and what only a person can do."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from botocore.exceptions import BotoCoreError, ClientError

from infra.template import load_parameters
from ops.aws_errors import get_error_code
from ops.commands.rights import list_actions
from ops.deploy.cloudformation import FAILED_CREATION_STATUSES, PREPARED_STATUS, read_stack_status
from ops.deploy.runtimes import LAMBDA, read_end_of_support
from ops.deploy.stage_file import StageConfig
from ops.deploy.stages import AwsClientFactory
from ops.project import REGION

# A stack in another state is being changed, or was left half changed.
_UPDATABLE_STATUSES = {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE"}
# A creation that was prepared, or that failed, is done again.
_UNCREATED_STATUSES = {None, PREPARED_STATUS, *FAILED_CREATION_STATUSES}

# Ten functions, five senders and the API of a busy day. A new account has 10 (confidence medium).
_MIN_CONCURRENCY = 100
# Time to move to another runtime, and to try it on a stage without workers.
_MIN_SUPPORT = timedelta(days=180)
_SENDER = load_parameters()["SmsOriginationIdentity"]
_SMS_SPEND_LIMIT = "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT"


class Level(StrEnum):
    """The consequence of a finding: the deployment stops, a person has work to do, or none."""

    STOP = "stop"
    PERSON = "for a person"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    level: Level
    text: str

    def __str__(self) -> str:
        return f"{self.level}: {self.text}"


Check = Callable[[StageConfig, AwsClientFactory], Iterator[Finding]]


def inspect_account(config: StageConfig, aws_client: AwsClientFactory, *, today: date) -> list[Finding]:
    """Return the findings of all checks.

    Raise the SDK's error if AWS does not answer about the account or the stack: nothing may be deployed then.
    A further check that it does not answer is a finding.
    """
    return [
        *check_runtime(LAMBDA.runtime, today),
        *_check_account(config, aws_client),
        *_check_stack(config, aws_client),
        *(finding for name, check in _CHECKS.items() for finding in _run(name, check, config, aws_client)),
    ]


def inspect_rights(config: StageConfig, aws_client: AwsClientFactory) -> list[Finding]:
    """Return a finding for a person if the credentials may not do what `daftar deploy` does."""
    return list(_run("your rights", _check_rights, config, aws_client))


def check_runtime(runtime: str, today: date) -> Iterator[Finding]:
    """Yield a finding that stops if AWS supports a runtime for less than half a year from today."""
    end = read_end_of_support(runtime)
    if end - today < _MIN_SUPPORT:
        yield Finding(
            Level.STOP,
            f"AWS supports {runtime} until {end}: package for a later one (ops/deploy/runtimes.py)",
        )


def exists(config: StageConfig, aws_client: AwsClientFactory) -> bool:
    """Return True if the stage has a stack that was created."""
    return read_stack_status(aws_client("cloudformation"), config.stack_name) not in _UNCREATED_STATUSES


def read_account(aws_client: AwsClientFactory) -> str:
    """Return the id of the account that the credentials belong to."""
    return str(aws_client("sts").get_caller_identity()["Account"])


def _run(name: str, check: Check, config: StageConfig, aws_client: AwsClientFactory) -> Iterator[Finding]:
    try:
        yield from check(config, aws_client)
    except ClientError as error:
        yield Finding(Level.NOTE, f"{name} could not be looked at ({get_error_code(error)})")
    except BotoCoreError as error:
        yield Finding(Level.NOTE, f"{name} could not be looked at ({type(error).__name__})")


def _check_account(config: StageConfig, aws_client: AwsClientFactory) -> Iterator[Finding]:
    account = read_account(aws_client)
    if config.account not in {None, account}:
        yield Finding(Level.STOP, f"the credentials are of account {account}, the stage of {config.account}")
    if config.region != REGION:
        yield Finding(Level.NOTE, f"the stage is in {config.region}; Indonesia's region is {REGION}")


def _check_stack(config: StageConfig, aws_client: AwsClientFactory) -> Iterator[Finding]:
    client = aws_client("cloudformation")
    status = read_stack_status(client, config.stack_name)
    if status in _UNCREATED_STATUSES:
        return
    if status not in _UPDATABLE_STATUSES:
        yield Finding(Level.STOP, f"the stack {config.stack_name} is {status}: finish that first")
    else:
        outputs = client.describe_stacks(StackName=config.stack_name)["Stacks"][0].get("Outputs", [])
        if "KeysTableName" not in {each["OutputKey"] for each in outputs}:
            yield Finding(Level.STOP, f"the stack {config.stack_name} exists and is not Daftar")


def _check_rights(_config: StageConfig, aws_client: AwsClientFactory) -> Iterator[Finding]:
    """Compare the actions that `daftar deploy` calls itself with what the credentials may do.

    What CloudFormation does with these credentials is not among them: it says so itself, and undoes the rest.
    """
    arn = str(aws_client("sts").get_caller_identity()["Arn"])
    # IAM knows the role, not its session.
    role = re.sub(r":sts:(.*):assumed-role/([^/]+)/.*", r":iam:\1:role/\2", arn)
    pages = (
        aws_client("iam")
        .get_paginator("simulate_principal_policy")
        .paginate(PolicySourceArn=role, ActionNames=sorted(list_actions("deploy")))
    )
    denied = [
        each["EvalActionName"]
        for page in pages
        for each in page["EvaluationResults"]
        if each["EvalDecision"] != "allowed"
    ]
    if denied:
        yield Finding(
            Level.PERSON, f"your credentials may not call {', '.join(denied)}, or on some resources only"
        )


def _check_concurrency(_config: StageConfig, aws_client: AwsClientFactory) -> Iterator[Finding]:
    limit = aws_client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    if limit < _MIN_CONCURRENCY:
        yield Finding(
            Level.PERSON,
            f"the account runs {limit} functions at once: ask Service Quotas for {_MIN_CONCURRENCY}",
        )


def _check_mail(config: StageConfig, aws_client: AwsClientFactory) -> Iterator[Finding]:
    identity = config.parameters.get("MailIdentity")
    if not identity:
        yield Finding(Level.NOTE, "managers get no mails: the stage has no MailFrom and MailIdentity")
        return
    client = aws_client("sesv2")
    account = client.get_account()
    if not account.get("ProductionAccessEnabled"):
        yield Finding(Level.PERSON, "SES is in its sandbox: ask for production access")
    if not account.get("SendingEnabled", True):
        yield Finding(Level.PERSON, "SES does not send for this account: see its console for the reason")
    try:
        is_verified = client.get_email_identity(EmailIdentity=identity)["VerifiedForSendingStatus"]
    except client.exceptions.NotFoundException:
        is_verified = False
    if not is_verified:
        yield Finding(Level.PERSON, f"SES has not verified {identity}: create it there")


def _check_sms(config: StageConfig, aws_client: AwsClientFactory) -> Iterator[Finding]:
    client = aws_client("pinpoint-sms-voice-v2")
    attributes = {
        each["Name"]: each["Value"] for each in client.describe_account_attributes()["AccountAttributes"]
    }
    if attributes.get("ACCOUNT_TIER") == "SANDBOX":
        yield Finding(Level.PERSON, "SMS are in the sandbox: ask for production access")
    for limit in client.describe_spend_limits()["SpendLimits"]:
        if limit["Name"] == _SMS_SPEND_LIMIT:
            yield Finding(Level.NOTE, f"SMS cost {limit['EnforcedLimit']} US dollars a month at most")
    sender = config.parameters.get("SmsOriginationIdentity", _SENDER["Default"])
    known = client.describe_sender_ids(SenderIds=[{"SenderId": sender, "IsoCountryCode": "ID"}])["SenderIds"]
    if not any(each.get("Registered") for each in known):
        yield Finding(Level.PERSON, f"the sender id {sender} is not registered for Indonesia: it takes weeks")


def _check_alarms(config: StageConfig, _aws_client: AwsClientFactory) -> Iterator[Finding]:
    if not config.parameters.get("AlarmEmail"):
        yield Finding(Level.NOTE, "nobody gets the alarms: the stage has no AlarmEmail")


_CHECKS: dict[str, Check] = {
    "Lambda's quota": _check_concurrency,
    "SES": _check_mail,
    "AWS End User Messaging SMS": _check_sms,
    "the alarms' address": _check_alarms,
}
