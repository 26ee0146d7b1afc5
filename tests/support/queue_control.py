"""The queue from which texts are sent, with its settings changed for the length of a test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.functions import pause_event_sources
from tests.support.polling import wait_until
from tests.support.running_stack import RunningStack


@contextmanager
def pause_notifications(stack: RunningStack) -> Iterator[None]:
    """Meanwhile messages stay in the notifications queue."""
    with pause_event_sources(stack.aws_client("lambda"), stack.description.outputs["OnNotificationsName"]):
        yield


@contextmanager
def limit_receives(stack: RunningStack, *, max_receives: int, visibility_seconds: int) -> Iterator[None]:
    """Meanwhile a message is given up after so many receives, each of which hides it for so long."""
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
    """How many messages a queue holds."""
    found = stack.aws_client("sqs").get_queue_attributes(
        QueueUrl=stack.description.outputs[f"{queue}Url"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def await_message_body(stack: RunningStack, reference: str) -> str:
    """The body of the message that announces a registration, which stays in the queue."""
    sqs, url = stack.aws_client("sqs"), stack.description.outputs["NotificationsQueueUrl"]

    def look() -> str:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        bodies = [message["Body"] for message in found.get("Messages", [])]
        return next((body for body in bodies if reference in body), "")

    return wait_until(f"the message of {reference}", look)
