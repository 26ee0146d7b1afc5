"""What `daftar deploy` sets up at SES, held against botocore's model, and the parameters that it makes."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ops.deploy.mail_setup import create_configuration_set, has_events, send_events_to
from ops.deploy.parameters import make_parameters
from ops.deploy.stage_file import StageConfig
from ops.project import REGION

TOPIC = "arn:aws:sns:ap-southeast-3:123456789012:receipts"
MAILS = {"MailFrom": "laporan@example.org", "MailIdentity": "example.org"}
STACK = {"StackName": "daftar-try", "CreationTime": "2026-11-29", "StackStatus": "UPDATE_COMPLETE"}
REQUEST = {
    "ConfigurationSetName": "daftar-try",
    "EventDestinationName": "bounces",
    "EventDestination": {
        "Enabled": True,
        "MatchingEventTypes": ["BOUNCE", "COMPLAINT", "REJECT"],
        "SnsDestination": {"TopicArn": TOPIC},
    },
}


@pytest.fixture
def clients() -> Iterator[dict[str, Stubber]]:
    """Clients whose every request is expected; those that were not made fail the test."""
    session: Any = boto3.Session("-", "-", region_name=REGION)
    services = ("cloudformation", "sesv2", "pinpoint-sms-voice-v2")
    stubbers = {name: Stubber(session.client(name)) for name in services}
    for stubber in stubbers.values():
        stubber.activate()
    yield stubbers
    for stubber in stubbers.values():
        stubber.assert_no_pending_responses()


def expect_stack(clients: dict[str, Stubber], **parameters: str) -> None:
    """Answer two looks at a stack with these parameters."""
    listed = [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]
    for _ in "12":
        clients["cloudformation"].add_response(
            "describe_stacks", {"Stacks": [{**STACK, "Parameters": listed}]}, {"StackName": "daftar-try"}
        )


def make(clients: dict[str, Stubber], **parameters: str) -> tuple[dict[str, str], list[str]]:
    """Make the parameters of a stage. Return them with the notes."""
    notes: list[str] = []
    config = StageConfig("try", parameters=parameters)
    return make_parameters(config, lambda service: clients[service].client, notes.append), notes


def test_a_failure_of_the_sms_service_takes_no_protection_away(clients: dict[str, Stubber]) -> None:
    clients["pinpoint-sms-voice-v2"].add_client_error("create_configuration_set", "InternalServerException")
    expect_stack(clients, SmsProtectConfiguration="protect-1", SmsConfigurationSet="daftar-try", SmsADay="5")

    parameters, notes = make(clients)

    assert parameters == {
        "Stage": "dev",
        "SmsProtectConfiguration": "protect-1",
        "SmsConfigurationSet": "daftar-try",
    }
    assert len(notes) == 1


def test_a_failure_of_ses_keeps_bounces_coming(clients: dict[str, Stubber]) -> None:
    clients["pinpoint-sms-voice-v2"].add_client_error("create_configuration_set", "InternalServerException")
    clients["sesv2"].add_client_error("create_configuration_set", "TooManyRequestsException")
    expect_stack(clients, MailConfigurationSet="daftar-try")

    parameters, notes = make(clients, **MAILS)

    assert parameters["MailConfigurationSet"] == "daftar-try"
    assert notes[1] == (
        "SES could not be set up (TooManyRequestsException): a mail that bounces counts as delivered"
    )


def test_what_the_file_says_is_kept_and_nothing_is_made_for_it(clients: dict[str, Stubber]) -> None:
    clients["pinpoint-sms-voice-v2"].add_response(
        "create_configuration_set", {}, {"ConfigurationSetName": "daftar-try"}
    )
    expect_stack(clients, MailConfigurationSet="daftar-try", SmsProtectConfiguration="protect-1")
    given = {"MailConfigurationSet": "ours", "SmsProtectConfiguration": "protect-2", **MAILS}

    parameters, notes = make(clients, **given)

    assert {name: parameters[name] for name in given} == given
    assert notes == []


def test_a_stack_that_is_not_there_has_no_parameters_to_keep(clients: dict[str, Stubber]) -> None:
    clients["pinpoint-sms-voice-v2"].add_client_error("create_configuration_set", "InternalServerException")
    clients["cloudformation"].add_client_error("describe_stacks", "ValidationError", "It does not exist")

    parameters, _ = make(clients)

    assert parameters == {"Stage": "dev", "SmsConfigurationSet": "daftar-try"}


def test_a_configuration_set_of_mails_is_created_once(clients: dict[str, Stubber]) -> None:
    ses = clients["sesv2"]
    ses.add_response("create_configuration_set", {}, {"ConfigurationSetName": "daftar-try"})
    ses.add_client_error("create_configuration_set", "AlreadyExistsException")
    for _ in "12":
        create_configuration_set(ses.client, "daftar-try")


def test_bounces_and_complaints_go_to_the_topic_of_the_stack(clients: dict[str, Stubber]) -> None:
    ses = clients["sesv2"]

    def expect_destinations(*topics: str) -> None:
        listed = [
            {
                "Name": "bounces",
                "Enabled": True,
                "MatchingEventTypes": ["BOUNCE"],
                "SnsDestination": {"TopicArn": topic},
            }
            for topic in topics
        ]
        ses.add_response("get_configuration_set_event_destinations", {"EventDestinations": listed})

    expect_destinations()
    ses.add_response("create_configuration_set_event_destination", {}, REQUEST)
    send_events_to(ses.client, "daftar-try", TOPIC)

    for _ in "12":
        expect_destinations(TOPIC)
    send_events_to(ses.client, "daftar-try", TOPIC)
    assert has_events(ses.client, "daftar-try", TOPIC)

    for topics in ((), (f"{TOPIC}-2",)):
        expect_destinations(*topics)
        assert not has_events(ses.client, "daftar-try", TOPIC)

    expect_destinations(f"{TOPIC}-2")
    ses.add_response("update_configuration_set_event_destination", {}, REQUEST)
    send_events_to(ses.client, "daftar-try", TOPIC)
