"""Set up SMS beside the stack: a configuration set with receipts, and a protect configuration."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.aws_errors import get_error_code

_DESTINATION = "receipts"
_INDONESIA = "ID"


def create_configuration_set(client: Any, name: str) -> None:
    """Create a configuration set if it does not exist."""
    with suppress(client.exceptions.ConflictException):
        client.create_configuration_set(ConfigurationSetName=name)


def send_receipts_to(client: Any, configuration_set: str, topic_arn: str) -> None:
    """Have all events of a configuration set published to a topic."""
    destination = {
        "ConfigurationSetName": configuration_set,
        "EventDestinationName": _DESTINATION,
        "MatchingEventTypes": ["TEXT_ALL"],
        "SnsDestination": {"TopicArn": topic_arn},
    }
    present = _read_destinations(client, configuration_set)
    if _DESTINATION not in present:
        client.create_event_destination(**destination)
    elif present[_DESTINATION].get("SnsDestination") != destination["SnsDestination"]:
        client.update_event_destination(**destination, Enabled=True)


def has_receipts(client: Any, configuration_set: str, topic_arn: str) -> bool:
    """Return True if events of a configuration set are published to a topic."""
    present = _read_destinations(client, configuration_set).get(_DESTINATION, {})
    return present.get("SnsDestination") == {"TopicArn": topic_arn} and bool(present.get("Enabled", True))


def _read_destinations(client: Any, configuration_set: str) -> dict[str, dict[str, Any]]:
    found = client.describe_configuration_sets(ConfigurationSetNames=[configuration_set])["ConfigurationSets"]
    return {each["EventDestinationName"]: each for each in found[0].get("EventDestinations", [])}


def create_protect_configuration(client: Any, name: str) -> str:
    """Return the id of the protect configuration that allows SMS to Indonesia only, made if it is missing."""
    for each in _iter_protect_configurations(client):
        tags = client.list_tags_for_resource(ResourceArn=each["ProtectConfigurationArn"])["Tags"]
        if {"Key": "Name", "Value": name} in tags:
            return str(each["ProtectConfigurationId"])
    made = client.create_protect_configuration(Tags=[{"Key": "Name", "Value": name}])
    configuration_id = str(made["ProtectConfigurationId"])
    rules = client.get_protect_configuration_country_rule_set(
        ProtectConfigurationId=configuration_id, NumberCapability="SMS"
    )["CountryRuleSet"]
    client.update_protect_configuration_country_rule_set(
        ProtectConfigurationId=configuration_id,
        NumberCapability="SMS",
        CountryRuleSetUpdates={
            country: {"ProtectStatus": "ALLOW" if country == _INDONESIA else "BLOCK"}
            for country in {*rules, _INDONESIA}
        },
    )
    return configuration_id


def explain_missing_service(error: ClientError | BotoCoreError) -> str:
    """Return why the service could not be set up, for a person."""
    cause = get_error_code(error) if isinstance(error, ClientError) else type(error).__name__
    return f"AWS End User Messaging SMS could not be set up ({cause}): no receipts will come"


def _iter_protect_configurations(client: Any) -> Iterator[dict[str, Any]]:
    pages = client.get_paginator("describe_protect_configurations").paginate()
    return (each for page in pages for each in page.get("ProtectConfigurations", ()))
