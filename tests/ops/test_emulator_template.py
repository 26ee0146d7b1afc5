"""Changes of the template for the emulator."""

import pytest

from ops.local.template import UNKNOWN_TYPES, adapt_template


def test_sam_gateway_responses_become_resources_that_sort_before_the_deployment() -> None:
    response = {
        "StatusCode": "401",
        "ResponseParameters": {"Headers": {"Cache-Control": "'no-store'"}},
        "ResponseTemplates": {"application/json": "{}"},
    }
    api = {"Type": "AWS::Serverless::Api", "Properties": {"GatewayResponses": {"ACCESS_DENIED": response}}}
    resources = adapt_template({"Resources": {"RestAPI": api}})["Resources"]
    assert resources["RestAPI"] == api
    [(name, made)] = [each for each in resources.items() if each[0] != "RestAPI"]
    assert name < "RestAPIDeployment"
    assert made == {
        "Type": "AWS::ApiGateway::GatewayResponse",
        "Properties": {
            "RestApiId": {"Ref": "RestAPI"},
            "ResponseType": "ACCESS_DENIED",
            "StatusCode": "401",
            "ResponseParameters": {"gatewayresponse.header.Cache-Control": "'no-store'"},
            "ResponseTemplates": {"application/json": "{}"},
        },
    }


def test_the_permission_to_send_messages_is_extended_to_batches_and_no_other_permission() -> None:
    statements = [
        {"Action": "sqs:SendMessage", "Effect": "Allow"},
        {"Action": ["sqs:SendMessage", "sqs:ReceiveMessage"], "Effect": "Allow"},
        {"Action": "dynamodb:GetItem", "Effect": "Allow"},
    ]
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {"Policies": [{"PolicyDocument": {"Statement": statements}}]},
    }
    changed = adapt_template({"Resources": {"Role": role}})["Resources"]["Role"]
    [policy] = changed["Properties"]["Policies"]
    assert [statement["Action"] for statement in policy["PolicyDocument"]["Statement"]] == [
        ["sqs:SendMessage", "sqs:SendMessageBatch"],
        ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:SendMessageBatch"],
        "dynamodb:GetItem",
    ]


@pytest.mark.parametrize("kind", ["S3::BucketPolicy", "SNS::TopicPolicy", "SQS::QueuePolicy"])
def test_demands_of_tls_are_left_out_of_policies_and_the_rest_stays(kind: str) -> None:
    tls = {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    other = {"Effect": "Deny", "Condition": {"StringEquals": {"aws:PrincipalArn": "x"}}}
    resources = {
        name: {"Type": f"AWS::{kind}", "Properties": {"PolicyDocument": {"Statement": statements}}}
        for name, statements in {"TLSOnly": [tls], "More": [tls, other]}.items()
    }
    adapted = adapt_template({"Resources": resources})["Resources"]
    assert {name: each["Properties"]["PolicyDocument"]["Statement"] for name, each in adapted.items()} == {
        "More": [other]
    }


@pytest.mark.parametrize("kind", sorted(UNKNOWN_TYPES))
def test_a_resource_that_the_emulator_refuses_is_left_out(kind: str) -> None:
    assert adapt_template({"Resources": {"R": {"Type": kind, "Properties": {}}}})["Resources"] == {}


def test_what_the_emulator_has_no_service_for_is_left_out_and_the_alias_stays() -> None:
    properties = {"Handler": "app.app", "AutoPublishAlias": "live"}
    function = {"Type": "AWS::Serverless::Function"}
    unknown = {"DeploymentPreference": {"Enabled": True}, "SnapStart": {"ApplyOn": "PublishedVersions"}}
    adapted = adapt_template({"Resources": {"F": {**function, "Properties": {**properties, **unknown}}}})
    assert adapted["Resources"] == {"F": {**function, "Properties": properties}}
