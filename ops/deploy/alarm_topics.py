"""The topics of a stage's alarms, and whether somebody reads them."""

from dataclasses import dataclass

from ops.deploy.stages import Stage

ALARM_TOPICS = {"AlarmTopic": "the alarms that wake somebody", "TicketTopic": "the other alarms"}


@dataclass(frozen=True)
class Subscriptions:
    """The numbers of subscriptions of a topic: all, and those that were confirmed."""

    total: int
    confirmed: int


def read_subscriptions(stage: Stage) -> dict[str, Subscriptions]:
    """Return the subscriptions of each topic of alarms."""
    return {topic: _read(stage, stage.outputs[f"{topic}Arn"]) for topic in ALARM_TOPICS}


def _read(stage: Stage, arn: str) -> Subscriptions:
    listed = stage.aws_client("sns").list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
    # One that waits for its confirmation has words in place of an ARN.
    return Subscriptions(len(listed), sum(each["SubscriptionArn"].startswith("arn:") for each in listed))


def list_unconfirmed(stage: Stage) -> list[str]:
    """Return a note for each topic of alarms that nobody has confirmed to read."""
    return [
        f"no subscription of {topic} is confirmed: see the alarms' mailbox"
        for topic, subscriptions in read_subscriptions(stage).items()
        if not subscriptions.confirmed
    ]
