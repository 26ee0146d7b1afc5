"""The queues that keep what failed for good, and who may write to each.

They follow from queues.yaml and functions.yaml. One for each schedule, because each needs another remedy.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# The longest time that SQS keeps a message.
_RETENTION_SECONDS = 14 * 24 * 60 * 60

_KEY_PROPERTIES = ("KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds")


@dataclass(frozen=True)
class DeadLetterQueue:
    """A dead-letter queue, by its logical id, and the function that failed.

    The function reads `source_queue`, or the table's stream, or else is invoked with an event.
    """

    logical_id: str
    function_id: str
    source_queue: str | None = None
    is_for_stream: bool = False


def list_dead_letter_queues(resources: Mapping[str, Any]) -> list[DeadLetterQueue]:
    """Return every queue that a queue, the stream or an event names as the one for what failed for good."""
    of_queues, of_functions = [], []
    for function_id, function in resources.items():
        properties = function.get("Properties", {})
        for event in properties.get("Events", {}).values():
            source = event["Properties"]
            if "Queue" in source:
                queue = _get_logical_id(source["Queue"])
                dead_letters = resources[queue]["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]
                of_queues.append(DeadLetterQueue(_get_logical_id(dead_letters), function_id, queue))
            if "Stream" in source:
                of_functions.append(_make_row(source, function_id, is_for_stream=True))
        if "EventInvokeConfig" in properties:
            of_functions.append(_make_row(properties["EventInvokeConfig"], function_id))
    return [*of_queues, *of_functions]


def _make_row(config: Mapping[str, Any], function_id: str, *, is_for_stream: bool = False) -> DeadLetterQueue:
    destination = config["DestinationConfig"]["OnFailure"]["Destination"]
    return DeadLetterQueue(_get_logical_id(destination), function_id, is_for_stream=is_for_stream)


def _get_logical_id(reference: Mapping[str, Any]) -> str:
    logical_id: str = reference["Fn::GetAtt"][0]
    return logical_id


def make_dead_letter_queues(
    resources: Mapping[str, Any], queues: Iterable[DeadLetterQueue]
) -> dict[str, Any]:
    """Return `queues` as resources, and the policies of those that a rule writes to."""
    made: dict[str, Any] = {}
    for each in queues:
        if each.source_queue:
            # By its name, so that the two resources do not depend on each other.
            name = resources[each.source_queue]["Properties"]["QueueName"]["Fn::Sub"]
            source = {"Fn::Sub": f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:{name}"}
            permission = {"redrivePermission": "byQueue", "sourceQueueArns": [source]}
        else:
            permission = {"redrivePermission": "denyAll"}
            if not each.is_for_stream:
                made[f"{each.logical_id}Policy"] = _make_policy(each.logical_id)
        source_properties = resources[each.source_queue]["Properties"] if each.source_queue else {}
        made[each.logical_id] = _make_queue(permission, source_properties)
    return made


def _make_queue(redrive_allow_policy: dict[str, Any], source_properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a queue that is encrypted and ordered as its source queue is."""
    encryption = {name: source_properties[name] for name in _KEY_PROPERTIES if name in source_properties}
    order = {"FifoQueue": True} if source_properties.get("FifoQueue") else {}
    return {
        "Type": "AWS::SQS::Queue",
        "Properties": {
            **(encryption or {"SqsManagedSseEnabled": True}),
            **order,
            "MessageRetentionPeriod": _RETENTION_SECONDS,
            "RedriveAllowPolicy": redrive_allow_policy,
        },
    }


def _make_policy(queue: str) -> dict[str, Any]:
    statement = {
        "Sid": "RuleWritesUndeliveredEvents",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": {"Fn::GetAtt": [queue, "Arn"]},
        "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
    }
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [{"Ref": queue}],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        },
    }
