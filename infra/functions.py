"""The resources of every function: role, log group, tracing, versions. `functions.yaml` has what calls each.

Callers use the alias `live`, never the function itself. Each deployment publishes a version, and CodeDeploy
moves the alias to it: a tenth of the calls for five minutes, then all. An alarm in that time moves it back.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

# `daftar rollback` moves it.
ALIAS = "live"

# The number of the format of stored items. It is raised by a release that stores what the release before it
# cannot read, or stores no longer what it reads; that one must have been able to read both. `daftar rollback`
# looks at it.
ITEM_FORMAT = 1

# A caller waits while these start. A snapshot of each of the others would cost more than its starts are
# worth.
_ANSWERING = ("APIHandler", "AuthorizeCaller")

# The error of an unknown token is an error of the authorizer, so the metric of its real errors is our own.
_ROLLBACK_ALARMS = {"AuthorizeCaller": "TokensNotChecked"}
_COMMON_ROLLBACK_ALARM = "RequestsFailed"

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
                "AutoPublishAlias": ALIAS,
                "VersionDescription": f"item format {ITEM_FORMAT}",
                "DeploymentPreference": _make_deployment_preference(function),
                **({"SnapStart": {"ApplyOn": {"Ref": "SnapStart"}}} if function in _ANSWERING else {}),
            }
        }
        resources[f"{function}Role"] = _make_role(function, statements)
        resources[f"{function}Logs"] = _make_log_group(function)
    return resources


def _make_deployment_preference(function: str) -> dict[str, Any]:
    alarms = [_ROLLBACK_ALARMS.get(function, f"{function}Errors"), _COMMON_ROLLBACK_ALARM]
    return {
        "Enabled": {"Ref": "Canary"},
        "Type": "Canary10Percent5Minutes",
        "Alarms": [{"Ref": alarm} for alarm in alarms],
        "Role": {"Fn::GetAtt": ["TrafficShiftRole", "Arn"]},
    }


def make_traffic_shift_role(functions: Iterable[str]) -> dict[str, Any]:
    """Return the role by which CodeDeploy moves the aliases of these functions, and of no other."""
    arns = [{"Fn::Sub": f"${{{function}.Arn}}{end}"} for function in functions for end in ("", f":{ALIAS}")]
    statements = [
        {
            "Sid": "MovesAliases",
            "Effect": "Allow",
            "Action": ["lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"],
            "Resource": arns,
        },
        # CloudWatch has no resource to name for this action.
        {"Sid": "ReadsAlarms", "Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*"},
    ]
    policy = {"Version": "2012-10-17", "Statement": statements}
    role = {
        "AssumeRolePolicyDocument": _make_trust_policy("codedeploy.amazonaws.com"),
        "Policies": [{"PolicyName": "TrafficShift", "PolicyDocument": policy}],
    }
    return {"TrafficShiftRole": {"Type": "AWS::IAM::Role", "Properties": role}}


def _make_trust_policy(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


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
            "AssumeRolePolicyDocument": _make_trust_policy("lambda.amazonaws.com"),
            "Policies": [{"PolicyName": function, "PolicyDocument": document}],
        },
    }


def _make_statement(row: Mapping[str, Any]) -> dict[str, Any]:
    statement = {"Effect": "Allow", **{key: value for key, value in row.items() if key != "When"}}
    return {"Fn::If": [row["When"], statement, {"Ref": "AWS::NoValue"}]} if "When" in row else statement


def _make_log_group(function: str) -> dict[str, Any]:
    # Lambda's log format stays Text, because the functions write JSON themselves: its JSON format filters by
    # a second level.
    return {
        "Type": "AWS::Logs::LogGroup",
        "UpdateReplacePolicy": "Retain",
        "DeletionPolicy": "Delete",
        "Properties": {
            "LogGroupName": {"Fn::Sub": f"/aws/lambda/${{AWS::StackName}}-{function}"},
            "RetentionInDays": {"Ref": "LogRetentionDays"},
            "KmsKeyId": {"Fn::GetAtt": ["LogsKey", "Arn"]},
        },
    }
