"""Readers of a running stack where operators look: of logs, queues and raw tables."""

import json
import re
from collections.abc import Iterator

from tests.support.running_stack import RunningStack


def in_the_logs(stack: RunningStack) -> Iterator[str]:
    """Yield every event of every function's log."""
    logs = stack.aws_client("logs")
    for group in logs.describe_log_groups()["logGroups"]:
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        yield from (event["message"] for page in pages for event in page["events"])


def in_the_queues(stack: RunningStack) -> Iterator[str]:
    """Yield every message of every queue, dead letters and failures of the stream too; all stay there."""
    sqs = stack.aws_client("sqs")
    for url in sqs.list_queues()["QueueUrls"]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        yield from (message["Body"] for message in found.get("Messages", []))


def in_the_tables(stack: RunningStack) -> Iterator[str]:
    """Yield every item of every table as it is kept, with its bytes readable."""
    dynamodb = stack.aws_client("dynamodb")
    for table in dynamodb.list_tables()["TableNames"]:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                yield json.dumps(item, default=show_bytes, ensure_ascii=False)


def show_bytes(value: bytes) -> str:
    """Return bytes as text if they are text, else each run in them that looks like it.

    A sealed value is random: a name of three letters occurs in it by chance, a run of six letters hardly.
    """
    try:
        return value.decode()
    except UnicodeDecodeError:
        return " ".join(run.decode() for run in re.findall(rb"[ -~]{6,}", value))
