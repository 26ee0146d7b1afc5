"""The resources of every function: role, log group, tracing. `functions.yaml` has what calls each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_TRUST_POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}

# X-Ray has no resource to name for these actions.
_TRACES_STATEMENT = {
    "Sid": "Traces",
    "Effect": "Allow",
    "Action": ["xray:PutTelemetryRecords", "xray:PutTraceSegments"],
    "Resource": "*",
}

_READ_QUEUE_ACTIONS = [
    "sqs:ChangeMessageVisibility",
    "sqs:DeleteMessage",
    "sqs:GetQueueAttributes",
    "sqs:ReceiveMessage",
]


def make_function_resources(
    permissions: Mapping[str, Sequence[Mapping[str, Any]]], events: Mapping[str, Any]
) -> dict[str, Any]:
    """Return properties, role and log group of every function.

    `permissions` is the content of roles.yaml, `events` are the resources of functions.yaml.
    """
    resources: dict[str, Any] = {}
    for function, granted in permissions.items():
        statements = [*_iter_queue_statements(function, events.get(function, {})), *granted]
        resources[function] = {
            "Properties": {
                # It replaces the placeholder of .chalice/config.json.
                "Role": {"Fn::GetAtt": [f"{function}Role", "Arn"]},
                "Tracing": {"Ref": "Tracing"},
                "LoggingConfig": {"LogGroup": {"Ref": f"{function}Logs"}},
            }
        }
        resources[f"{function}Role"] = _make_role(function, statements)
        resources[f"{function}Logs"] = _make_log_group(function)
    return resources


def _iter_queue_statements(function: str, resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the permission to read the queues that call a function."""
    events = resource.get("Properties", {}).get("Events", {}).values()
    arns = [event["Properties"]["Queue"] for event in events if "Queue" in event["Properties"]]
    if arns:
        yield {
            "Sid": function.removeprefix("On"),
            "Action": _READ_QUEUE_ACTIONS,
            "Resource": arns if len(arns) > 1 else arns[0],
        }


def _make_role(function: str, statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    logs = {
        "Sid": "Logs",
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
        "Resource": {"Fn::GetAtt": [f"{function}Logs", "Arn"]},
    }
    granted = [*(_make_statement(each) for each in statements), logs, _TRACES_STATEMENT]
    document = {"Version": "2012-10-17", "Statement": granted}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": _TRUST_POLICY,
            "Policies": [{"PolicyName": function, "PolicyDocument": document}],
        },
    }


def _make_statement(row: Mapping[str, Any]) -> dict[str, Any]:
    statement = {"Effect": "Allow", **{key: value for key, value in row.items() if key != "When"}}
    return {"Fn::If": [row["When"], statement, {"Ref": "AWS::NoValue"}]} if "When" in row else statement


def _make_log_group(function: str) -> dict[str, Any]:
    # Lambda's log format stays Text, because the functions write JSON themselves: its JSON format filters by
    # a second level. No customer managed key, because no log line names a person.
    return {
        "Type": "AWS::Logs::LogGroup",
        "UpdateReplacePolicy": "Retain",
        "DeletionPolicy": "Delete",
        "Properties": {
            "LogGroupName": {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{function}"},
            "RetentionInDays": {"Ref": "LogRetentionDays"},
        },
    }
