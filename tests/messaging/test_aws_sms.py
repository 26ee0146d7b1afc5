"""What we ask of AWS, held against botocore's model of the service, and what its answers mean."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.stub import ANY, Stubber

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
from chalicelib.notifications.templates import LANGUAGES, load_templates
from chalicelib.registrations.phone import Phone
from ops.deploy.sms_templates import render_longest_bodies
from tests.support.builders import NOW

ACCOUNT = AwsSmsConfig(
    "BPJAMSOSTEK", "0.50000", configuration_set="daftar", protect_configuration="protect-1"
)
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


class Refusing:
    """A client whose requests end as the test says."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def send_text_message(self, **_: Any) -> None:
        raise self._error


@pytest.fixture
def stubbed_client() -> tuple[AwsSmsGateway, Stubber]:
    # The stubber judges every request and every answer by the service's own model.
    client = boto3.client("pinpoint-sms-voice-v2", "ap-southeast-3")
    return AwsSmsGateway(client, ACCOUNT, lambda: NOW), Stubber(client)


def error(code: str, reason: str = "") -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "no"}, "Reason": reason}
    return ClientError(answer, "SendTextMessage")


def test_a_request_says_all_that_protects_us(stubbed_client: tuple[AwsSmsGateway, Stubber]) -> None:
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
        accepted = gateway.send(OUTGOING)
    assert (accepted.gateway, accepted.gateway_id) == ("aws", "g-1")


def test_what_is_not_set_up_is_left_to_the_account() -> None:
    client = boto3.client("pinpoint-sms-voice-v2", "ap-southeast-3")
    with Stubber(client) as stubber:
        usual = dict.fromkeys(("DestinationPhoneNumber", "OriginationIdentity", "MessageBody"), ANY)
        more = dict.fromkeys(("MessageType", "MaxPrice", "TimeToLive", "Context"), ANY)
        stubber.add_response("send_text_message", ACCEPTED, {**usual, **more})
        AwsSmsGateway(client, AwsSmsConfig("BPJAMSOSTEK", "0.50000"), lambda: NOW).send(OUTGOING)
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize("wording", load_templates().values(), ids=load_templates().keys())
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_we_may_send_is_a_request_that_aws_takes(
    stubbed_client: tuple[AwsSmsGateway, Stubber], wording: Any, language: Any
) -> None:
    gateway, stubber = stubbed_client
    for words in render_longest_bodies(wording, language):
        stubber.add_response("send_text_message", ACCEPTED)
        with stubber:
            gateway.send(OutgoingSms(**{**vars(OUTGOING), "body": words}))


@pytest.mark.parametrize(
    ("left", "seconds"),
    [(timedelta(seconds=-9), 5), (timedelta(hours=1), 3600), (timedelta(days=7), 259_200)],
)
def test_a_text_lives_until_its_deadline_as_far_as_aws_allows(left: timedelta, seconds: int) -> None:
    asked: list[dict[str, Any]] = []

    class Client:
        def send_text_message(self, **request: Any) -> dict[str, str]:
            asked.append(request)
            return ACCEPTED

    late = OutgoingSms(**{**vars(OUTGOING), "deadline": NOW + left})
    AwsSmsGateway(Client(), ACCOUNT, lambda: NOW).send(late)
    assert asked[0]["TimeToLive"] == seconds


@pytest.mark.parametrize(
    ("raised", "means", "reason"),
    [
        (lambda: error("ThrottlingException"), TransientFailure, "ThrottlingException"),
        (lambda: ConnectTimeoutError(endpoint_url="x"), TransientFailure, "ConnectTimeoutError"),
        (
            lambda: error("ConflictException", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"),
            PermanentFailure,
            "ConflictException:DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
        ),
        (
            lambda: error("ValidationException", "SENDER_ID_NOT_REGISTERED"),
            PermanentFailure,
            "ValidationException:SENDER_ID_NOT_REGISTERED",
        ),
        (
            lambda: error("ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
            AccountFailure,
            "ServiceQuotaExceededException:MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
        ),
        (lambda: error("AccessDeniedException"), AccountFailure, "AccessDeniedException"),
        (lambda: error("InternalServerException"), TransientFailure, "InternalServerException"),
        (lambda: error("503"), OutcomeUnknown, "503"),
        (lambda: ReadTimeoutError(endpoint_url="x"), OutcomeUnknown, "ReadTimeoutError"),
    ],
)
def test_each_answer_says_what_to_do_next(
    raised: Callable[[], Exception], means: type[GatewayError], reason: str
) -> None:
    with pytest.raises(GatewayError) as answered:
        AwsSmsGateway(Refusing(raised()), ACCOUNT, lambda: NOW).send(OUTGOING)
    assert type(answered.value) is means
    assert (answered.value.reason, answered.value.gateway) == (reason, "aws")


def test_who_opted_out_is_told_apart() -> None:
    refused = error("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT")
    with pytest.raises(PermanentFailure) as never:
        AwsSmsGateway(Refusing(refused), ACCOUNT, lambda: NOW).send(OUTGOING)
    assert never.value.opted_out is True
