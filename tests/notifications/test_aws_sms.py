"""What we ask of AWS, held against botocore's model of the service, and what its answers mean."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError
from botocore.stub import ANY, Stubber

from chalicelib.notifications.aws_sms import AWSSMS, Account
from chalicelib.notifications.errors import (
    GatewayError,
    Never,
    OutcomeUnknown,
    StopEverything,
    TryLater,
)
from chalicelib.notifications.gateways import Outgoing
from chalicelib.notifications.model import MessageId
from chalicelib.notifications.templates import LANGUAGES, templates
from chalicelib.registrations.phone import Phone
from ops.wording import fullest_texts
from tests.builders import NOW

ACCOUNT = Account("BPJAMSOSTEK", "0.50000", configuration_set="daftar", protect_configuration="protect-1")
OUTGOING = Outgoing(
    to=Phone("+6282455507001"),
    words="BPJAMSOSTEK: Data Melati sudah kami terima.",
    message_id=MessageId("m-1"),
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
def stubbed() -> tuple[AWSSMS, Stubber]:
    # The stubber judges every request and every answer by the service's own model.
    client = boto3.client("pinpoint-sms-voice-v2", "ap-southeast-3")
    return AWSSMS(client, ACCOUNT, lambda: NOW), Stubber(client)


def error(code: str, reason: str = "") -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "no"}, "Reason": reason}
    return ClientError(answer, "SendTextMessage")


def test_a_request_says_all_that_protects_us(stubbed: tuple[AWSSMS, Stubber]) -> None:
    gateway, stubber = stubbed
    stubber.add_response(
        "send_text_message",
        ACCEPTED,
        {
            "DestinationPhoneNumber": "+6282455507001",
            "OriginationIdentity": "BPJAMSOSTEK",
            "MessageBody": OUTGOING.words,
            "MessageType": "TRANSACTIONAL",
            "MaxPrice": "0.50000",
            "TimeToLive": 36 * 3600,
            "Context": {"message_id": "m-1", "correlation_id": "c-1", "campaign_id": "tanah-abang-2024"},
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
        AWSSMS(client, Account("BPJAMSOSTEK", "0.50000"), lambda: NOW).send(OUTGOING)
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize("wording", templates().values(), ids=templates().keys())
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_we_may_send_is_a_request_that_aws_takes(
    stubbed: tuple[AWSSMS, Stubber], wording: Any, language: Any
) -> None:
    gateway, stubber = stubbed
    for words in fullest_texts(wording, language):
        stubber.add_response("send_text_message", ACCEPTED)
        with stubber:
            gateway.send(Outgoing(**{**vars(OUTGOING), "words": words}))


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

    late = Outgoing(**{**vars(OUTGOING), "deadline": NOW + left})
    AWSSMS(Client(), ACCOUNT, lambda: NOW).send(late)
    assert asked[0]["TimeToLive"] == seconds


@pytest.mark.parametrize(
    ("raised", "means", "reason"),
    [
        (lambda: error("ThrottlingException"), TryLater, "ThrottlingException"),
        (lambda: ConnectTimeoutError(endpoint_url="x"), TryLater, "ConnectTimeoutError"),
        (
            lambda: error("ConflictException", "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"),
            Never,
            "ConflictException:DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION",
        ),
        (
            lambda: error("ValidationException", "SENDER_ID_NOT_REGISTERED"),
            Never,
            "ValidationException:SENDER_ID_NOT_REGISTERED",
        ),
        (
            lambda: error("ServiceQuotaExceededException", "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
            StopEverything,
            "ServiceQuotaExceededException:MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
        ),
        (lambda: error("AccessDeniedException"), StopEverything, "AccessDeniedException"),
        (lambda: error("InternalServerException"), TryLater, "InternalServerException"),
        (lambda: error("503"), OutcomeUnknown, "503"),
        (lambda: ReadTimeoutError(endpoint_url="x"), OutcomeUnknown, "ReadTimeoutError"),
    ],
)
def test_each_answer_says_what_to_do_next(
    raised: Callable[[], Exception], means: type[GatewayError], reason: str
) -> None:
    with pytest.raises(GatewayError) as answered:
        AWSSMS(Refusing(raised()), ACCOUNT, lambda: NOW).send(OUTGOING)
    assert type(answered.value) is means
    assert (answered.value.reason, answered.value.gateway) == (reason, "aws")


def test_who_opted_out_is_told_apart() -> None:
    refused = error("ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT")
    with pytest.raises(Never) as never:
        AWSSMS(Refusing(refused), ACCOUNT, lambda: NOW).send(OUTGOING)
    assert never.value.opted_out is True
