"""`daftar doctor`: what a stage is missing, and a command that exists for each."""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from moto import mock_aws

from chalicelib.callers import Role
from ops.cli import main
from ops.deploy.alarm_topics import list_unconfirmed
from ops.deploy.first_admin import enrol_directly, enrol_first_admin
from ops.deploy.keys import create_missing_keys
from ops.deploy.stages import Stage
from ops.health.checks import Diagnosis, examine
from tests.ops.command_lines import iter_commands, run_daftar
from tests.support.moto_tables import STAGE_ENVIRONMENT, create_tables, read_table_definitions

MONTH = timedelta(days=30)
TABLES = [name for name in STAGE_ENVIRONMENT.values() if name.endswith("Table")]


@pytest.fixture
def stage(_isolated_aws_environment: None) -> Iterator[Stage]:
    """A stage on AWS that is complete, but for what moto has none of: SMS, and its own stack."""
    with mock_aws():
        dynamodb = boto3.client("dynamodb")
        create_tables(dynamodb)
        for table in TABLES:
            dynamodb.update_continuous_backups(
                TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
            )
        topic = boto3.client("sns").create_topic(Name="alarms")["TopicArn"]
        outputs = {
            **{f"{name}Name": name for name in TABLES},
            "FieldKeyArn": boto3.client("kms").create_key()["KeyMetadata"]["Arn"],
            "AlarmTopicArn": topic,
            "TicketTopicArn": topic,
            "ReceiptsTopicArn": topic,
        }
        stage = Stage("daftar-prod", outputs, make_client, parameters={"SmsProtectConfiguration": "p-1"})
        boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-north-1:1:a")
        create_missing_keys(stage)
        for client_id in ("admin", "admin-2"):
            enrol_directly(stage, client_id, Role.ADMIN, lifetime=MONTH)
        yield stage


class Refusing:
    """CloudFormation for somebody who may not use it; moto's needs a library that we do not have."""

    def describe_stacks(self, **_: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied"}}, "DescribeStacks")


def make_client(service: str) -> Any:
    client: Any = boto3.client
    return Refusing() if service == "cloudformation" else client(service)


def find(stage: Stage, check: str) -> list[str]:
    """Return what a check found to do."""
    return [str(each) for each in examine(stage, datetime.now(UTC)) if each.check == check and not each.is_ok]


def test_a_complete_stage_has_nothing_to_do(stage: Stage) -> None:
    for check in ("keys", "admins", "tokens", "tables", "alarms' address"):
        assert find(stage, check) == []
        assert any(each.check == check for each in examine(stage, datetime.now(UTC)))


def test_a_deployment_says_which_alarms_nobody_has_confirmed_to_read(stage: Stage) -> None:
    assert list_unconfirmed(stage) == []
    sns = boto3.client("sns")
    unread = sns.create_topic(Name="tickets")["TopicArn"]

    outputs = {**stage.outputs, "TicketTopicArn": unread}
    assert list_unconfirmed(replace(stage, outputs=outputs)) == [
        "no subscription of TicketTopic is confirmed: see the alarms' mailbox"
    ]


def delete_keys(stage: Stage) -> Stage:
    boto3.client("dynamodb").delete_table(TableName="KeysTable")
    create_empty_table("KeysTable")
    return stage


def create_empty_table(name: str) -> None:
    boto3.client("dynamodb").create_table(TableName=name, **read_table_definitions()[name])


def delete_clients(stage: Stage) -> Stage:
    boto3.client("dynamodb").delete_table(TableName="ClientsTable")
    create_empty_table("ClientsTable")
    return stage


def keep_the_first_admin_only(stage: Stage) -> Stage:
    delete_clients(stage)
    enrol_first_admin(stage)
    return stage


def let_admins_end(stage: Stage) -> Stage:
    delete_clients(stage)
    enrol_directly(stage, "admin-2", Role.ADMIN, lifetime=timedelta(days=2))
    return stage


def let_a_device_end(stage: Stage) -> Stage:
    enrol_directly(stage, "van-1", Role.KIOSK, lifetime=timedelta(days=2))
    return stage


def switch_recovery_off(stage: Stage) -> Stage:
    delete_keys(stage)
    create_missing_keys(stage)
    return stage


def forget_the_alarms_address(stage: Stage) -> Stage:
    topic = boto3.client("sns").create_topic(Name="nobody")["TopicArn"]
    return replace(stage, outputs={**stage.outputs, "AlarmTopicArn": topic})


def send_mails_without_their_bounces(stage: Stage) -> Stage:
    mails = {"MailIdentity": "example.org", "MailConfigurationSet": ""}
    return replace(stage, parameters={**stage.parameters, **mails})


def forget_the_tickets_address(stage: Stage) -> Stage:
    topic = boto3.client("sns").create_topic(Name="nobody")["TopicArn"]
    return replace(stage, outputs={**stage.outputs, "TicketTopicArn": topic})


MISSING: dict[str, tuple[Callable[[Stage], Stage], str, str]] = {
    "keys": (
        *(delete_keys, "keys"),
        "TODO keys: there is no data key for field, hash, rescue; daftar deploy --stage prod",
    ),
    "admins": (
        *(delete_clients, "admins"),
        "TODO admins: no admin has a token that is valid: nobody can enrol clients; "
        "daftar clients enrol-admin ID --stack daftar-prod",
    ),
    "a second admin": (
        *(keep_the_first_admin_only, "admins"),
        "TODO admins: the first admin is the only one, and its token lives for 30 days at most; "
        "daftar clients enrol NAME --role admin --stack daftar-prod",
    ),
    "an admin for longer": (
        *(let_admins_end, "admins"),
        r"TODO admins: the last admin's token ends at [0-9: -]+ UTC; "
        "daftar clients rotate admin-2 --stack daftar-prod",
    ),
    "a token for longer": (
        *(let_a_device_end, "tokens"),
        r"TODO tokens: the tokens of 1 clients end within a week \(van-1\); devices renew theirs; "
        "daftar clients list --stack daftar-prod",
    ),
    "recovery": (
        *(switch_recovery_off, "tables"),
        "TODO tables: no point-in-time recovery of KeysTable; daftar deploy --stage prod",
    ),
    "bounces": (
        *(send_mails_without_their_bounces, "bounces"),
        "TODO bounces: bounces of mails do not come to the stage: such a mail counts as delivered; "
        "daftar deploy --stage prod",
    ),
    "an address for alarms": (
        *(forget_the_alarms_address, "alarms' address"),
        "TODO alarms' address: nobody gets the alarms that wake somebody: name AlarmEmail in deploy.toml; "
        "daftar deploy --stage prod",
    ),
    "an address for tickets": (
        *(forget_the_tickets_address, "alarms' address"),
        "TODO alarms' address: nobody gets the other alarms: name AlarmEmail in deploy.toml; "
        "daftar deploy --stage prod",
    ),
}


@pytest.mark.parametrize(("take_away", "check", "line"), MISSING.values(), ids=MISSING)
def test_what_is_missing_is_named_with_the_command_that_mends_it(
    take_away: Callable[[Stage], Stage], check: str, line: str, stage: Stage
) -> None:
    [found] = find(take_away(stage), check)

    assert re.fullmatch(line, found)


def test_a_check_that_aws_does_not_answer_is_not_well_and_stops_no_other(stage: Stage) -> None:
    # The stack may not be read, and moto does not know the SMS service.
    assert len(find(stage, "account")) == 1
    assert len(find(stage, "receipts")) == 1
    result = run_daftar("doctor", "--json", obj=stage)
    document = json.loads(result.stdout)
    assert (result.exit_code, document["error"]["code"]) == (1, "to_do")
    assert {each["check"] for each in document["result"]["checks"]} > {"keys", "account", "receipts"}


def test_every_command_that_the_checks_name_exists(stage: Stage) -> None:
    """The commands of all cases above, by the words that begin them."""
    known = {name for name, _ in iter_commands(main)}
    named = [line.rpartition("; daftar ")[2] for _, _, line in MISSING.values()]
    assert [each for each in named if not any(each.startswith(f"{name} ") for name in known)] == []


def test_an_admin_is_enrolled_without_a_token_when_none_is_left(stage: Stage) -> None:
    delete_clients(stage)

    enrolled = run_daftar("clients enrol-admin", "--json", obj=stage)

    assert enrolled.exit_code == 0, enrolled.output
    assert json.loads(enrolled.stdout)["result"]["token"]
    assert find(stage, "admins") == []
    again = CliRunner().invoke(main, ["clients", "enrol-admin", "admin-2"], obj=stage)
    assert (again.exit_code, again.stderr) == (
        1,
        "Error: there is a client admin-2 already: choose another id\n",
    )


def test_a_diagnosis_without_a_command_says_what_a_person_does() -> None:
    assert str(Diagnosis("SES", is_ok=False, text="ask for production access")) == (
        "TODO SES: ask for production access"
    )
