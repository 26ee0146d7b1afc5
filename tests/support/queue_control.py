"""The notifications queue, with its settings changed for the length of a test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.functions import pause_event_sources
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack


@contextmanager
def pause_notifications(stack: RunningStack) -> Iterator[None]:
    """Keep messages in the notifications queue meanwhile."""
    with pause_event_sources(stack.aws_client("lambda"), stack.description.outputs["OnNotificationsName"]):
        yield


@contextmanager
def limit_receives(stack: RunningStack, *, max_receives: int, visibility_seconds: int) -> Iterator[None]:
    """Give a message up after `max_receives`, each of which hides it for `visibility_seconds`."""
    sqs, url = stack.aws_client("sqs"), stack.description.outputs["NotificationsQueueUrl"]
    names = ["VisibilityTimeout", "RedrivePolicy"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    policy = {**json.loads(before["RedrivePolicy"]), "maxReceiveCount": max_receives}
    sqs.set_queue_attributes(
        QueueUrl=url,
        Attributes={"VisibilityTimeout": str(visibility_seconds), "RedrivePolicy": json.dumps(policy)},
    )
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def count_messages(stack: RunningStack, queue: str) -> int:
    """Return the number of messages in a queue."""
    found = stack.aws_client("sqs").get_queue_attributes(
        QueueUrl=stack.description.outputs[f"{queue}Url"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def await_message_body(stack: RunningStack, reference: str) -> str:
    """Return the body of the message about a registration; it stays in the queue."""
    sqs, url = stack.aws_client("sqs"), stack.description.outputs["NotificationsQueueUrl"]

    def look() -> str:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        bodies = [message["Body"] for message in found.get("Messages", [])]
        return next((body for body in bodies if reference in body), "")

    return wait_until(f"the message of {reference}", look)
