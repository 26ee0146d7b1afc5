"""Requests to AWS, validated by botocore's model of the service, and the classification of its answers."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.stub import ANY, Stubber

from chalicelib.languages import LANGUAGES
from chalicelib.messaging.aws_sms import AwsSmsConfig, AwsSmsGateway
from chalicelib.messaging.errors import (
    AccountFailure,
    GatewayError,
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.messaging.gateways import OutgoingSms
from chalicelib.messaging.model import SmsId
from chalicelib.notifications.templates import load_templates
from chalicelib.registrations.phone import Phone
from ops.deploy.sms_templates import render_longest_bodies
from tests.support.builders import NOW

CONFIG = AwsSmsConfig("BPJAMSOSTEK", "0.50000", configuration_set="daftar", protect_configuration="protect-1")
OUTGOING = OutgoingSms(
    phone=Phone("+6282455507001"),
    body="BPJAMSOSTEK: Data Melati sudah kami terima.",
    sms_id=SmsId("m-1"),
    correlation_id="c-1",
    parts=1,
    deadline=NOW + timedelta(hours=36),
    purpose="received",
    campaign_id="tanah-abang-2024",
)
ACCEPTED = {"MessageId": "g-1"}


class FailingClient:
    """A client whose requests raise an error."""

    def __init__(self, make_client_error: Exception) -> None:
        self._error = make_client_error

    def send_text_message(self, **_: Any) -> None:
        raise self._error


@pytest.fixture
def stubbed_client() -> tuple[AwsSmsGateway, Stubber]:
    # The stubber validates every request and answer against the service's own model.
    client = boto3.client("pinpoint-sms-voice-v2", "ap-southeast-3")
    return AwsSmsGateway(client, CONFIG, lambda: NOW), Stubber(client)


def make_client_error(code: str, reason: str = "") -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "no"}, "Reason": reason}
    return ClientError(answer, "SendTextMessage")


def test_request_has_price_limit_ttl_and_configuration(stubbed_client: tuple[AwsSmsGateway, Stubber]) -> None:
    gateway, stubber = stubbed_client
    stubber.add_response(
        "send_text_message",
        ACCEPTED,
        {
            "DestinationPhoneNumber": "+6282455507001",
            "OriginationIdentity": "BPJAMSOSTEK",
            "MessageBody": OUTGOING.body,
            "MessageType": "TRANSACTIONAL",
            "MaxPrice": "0.50000",
            "TimeToLive": 36 * 3600,
            "Context": {"sms_id": "m-1", "correlation_id": "c-1", "campaign_id": "tanah-abang-2024"},
            "ConfigurationSetName": "daftar",
            "ProtectConfigurationId": "protect-1",
        },
    )
    with stubber:
        acceptance = gateway.send(OUTGOING)
    assert (acceptance.gateway, acceptance.gateway_id) == ("aws", "g-1")


def test_empty_configuration_is_left_out_of_the_request() -> None:
    client = boto3.client("pinpoint-sms-voice-v2", "ap-southeast-3")
    with Stubber(client) as stubber:
        required = dict.fromkeys(("DestinationPhoneNumber", "OriginationIdentity", "MessageBody"), ANY)
        options = dict.fromkeys(("MessageType", "MaxPrice", "TimeToLive", "Context"), ANY)
        stubber.add_response("send_text_message", ACCEPTED, {**required, **options})
        AwsSmsGateway(client, AwsSmsConfig("BPJAMSOSTEK", "0.50000"), lambda: NOW).send(OUTGOING)
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize("template", load_templates().values(), ids=load_templates().keys())
@pytest.mark.parametrize("language", LANGUAGES)
def test_longest_bodies_make_valid_requests(
    stubbed_client: tuple[AwsSmsGateway, Stubber], template: Any, language: Any
) -> None:
    gateway, stubber = stubbed_client
    for body in render_longest_bodies(template, language):
        stubber.add_response("send_text_message", ACCEPTED)
        with stubber:
            gateway.send(OutgoingSms(**{**vars(OUTGOING), "body": body}))


@pytest.mark.parametrize(
    ("time_left", "seconds"),
    [(timedelta(seconds=-9), 5), (timedelta(hours=1), 3600), (timedelta(days=7), 259_200)],
)
def test_ttl_ends_at_the_deadline_within_the_limits_of_aws(time_left: timedelta, seconds: int) -> None:
    requests: list[dict[str, Any]] = []

    class Client:
        def send_text_message(self, **request: Any) -> dict[str, str]:
            requests.append(request)
            return ACCEPTED

    outgoing = OutgoingSms(**{**vars(OUTGOING), "deadline": NOW + time_left})
    AwsSmsGateway(Client(), CONFIG, lambda: NOW).send(outgoing)
    assert requests[0]["TimeToLive"] == seconds


@pytest.mark.parametrize(
    ("make_error", "error_type", "reason"),
    [
        (lambda: make_client_error("ThrottlingException"), TransientFailure, "ThrottlingException"),
        (lambda: ConnectTimeoutError(endpoint_url="x"), TransientFailure, "ConnectTimeoutError"),
        (
            lambda: make_client_error(
                "ConflictException", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"
            ),
            PermanentFailure,
            "ConflictException:DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
        ),
        (
            lambda: make_client_error("ValidationException", "SENDER_ID_NOT_REGISTERED"),
            PermanentFailure,
            "ValidationException:SENDER_ID_NOT_REGISTERED",
        ),
        (
            lambda: make_client_error(
                "ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"
            ),
            AccountFailure,
            "ServiceQuotaExceededException:MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
        ),
        (lambda: make_client_error("AccessDeniedException"), AccountFailure, "AccessDeniedException"),
        (lambda: make_client_error("InternalServerException"), TransientFailure, "InternalServerException"),
        (lambda: make_client_error("503"), OutcomeUnknown, "503"),
        (lambda: ReadTimeoutError(endpoint_url="x"), OutcomeUnknown, "ReadTimeoutError"),
    ],
)
def test_errors_are_classified_by_their_next_step(
    make_error: Callable[[], Exception], error_type: type[GatewayError], reason: str
) -> None:
    with pytest.raises(GatewayError) as raised:
        AwsSmsGateway(FailingClient(make_error()), CONFIG, lambda: NOW).send(OUTGOING)
    assert type(raised.value) is error_type
    assert (raised.value.reason, raised.value.gateway) == (reason, "aws")


def test_opt_out_is_a_permanent_failure() -> None:
    client_error = make_client_error("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT")
    with pytest.raises(PermanentFailure) as raised:
        AwsSmsGateway(FailingClient(client_error), CONFIG, lambda: NOW).send(OUTGOING)
    assert raised.value.opted_out is True
