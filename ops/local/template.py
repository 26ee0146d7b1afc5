"""Adapt the packaged template to the emulator, which reads some parts of it differently from AWS."""

from typing import Any

# AWS authorises a batch by the action of the single message; the emulator has an action of its own for it.
_SEND_ACTION, _SEND_BATCH_ACTION = "sqs:SendMessage", "sqs:SendMessageBatch"

# Resources that the emulator refuses, even under a condition.
UNKNOWN_TYPES = {
    "AWS::Backup::BackupPlan",
    "AWS::Backup::BackupSelection",
    "AWS::Backup::BackupVault",
    "AWS::CloudWatch::CompositeAlarm",
    "AWS::WAFv2::WebACL",
    "AWS::WAFv2::WebACLAssociation",
}
_POLICY_TYPES = {"AWS::S3::BucketPolicy", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy"}
# Its role names the vault, which is left out.
_VAULT_CONDITION = "VaultIsWanted"

# Of functions.
_UNKNOWN_PROPERTIES = {"DeploymentPreference", "SnapStart"}


def adapt_template(template: dict[str, Any]) -> dict[str, Any]:
    """Return the template in a form that the emulator understands.

    Statements of policies that demand TLS are left out: the emulator speaks plain HTTP. So is what it has no
    service for.
    """
    known = {
        name: each
        for name, each in template["Resources"].items()
        if each["Type"] not in UNKNOWN_TYPES and each.get("Condition") != _VAULT_CONDITION
    }
    resources = _drop_tls_statements(_allow_batch_sends(_drop_unknown_properties(known)))
    return {**template, "Resources": {**resources, **_make_gateway_responses(resources)}}


def _drop_unknown_properties(resources: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {**resource, "Properties": _without(resource.get("Properties", {}), _UNKNOWN_PROPERTIES)}
        if resource["Type"] == "AWS::Serverless::Function"
        else resource
        for name, resource in resources.items()
    }


def _without(properties: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if name not in names}


def _allow_batch_sends(value: Any) -> Any:
    """Return the template with the emulator's batch action beside each permission to send messages."""
    if isinstance(value, list):
        return [_allow_batch_sends(inner) for inner in value]
    if not isinstance(value, dict):
        return value
    changed = {name: _allow_batch_sends(inner) for name, inner in value.items()}
    actions = changed.get("Action", [])
    listed = actions if isinstance(actions, list) else [actions]
    return {**changed, "Action": [*listed, _SEND_BATCH_ACTION]} if _SEND_ACTION in listed else changed


def _drop_tls_statements(resources: dict[str, Any]) -> dict[str, Any]:
    kept = {name: _without_tls(each) for name, each in resources.items()}
    return {name: each for name, each in kept.items() if each is not None}


def _without_tls(resource: dict[str, Any]) -> dict[str, Any] | None:
    """Return a policy of a bucket, topic or queue without its demands of TLS, None if nothing is left."""
    if resource["Type"] not in _POLICY_TYPES:
        return resource
    policy = resource["Properties"]["PolicyDocument"]
    statements = [
        each
        for each in policy["Statement"]
        if "aws:SecureTransport" not in each.get("Condition", {}).get("Bool", {})
    ]
    properties = {**resource["Properties"], "PolicyDocument": {**policy, "Statement": statements}}
    return {**resource, "Properties": properties} if statements else None


def _make_gateway_responses(resources: dict[str, Any]) -> dict[str, Any]:
    """Return SAM's GatewayResponses, which the emulator drops, as resources, which it creates.

    A deployment of the API serves the responses that exist before it. The emulator creates resources with the
    same dependencies in the order of their names, so these names sort before SAM's `RestAPIDeployment…`.
    """
    return {
        f"GatewayResponse{api}{kind.title().replace('_', '')}": {
            "Type": "AWS::ApiGateway::GatewayResponse",
            "Properties": {
                "RestApiId": {"Ref": api},
                "ResponseType": kind,
                **({"StatusCode": response["StatusCode"]} if "StatusCode" in response else {}),
                "ResponseParameters": {
                    f"gatewayresponse.header.{header}": value
                    for header, value in response.get("ResponseParameters", {}).get("Headers", {}).items()
                },
                "ResponseTemplates": response.get("ResponseTemplates", {}),
            },
        }
        for api, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Api"
        for kind, response in resource["Properties"].get("GatewayResponses", {}).items()
    }
