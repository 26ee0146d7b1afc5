"""What `daftar deploy` sets up for SMS, held against botocore's model of the service."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ops.deploy.sms_setup import create_configuration_set, create_protect_configuration, send_receipts_to
from ops.project import REGION

ARN = "arn:aws:sms-voice:ap-southeast-3:123456789012:configuration-set/daftar-try"
PROTECT_ARN = "arn:aws:sms-voice:ap-southeast-3:123456789012:protect-configuration/protect-1"
TOPIC = "arn:aws:sns:ap-southeast-3:123456789012:receipts"
OTHER_TOPIC = "arn:aws:sns:ap-southeast-3:123456789012:other"
PROTECT_CONFIGURATION = {
    "ProtectConfigurationArn": PROTECT_ARN,
    "ProtectConfigurationId": "protect-1",
    "CreatedTimestamp": "2026-11-29T00:00:00Z",
    "AccountDefault": False,
    "DeletionProtectionEnabled": False,
}
DESTINATION = {
    "ConfigurationSetName": "daftar-try",
    "EventDestinationName": "receipts",
    "MatchingEventTypes": ["TEXT_ALL"],
    "SnsDestination": {"TopicArn": TOPIC},
}


@pytest.fixture
def stubber() -> Iterator[Stubber]:
    """A client whose every request is expected; those that were not made fail the test."""
    session: Any = boto3.Session("-", "-", region_name=REGION)
    with Stubber(session.client("pinpoint-sms-voice-v2")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def expect_destinations(stubber: Stubber, *topics: str) -> None:
    """Answer a look at the configuration set, whose receipts go to these topics."""
    destinations = [
        {
            "EventDestinationName": "receipts",
            "Enabled": True,
            "MatchingEventTypes": ["TEXT_ALL"],
            "SnsDestination": {"TopicArn": topic},
        }
        for topic in topics
    ]
    found = {
        "ConfigurationSetArn": ARN,
        "ConfigurationSetName": "daftar-try",
        "EventDestinations": destinations,
        "CreatedTimestamp": "2026-11-29T00:00:00Z",
    }
    stubber.add_response("describe_configuration_sets", {"ConfigurationSets": [found]})


def test_a_configuration_set_is_created_once(stubber: Stubber) -> None:
    stubber.add_response("create_configuration_set", {}, {"ConfigurationSetName": "daftar-try"})
    stubber.add_client_error("create_configuration_set", "ConflictException")
    for _ in "12":
        create_configuration_set(stubber.client, "daftar-try")


def test_receipts_go_to_the_topic_of_the_stack(stubber: Stubber) -> None:
    expect_destinations(stubber)
    stubber.add_response("create_event_destination", {}, DESTINATION)
    send_receipts_to(stubber.client, "daftar-try", TOPIC)

    expect_destinations(stubber, TOPIC)
    send_receipts_to(stubber.client, "daftar-try", TOPIC)

    expect_destinations(stubber, OTHER_TOPIC)
    stubber.add_response("update_event_destination", {}, {**DESTINATION, "Enabled": True})
    send_receipts_to(stubber.client, "daftar-try", TOPIC)


def test_sms_are_allowed_to_indonesia_alone(stubber: Stubber) -> None:
    stubber.add_response("describe_protect_configurations", {})
    tags = [{"Key": "Name", "Value": "daftar-try"}]
    stubber.add_response("create_protect_configuration", PROTECT_CONFIGURATION, {"Tags": tags})
    of_sms = {"ProtectConfigurationId": "protect-1", "NumberCapability": "SMS"}
    rules = {country: {"ProtectStatus": "ALLOW"} for country in ("ID", "MY", "SG")}
    found = {**of_sms, "ProtectConfigurationArn": PROTECT_ARN, "CountryRuleSet": rules}
    stubber.add_response("get_protect_configuration_country_rule_set", found, of_sms)
    updates = rules | {country: {"ProtectStatus": "BLOCK"} for country in ("MY", "SG")}
    stubber.add_response(
        "update_protect_configuration_country_rule_set", found, {**of_sms, "CountryRuleSetUpdates": updates}
    )
    assert create_protect_configuration(stubber.client, "daftar-try") == "protect-1"


def test_the_protect_configuration_of_the_stage_is_found_again(stubber: Stubber) -> None:
    stubber.add_response(
        "describe_protect_configurations", {"ProtectConfigurations": [PROTECT_CONFIGURATION]}
    )
    tags = [{"Key": "Name", "Value": "daftar-try"}]
    stubber.add_response("list_tags_for_resource", {"Tags": tags}, {"ResourceArn": PROTECT_ARN})
    assert create_protect_configuration(stubber.client, "daftar-try") == "protect-1"
