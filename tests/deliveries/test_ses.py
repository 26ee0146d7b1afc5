"""Requests to SES, validated by botocore's model of the service, and the classification of its answers."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber

from chalicelib.deliveries.model import DeliveryId
from chalicelib.deliveries.ses import SESMailTransport
from chalicelib.messaging.errors import OutcomeUnknown, PermanentFailure, TransientFailure

DELIVERY = DeliveryId("d" * 32)
RAW = b"From: laporan@daftar.example\r\n\r\nhalo"
REQUEST = {
    "FromEmailAddress": "laporan@daftar.example",
    "Destination": {"ToAddresses": ["satu@example.com"]},
    "Content": {"Raw": {"Data": RAW}},
    "EmailTags": [{"Name": "delivery", "Value": DELIVERY}],
}


class FailingClient:
    """A client whose requests raise an error."""

    def __init__(self, make_client_error: Exception) -> None:
        self._error = make_client_error

    def send_email(self, **_: Any) -> None:
        raise self._error


def make_client_error(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "SendEmail")


@pytest.mark.parametrize(
    ("configuration_set", "options"), [("", {}), ("reports", {"ConfigurationSetName": "reports"})]
)
def test_request_has_the_raw_message_and_names_the_delivery(
    configuration_set: str, options: dict[str, Any]
) -> None:
    client = boto3.client("sesv2", "ap-southeast-3")
    with Stubber(client) as stub:
        stub.add_response("send_email", {"MessageId": "m-1"}, {**REQUEST, **options})

        SESMailTransport(client, sender="laporan@daftar.example", configuration_set=configuration_set).send(
            recipient="satu@example.com", raw_message=RAW, delivery_id=DELIVERY
        )


@pytest.mark.parametrize(
    ("failure", "error_type"),
    [
        (make_client_error("TooManyRequestsException", 429), TransientFailure),
        (make_client_error("LimitExceededException"), TransientFailure),
        (make_client_error("MessageRejected"), TransientFailure),
        (make_client_error("MailFromDomainNotVerifiedException"), TransientFailure),
        (make_client_error("AccountSuspendedException"), TransientFailure),
        (make_client_error("SendingPausedException"), TransientFailure),
        (make_client_error("AccessDeniedException", 403), TransientFailure),
        (make_client_error("InternalServiceErrorException", 500), TransientFailure),
        (make_client_error("BadRequestException"), PermanentFailure),
        (make_client_error("503", 503), OutcomeUnknown),
        (ConnectTimeoutError(endpoint_url="x"), TransientFailure),
        (EndpointConnectionError(endpoint_url="x"), TransientFailure),
        (ReadTimeoutError(endpoint_url="x"), OutcomeUnknown),
    ],
    ids=lambda each: str(each)[:60] if isinstance(each, Exception) else each.__name__,
)
def test_ses_errors_are_classified_by_their_next_step(failure: Any, error_type: Any) -> None:
    with pytest.raises(error_type) as raised:
        SESMailTransport(FailingClient(failure), sender="laporan@daftar.example").send(
            recipient="satu@example.com", raw_message=RAW, delivery_id=DELIVERY
        )

    assert "satu" not in str(raised.value)
