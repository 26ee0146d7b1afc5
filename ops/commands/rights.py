"""The actions of AWS that each command calls with the operator's own rights.

A policy for an operator names these actions on the resources of the stage. A command without actions here
only reads the stack and calls the API. The tests run the commands under exactly these rights.
"""

from collections.abc import Iterator, Mapping

# Every command with --stack looks its stage up.
READS_STACK = "cloudformation:DescribeStacks"

_OWN_NUMBER = {"kms": "Decrypt", "dynamodb": "GetItem Query"}
_DEAD_LETTERS = "ChangeMessageVisibility ReceiveMessage"

ACTIONS: Mapping[str, Mapping[str, str]] = {
    "clients enrol": {"dynamodb": "GetItem"},
    "clients enrol-admin": {"dynamodb": "ConditionCheckItem GetItem PutItem"},
    "dead-letters drop": {"sqs": f"{_DEAD_LETTERS} DeleteMessage"},
    "dead-letters list": {"sqs": _DEAD_LETTERS, "logs": "FilterLogEvents"},
    "dead-letters redrive": {
        "sqs": f"{_DEAD_LETTERS} DeleteMessage SendMessage",
        "dynamodb": "GetRecords GetShardIterator Scan",
        "lambda": "InvokeFunction",
    },
    "dead-letters show": {"sqs": _DEAD_LETTERS, "logs": "FilterLogEvents"},
    "deploy": {
        "sts": "GetCallerIdentity",
        "cloudformation": (
            "CreateChangeSet CreateStack DeleteChangeSet DeleteStack DescribeChangeSet DescribeStackEvents "
            "ExecuteChangeSet GetTemplate ListStackResources UpdateStack"
        ),
        "s3": (
            "CreateBucket ListBucket PutBucketPolicy PutBucketPublicAccessBlock PutBucketVersioning "
            "PutEncryptionConfiguration PutLifecycleConfiguration PutObject"
        ),
        "lambda": "GetAccountSettings GetFunctionConfiguration",
        "dynamodb": "ConditionCheckItem DeleteItem GetItem PutItem Query UpdateItem",
        "iam": "SimulatePrincipalPolicy",
        "kms": "GenerateDataKeyWithoutPlaintext",
        "sns": "ListSubscriptionsByTopic",
        "sms-voice": (
            "CreateConfigurationSet CreateEventDestination CreateProtectConfiguration "
            "DescribeAccountAttributes DescribeConfigurationSets DescribeProtectConfigurations "
            "DescribeSenderIds DescribeSpendLimits GetProtectConfigurationCountryRuleSet ListTagsForResource "
            "TagResource UpdateEventDestination UpdateProtectConfigurationCountryRuleSet"
        ),
        "ses": (
            "CreateConfigurationSet CreateConfigurationSetEventDestination GetAccount "
            "GetConfigurationSetEventDestinations GetEmailIdentity UpdateConfigurationSetEventDestination"
        ),
    },
    "doctor": {
        "sts": "GetCallerIdentity",
        "lambda": "GetAccountSettings",
        "dynamodb": "DescribeContinuousBackups Query",
        "sns": "ListSubscriptionsByTopic",
        "sms-voice": (
            "DescribeAccountAttributes DescribeConfigurationSets DescribeSenderIds DescribeSpendLimits"
        ),
        "ses": "GetAccount GetConfigurationSetEventDestinations GetEmailIdentity",
    },
    "export": {"dynamodb": "GetItem PutItem Query", "lambda": "InvokeFunction"},
    "opt-outs enter": {**_OWN_NUMBER, "dynamodb": "GetItem PutItem Query"},
    "opt-outs lift": {
        **_OWN_NUMBER,
        "dynamodb": "GetItem Query UpdateItem",
        "sms-voice": "DeleteOptedOutNumber DescribeOptedOutNumbers",
    },
    "opt-outs show": {**_OWN_NUMBER, "sms-voice": "DescribeOptedOutNumbers"},
    "records unreadable": {"dynamodb": "Query Scan", "kms": "Decrypt"},
    "restore": {
        "cloudformation": "ListStackResources",
        "dynamodb": (
            "BatchGetItem BatchWriteItem ConditionCheckItem DeleteItem DeleteTable DescribeContinuousBackups "
            "DescribeTable GetItem ListTables PutItem Query RestoreTableToPointInTime Scan UpdateItem"
        ),
        "events": "DisableRule EnableRule",
        # The last two are for --into.
        "kms": "Decrypt ReEncryptFrom ReEncryptTo",
        "lambda": (
            "DeleteFunctionConcurrency GetEventSourceMapping GetFunctionConfiguration InvokeFunction "
            "PutFunctionConcurrency UpdateEventSourceMapping"
        ),
        # The record of a stage whose stack is gone.
        "sts": "GetCallerIdentity",
        "s3": "DeleteObject GetObject ListBucket",
    },
    "roll-up": {"dynamodb": "GetItem", "lambda": "InvokeFunction"},
    "rollback": {
        "cloudformation": "CancelUpdateStack ListStackResources",
        "lambda": "GetFunctionConfiguration ListVersionsByFunction UpdateAlias",
    },
    "rotate": {
        "dynamodb": "ConditionCheckItem DeleteItem PutItem Query Scan UpdateItem",
        "kms": "Decrypt GenerateDataKeyWithoutPlaintext",
    },
    "sms release": {"dynamodb": "GetItem PutItem Query"},
    "sms resume": {"dynamodb": "GetItem UpdateItem"},
    "sms status": {"dynamodb": "GetItem Query"},
    "sms stop": {"dynamodb": "UpdateItem"},
    "status": {
        "cloudformation": "ListStackResources",
        "cloudwatch": "DescribeAlarms GetMetricData",
        "dynamodb": "GetItem Query",
        "lambda": "GetFunctionConcurrency GetFunctionConfiguration",
        "sqs": "GetQueueAttributes",
    },
}


def list_actions(command: str) -> frozenset[str]:
    """Return the actions of a command, as `dynamodb:GetItem`. Its name is what follows `daftar`."""
    return frozenset({READS_STACK, *_iter_actions(ACTIONS.get(command, {}))})


def _iter_actions(actions: Mapping[str, str]) -> Iterator[str]:
    return (f"{service}:{each}" for service, names in actions.items() for each in names.split())


def render_rights_table() -> str:
    """Return a Markdown table of the commands that have actions of their own."""
    rows = [f"| `daftar {command}` | {_format(actions)} |" for command, actions in ACTIONS.items()]
    return "\n".join(["| Command | Actions |", "|---|---|", *rows]) + "\n"


def _format(actions: Mapping[str, str]) -> str:
    return "; ".join(
        f"`{service}`: {', '.join(sorted(names.split()))}" for service, names in sorted(actions.items())
    )
