"""What `daftar deploy` says of an update before it is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from infra.template import join_template
from ops.deploy.change_sets import (
    Change,
    ChangeSet,
    discard_change_set,
    execute_change_set,
    prepare_change_set,
)
from ops.deploy.cloudformation import DeploymentFailed
from ops.deploy.granted_actions import list_widened_roles
from ops.project import REGION

ARN = "arn:aws:cloudformation:ap-southeast-3:123456789012:changeSet/daftar/1"


def make_role(*statements: dict[str, Any]) -> dict[str, Any]:
    policies = [{"PolicyName": "P", "PolicyDocument": {"Statement": list(statements)}}]
    return {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": {"Policies": policies}}}}


def allow(action: Any, resource: Any = "arn:t", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("before", "after", "wider"),
    [
        ([allow("s3:Get*")], [allow("s3:Get*")], []),
        ([allow("s3:Get*")], [], []),
        ([], [allow(["s3:Get*", "s3:Put*"])], ["R may s3:Get* on arn:t", "R may s3:Put* on arn:t"]),
        ([allow("s3:Get*")], [allow("s3:Get*", ["arn:t", "*"])], ["R may s3:Get* on *"]),
        (
            [allow("kms:Decrypt", Condition={"StringEquals": {"a": "b"}})],
            [allow("kms:Decrypt")],
            ["R may kms:Decrypt on arn:t"],
        ),
        (
            [],
            [{"Fn::If": ["Mails", allow("ses:SendEmail", Condition={"x": 1}), {"Ref": "AWS::NoValue"}]}],
            ["R may ses:SendEmail on arn:t under a condition"],
        ),
        ([], [{**allow("s3:*"), "Effect": "Deny"}], []),
    ],
)
def test_each_new_right_of_a_role_is_named(
    before: list[dict[str, Any]], after: list[dict[str, Any]], wider: list[str]
) -> None:
    assert list_widened_roles(make_role(*before), make_role(*after)) == wider


def test_every_right_of_our_own_template_is_seen() -> None:
    template = join_template()
    assert list_widened_roles(template, template) == []
    assert len(list_widened_roles({}, template)) > 100


@contextmanager
def stub_cloudformation(*responses: tuple[str, Any, tuple[str, str] | None]) -> Iterator[Any]:
    """Yield a client of CloudFormation that gives these responses, or errors by code and message."""
    client = boto3.client("cloudformation", REGION, aws_access_key_id="-", aws_secret_access_key="-")
    with Stubber(client) as stubber:
        for method, response, error in responses:
            if error is None:
                stubber.add_response(method, response)
            else:
                stubber.add_client_error(method, *error)
        yield client
        stubber.assert_no_pending_responses()


def prepare(*responses: tuple[str, Any, Any]) -> Any:
    """Prepare an update with a CloudFormation that gives these responses."""
    stubbed = [
        (method, response, error and ("ValidationError", error)) for method, response, error in responses
    ]
    with stub_cloudformation(*stubbed) as client:
        return prepare_change_set(client, "daftar-try", "https://example.org/t.json", {"Stage": "dev"})


def use(change: Callable[[Any, ChangeSet], None], *responses: tuple[str, Any, str | None]) -> None:
    """Do something with the change set of a new stack, and a CloudFormation that gives these responses."""
    stubbed = [(method, response, (error, "") if error else None) for method, response, error in responses]
    with stub_cloudformation(*stubbed) as client:
        change(client, ChangeSet("daftar-try", ARN, is_new_stack=True, changes=[]))


def test_a_declined_change_set_takes_no_stack_along_that_another_deployment_has_made() -> None:
    use(discard_change_set, DELETE, make_stack("CREATE_IN_PROGRESS"))
    use(discard_change_set, DELETE, make_stack("REVIEW_IN_PROGRESS"), ("delete_stack", {}, None))


def test_the_second_of_two_deployments_at_once_is_told_so() -> None:
    with pytest.raises(DeploymentFailed, match="another deployment has changed daftar-try meanwhile"):
        use(execute_change_set, ("execute_change_set", {}, "InvalidChangeSetStatus"))


def make_stack(status: str) -> tuple[str, Any, Any]:
    stack = {"StackName": "daftar-try", "StackStatus": status, "CreationTime": "2026-11-29T00:00:00Z"}
    return ("describe_stacks", {"Stacks": [stack]}, None)


def describe(status: str, *changes: dict[str, Any], **more: Any) -> tuple[str, Any, Any]:
    listed = [{"Type": "Resource", "ResourceChange": each} for each in changes]
    return ("describe_change_set", {"Status": status, "Changes": listed, **more}, None)


CREATE: tuple[str, Any, Any] = ("create_change_set", {"Id": ARN}, None)
DELETE: tuple[str, Any, Any] = ("delete_change_set", {}, None)


def change(action: str, name: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"Action": action, "LogicalResourceId": name, "ResourceType": kind, **more}


def test_what_loses_data_stands_first_and_every_page_is_read() -> None:
    cause = {"Target": {"Attribute": "Properties", "Name": "KeySchema"}}
    first = describe("CREATE_COMPLETE", change("Add", "Q", "AWS::SQS::Queue"), NextToken="2")
    second = describe(
        "CREATE_COMPLETE",
        change("Modify", "F", "AWS::Lambda::Function", Replacement="False"),
        change("Modify", "T", "AWS::DynamoDB::Table", Replacement="True", Details=[cause]),
    )
    found = prepare(make_stack("UPDATE_COMPLETE"), CREATE, describe("CREATE_COMPLETE"), first, second)
    assert found.changes == [
        Change("replace", "T", "AWS::DynamoDB::Table", ("KeySchema",)),
        Change("add", "Q", "AWS::SQS::Queue"),
        Change("change", "F", "AWS::Lambda::Function"),
    ]
    assert [each.is_destructive for each in found.changes] == [True, False, False]
    assert str(found.changes[0]) == "replace T, DynamoDB::Table (KeySchema)"
    assert not found.is_new_stack


def test_versions_and_aliases_follow_from_the_functions_that_change() -> None:
    found = prepare(
        make_stack("UPDATE_COMPLETE"),
        CREATE,
        describe("CREATE_COMPLETE"),
        describe(
            "CREATE_COMPLETE",
            change("Add", "FVersion1", "AWS::Lambda::Version"),
            change("Modify", "FAliaslive", "AWS::Lambda::Alias", Replacement="False"),
            change("Modify", "F", "AWS::Lambda::Function", Replacement="False"),
        ),
    )
    assert {each.logical_id: each.is_derived for each in found.changes} == {
        "FVersion1": True,
        "FAliaslive": True,
        "F": False,
    }


def test_a_resource_that_only_refers_to_a_changed_one_is_a_derived_change() -> None:
    details = [{"Target": {"Attribute": "Properties", "Name": "Dimensions"}, "Evaluation": "Dynamic"}]
    alarm = change("Modify", "A", "AWS::CloudWatch::Alarm", Replacement="Conditional", Details=details)
    mixed = [*details, {"Target": {"Attribute": "Properties", "Name": "Period"}, "Evaluation": "Static"}]
    own = change("Modify", "B", "AWS::CloudWatch::Alarm", Replacement="False", Details=mixed)
    page = describe("CREATE_COMPLETE", alarm, own)
    found = prepare(make_stack("UPDATE_COMPLETE"), CREATE, describe("CREATE_COMPLETE"), page)
    assert [(each.logical_id, each.is_derived) for each in found.changes] == [("B", False), ("A", True)]


def test_a_removed_bucket_loses_data_and_a_removed_alarm_does_not() -> None:
    assert Change("remove", "B", "AWS::S3::Bucket").is_destructive
    assert not Change("remove", "A", "AWS::CloudWatch::Alarm").is_destructive
    assert not Change("perhaps replace", "A", "AWS::IAM::Role").is_destructive


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information.",
        "No updates are to be performed.",
    ],
)
def test_an_update_without_changes_is_none(reason: str) -> None:
    failed = describe("FAILED", StatusReason=reason)
    assert prepare(make_stack("UPDATE_COMPLETE"), CREATE, failed, failed, DELETE) is None


def test_a_refused_template_fails_with_its_reason() -> None:
    failed = describe("FAILED", StatusReason="Transform failed")
    with pytest.raises(DeploymentFailed, match="Transform failed"):
        prepare(make_stack("UPDATE_COMPLETE"), CREATE, failed, failed, DELETE)


def test_a_stack_that_does_not_exist_is_new() -> None:
    missing = ("describe_stacks", None, "Stack with id daftar-try does not exist")
    assert prepare(missing, CREATE, describe("CREATE_COMPLETE"), describe("CREATE_COMPLETE")).is_new_stack
