"""Adapt the packaged template to the emulator, which reads some parts of it differently from AWS."""

from typing import Any

# AWS authorises a batch by the action of the single message; the emulator has an action of its own for it.
_SEND_ACTION, _SEND_BATCH_ACTION = "sqs:SendMessage", "sqs:SendMessageBatch"

# The emulator refuses a whole template for a type that it does not know, even under a condition.
_UNKNOWN_TYPES = {f"AWS::Backup::Backup{name}" for name in ("Vault", "Plan", "Selection")}
_VAULT_CONDITION = "VaultIsWanted"

# Of functions.
_UNKNOWN_PROPERTIES = {"DeploymentPreference", "SnapStart"}


def adapt_template(template: dict[str, Any]) -> dict[str, Any]:
    """Return the template in a form that the emulator understands.

    Bucket policies that demand TLS are left out: the emulator speaks plain HTTP. So is what it has no service
    for: CodeDeploy, snapshots of started functions, and the vault.
    """
    known = {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] not in _UNKNOWN_TYPES and resource.get("Condition") != _VAULT_CONDITION
    }
    resources = _drop_tls_policies(_allow_batch_sends(_drop_unknown_properties(known)))
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


def _drop_tls_policies(resources: dict[str, Any]) -> dict[str, Any]:
    return {
        name: resource
        for name, resource in resources.items()
        if not (resource["Type"] == "AWS::S3::BucketPolicy" and _is_tls_only(resource["Properties"]))
    }


def _is_tls_only(policy: dict[str, Any]) -> bool:
    statements = policy["PolicyDocument"]["Statement"]
    return all("aws:SecureTransport" in each.get("Condition", {}).get("Bool", {}) for each in statements)


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
