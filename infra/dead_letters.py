"""The dead-letter queues, and who may write to each."""

from typing import Any

# The longest time that SQS keeps a message.
_RETENTION_SECONDS = 14 * 24 * 60 * 60

# Each receives the messages that its source queue gave up on, and names that queue by the last part of its
# name, so that the two resources do not depend on each other.
_QUEUE_BY_DEAD_LETTERS = {
    "NotificationsDeadLetters": "notifications",
    "RemindersDeadLetters": "reminders",
    "ReceiptsDeadLetters": "receipts",
}

# Positions of stream records that the stream publisher gave up on. The stream keeps a record for 24 hours.
_STREAM_FAILURES = "StreamFailures"

# Scheduled events whose run failed, or whose function could not be started. One queue for each schedule,
# because each needs another remedy.
_SCHEDULE_FAILURES = (
    "RollUpFailures",
    "DeliveryFailures",
    "ExportFailures",
    "DueSmsFailures",
    "AgeingFailures",
)

DEAD_LETTER_QUEUES = (*_QUEUE_BY_DEAD_LETTERS, _STREAM_FAILURES, *_SCHEDULE_FAILURES)


def make_dead_letter_queues() -> dict[str, Any]:
    """Return every dead-letter queue, and the policies of those that a rule writes to."""
    resources: dict[str, Any] = {}
    for name, source in _QUEUE_BY_DEAD_LETTERS.items():
        arn = f"arn:${{AWS::Partition}}:sqs:${{AWS::Region}}:${{AWS::AccountId}}:${{AWS::StackName}}-{source}"
        resources[name] = _make_queue({"redrivePermission": "byQueue", "sourceQueueArns": [{"Fn::Sub": arn}]})
    for name in (_STREAM_FAILURES, *_SCHEDULE_FAILURES):
        resources[name] = _make_queue({"redrivePermission": "denyAll"})
    for name in _SCHEDULE_FAILURES:
        resources[f"{name}Policy"] = _make_policy(name)
    return resources


def _make_queue(redrive_allow_policy: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::SQS::Queue",
        "Properties": {
            "SqsManagedSseEnabled": True,
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
