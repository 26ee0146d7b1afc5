"""Set up SES beside the stack: a configuration set whose bounces and complaints come to the stack."""

from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.aws_errors import get_error_code

_DESTINATION = "bounces"
# A mail that was delivered, opened or delayed changes nothing here.
_EVENT_TYPES = ["BOUNCE", "COMPLAINT", "REJECT"]


def create_configuration_set(client: Any, name: str) -> None:
    """Create a configuration set if it does not exist."""
    with suppress(client.exceptions.AlreadyExistsException):
        client.create_configuration_set(ConfigurationSetName=name)


def send_events_to(client: Any, configuration_set: str, topic_arn: str) -> None:
    """Have bounces and complaints of a configuration set published to a topic."""
    destination = {
        "ConfigurationSetName": configuration_set,
        "EventDestinationName": _DESTINATION,
        "EventDestination": {
            "Enabled": True,
            "MatchingEventTypes": _EVENT_TYPES,
            "SnsDestination": {"TopicArn": topic_arn},
        },
    }
    present = _read_destinations(client, configuration_set)
    if _DESTINATION not in present:
        client.create_configuration_set_event_destination(**destination)
    elif present[_DESTINATION].get("SnsDestination") != {"TopicArn": topic_arn}:
        client.update_configuration_set_event_destination(**destination)


def has_events(client: Any, configuration_set: str, topic_arn: str) -> bool:
    """Return True if bounces and complaints of a configuration set are published to a topic."""
    present = _read_destinations(client, configuration_set).get(_DESTINATION, {})
    return present.get("SnsDestination") == {"TopicArn": topic_arn} and bool(present.get("Enabled"))


def _read_destinations(client: Any, configuration_set: str) -> dict[str, dict[str, Any]]:
    found = client.get_configuration_set_event_destinations(ConfigurationSetName=configuration_set)
    return {each["Name"]: each for each in found.get("EventDestinations", [])}


def explain_missing_service(error: ClientError | BotoCoreError) -> str:
    """Return why the service could not be set up, for a person."""
    cause = get_error_code(error) if isinstance(error, ClientError) else type(error).__name__
    return f"SES could not be set up ({cause}): a mail that bounces counts as delivered"
