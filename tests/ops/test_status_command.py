"""`daftar status`: how a stage is, and an exit status by its health."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from click.testing import Result

from chalicelib.campaigns.model import Campaign
from chalicelib.messaging.rate_limiter import SendingStop
from chalicelib.messaging.store import DynamoSendRateLimiter
from chalicelib.notifications.model import SmsState
from infra.functions import ALIAS
from infra.template import join_template
from ops.commands.sms import make_ledger
from ops.deploy.stages import Stage
from ops.health.status import SCHEDULES
from tests.ops.command_lines import run_daftar
from tests.support.app_loader import make_container
from tests.support.payloads import make_campaign_payload
from tests.support.registration_builders import make_sms

NAME = "daftar-prod"
CREATED_AT = datetime(2026, 1, 1, tzinfo=UTC)
PACKAGE = "a" * 43 + "="


class Stack:
    """CloudFormation and Lambda as a stage on AWS shows them; the test says what differs."""

    def __init__(self) -> None:
        self.status = "UPDATE_COMPLETE"
        self.created_at = CREATED_AT
        self.packages = dict.fromkeys(("APIHandler", *SCHEDULES), PACKAGE)
        self.is_refused: set[str] = set()
        self.concurrency: dict[str, int] = {}

    def make_client(self, service: str) -> Any:
        return self if service in {"cloudformation", "lambda"} else boto3.client(service)  # type: ignore[call-overload]

    def describe_stacks(self, **_: str) -> dict[str, Any]:
        return {"Stacks": [{"StackStatus": self.status, "CreationTime": self.created_at}]}

    def get_paginator(self, _operation: str) -> "Stack":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        kind = {"ResourceType": "AWS::Lambda::Function"}
        return [
            {
                "StackResourceSummaries": [
                    {**kind, "LogicalResourceId": name, "PhysicalResourceId": name} for name in self.packages
                ]
            }
        ]

    def get_function_concurrency(self, FunctionName: str) -> dict[str, int]:  # noqa: N803 - the SDK's name
        return self.concurrency

    def get_function_configuration(self, FunctionName: str, Qualifier: str) -> dict[str, str]:  # noqa: N803
        assert Qualifier == ALIAS  # What is called, also after a rollback.
        return {"CodeSha256": self.packages[FunctionName], "Runtime": "python3.13"}


@pytest.fixture
def stack(moto_stage: None) -> Stack:
    return Stack()


@pytest.fixture
def stage(stack: Stack) -> Stage:
    resources = join_template()["Resources"]
    queues = [name for name, each in resources.items() if each.get("Type") == "AWS::SQS::Queue"]
    sqs = boto3.client("sqs")
    urls = {f"{name}Url": sqs.create_queue(QueueName=name)["QueueUrl"] for name in queues}
    tables = ("CampaignsTable", "SmsLedgerTable", "SendingTable", *SCHEDULES)
    campaign = make_campaign_payload(
        first_day=str(today()), last_day=str(today()), accepts_until=str(today())
    )
    make_container().campaigns.open(Campaign.model_validate(campaign))
    for function in SCHEDULES:
        record_run(function, datetime.now(UTC) - timedelta(seconds=30))
    return Stage(NAME, {**urls, **{f"{name}Name": name for name in tables}}, stack.make_client)


def today() -> Any:
    return datetime.now(UTC).date()


def record_run(function: str, at: datetime) -> None:
    boto3.client("cloudwatch").put_metric_data(
        Namespace="AWS/Lambda",
        MetricData=[
            {
                "MetricName": "Invocations",
                "Dimensions": [{"Name": "FunctionName", "Value": function}],
                "Value": 1,
                "Timestamp": at,
            }
        ],
    )


def run(stage: Stage) -> tuple[Result, dict[str, Any]]:
    result = run_daftar("status", "--json", obj=stage)
    return result, json.loads(result.stdout)["result"]


def test_a_stage_in_good_health_has_no_problem_and_exits_with_0(stage: Stage) -> None:
    result, found = run(stage)

    assert (result.exit_code, found["problems"]) == (0, [])
    assert found["versions"]["packages"] == [PACKAGE]
    assert set(found["schedules"]) == set(SCHEDULES)
    assert None not in found["schedules"].values()
    lines = run_daftar("status", obj=stage).stdout.splitlines()
    assert "no message waits" in lines
    assert any(line.startswith("QueueDueSms: last run at 20") for line in lines)


def fail_a_message(stage: Stage, _stack: Stack) -> None:
    queue = stage.outputs["NotificationsDeadLettersUrl"]
    stage.aws_client("sqs").send_message(QueueUrl=queue, MessageBody="{}")


def hold_an_sms(stage: Stage, _stack: Stack) -> None:
    make_ledger(stage).get_or_create(make_sms(1).hold("budget_exhausted"))


def stop_sending(stage: Stage, _stack: Stack) -> None:
    DynamoSendRateLimiter(boto3.client("dynamodb"), "SendingTable").stop(SendingStop("maintenance", None))


def leave_it_closed(_stage: Stage, stack: Stack) -> None:
    stack.concurrency = {"ReservedConcurrentExecutions": 0}


def ring_an_alarm(_stage: Stage, _stack: Stack) -> None:
    cloudwatch = boto3.client("cloudwatch")
    for name in (f"{NAME}-SmsHeld-1", "daftar-dev-SmsHeld-1"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            Namespace="Daftar",
            MetricName="SmsHeld",
            ComparisonOperator="GreaterThanOrEqualToThreshold",
            EvaluationPeriods=1,
            Period=300,
            Threshold=1,
            Statistic="Sum",
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")


def deploy_half(_stage: Stage, stack: Stack) -> None:
    stack.packages["QueueDueSms"] = "b" * 43 + "="


def fail_the_update(_stage: Stage, stack: Stack) -> None:
    stack.status = "UPDATE_ROLLBACK_FAILED"


ILLNESSES: dict[str, tuple[Callable[[Stage, Stack], None], str]] = {
    "a message that failed for good": (
        fail_a_message,
        "NotificationsDeadLetters: 1 failed for good; daftar dead-letters list --stack daftar-prod",
    ),
    "an SMS that is held": (hold_an_sms, "held SMS: 1; daftar sms status --stack daftar-prod says why"),
    "a stop": (stop_sending, "no SMS is sent (maintenance); daftar sms resume --stack daftar-prod"),
    "an alarm of this stage": (ring_an_alarm, "ringing alarms: 1; docs/operating.md says what to do"),
    "functions of two packages": (deploy_half, "functions run 2 different packages; deploy the stage again"),
    "a stage that is closed": (
        leave_it_closed,
        f"{len(SCHEDULES) + 1} functions are closed, as a restore that failed leaves them; "
        "daftar restore --open --stack daftar-prod",
    ),
    "an update that failed": (fail_the_update, "the stack is UPDATE_ROLLBACK_FAILED"),
}


@pytest.mark.parametrize(("fall_ill", "problem"), ILLNESSES.values(), ids=ILLNESSES)
def test_each_illness_is_one_problem_and_makes_the_exit_status_1(
    fall_ill: Callable[[Stage, Stack], None], problem: str, stage: Stage, stack: Stack
) -> None:
    fall_ill(stage, stack)

    result, found = run(stage)

    assert (result.exit_code, found["problems"]) == (1, [problem])
    assert json.loads(result.stdout)["error"]["code"] == "unhealthy"


def test_a_schedule_that_is_silent_is_a_problem_unless_the_stage_is_too_new_to_have_run_it(
    stage: Stage, stack: Stack
) -> None:
    stage = replace(stage, outputs={**stage.outputs, "QueueDueSmsName": "never-run"})
    assert run(stage)[1]["problems"] == ["QueueDueSms has not run for 2 min: look at its rule and its log"]

    stack.created_at = datetime.now(UTC) - timedelta(minutes=1)
    assert run(stage)[1]["problems"] == []


def test_sms_with_an_unknown_outcome_are_counted(stage: Stage) -> None:
    sms = make_sms(1, day=today(), state=SmsState.UNKNOWN, attempts=1)
    make_ledger(stage).get_or_create(sms)

    assert run(stage)[1]["sms"]["unknown"] == 1


def test_what_aws_does_not_answer_is_named_and_the_rest_is_shown(stage: Stage) -> None:
    boto3.client("dynamodb").delete_table(TableName="SmsLedgerTable")

    result, found = run(stage)

    assert result.exit_code == 1
    assert found["problems"] == ["sms: AWS refused Query (ResourceNotFoundException)"]
    assert found["versions"]["packages"] == [PACKAGE]
