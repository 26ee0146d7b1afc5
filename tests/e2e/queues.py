"""The queue from which texts are sent, with its settings changed for the length of a test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

from bench.functions import unread
from tests.e2e.conftest import RunningStack
from tests.e2e.waiting import until


@contextmanager
def undelivered(stack: RunningStack) -> Iterator[None]:
    """Meanwhile messages stay in the notifications queue."""
    with unread(stack.aws("lambda"), stack.description.outputs["OnNotificationsName"]):
        yield


@contextmanager
def given_up(stack: RunningStack, *, after: int, seconds: int) -> Iterator[None]:
    """Meanwhile a message is given up after so many receives, each of which hides it for so long."""
    sqs, url = stack.aws("sqs"), stack.description.outputs["NotificationsQueueUrl"]
    names = ["VisibilityTimeout", "RedrivePolicy"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    policy = {**json.loads(before["RedrivePolicy"]), "maxReceiveCount": after}
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds), "RedrivePolicy": json.dumps(policy)}
    )
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def waiting(stack: RunningStack, queue: str) -> int:
    """How many messages a queue holds."""
    found = stack.aws("sqs").get_queue_attributes(
        QueueUrl=stack.description.outputs[f"{queue}Url"], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(found["Attributes"]["ApproximateNumberOfMessages"])


def message_of(stack: RunningStack, reference: str) -> str:
    """The body of the message that announces a registration, which stays in the queue."""
    sqs, url = stack.aws("sqs"), stack.description.outputs["NotificationsQueueUrl"]

    def look() -> str:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        bodies = [message["Body"] for message in found.get("Messages", [])]
        return next((body for body in bodies if reference in body), "")

    return until(f"the message of {reference}", look)
