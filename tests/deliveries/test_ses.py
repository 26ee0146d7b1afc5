"""What we ask of SES, held against botocore's model of the service, and what its answers mean."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber

from chalicelib.deliveries.ses import SESMailTransport
from chalicelib.messaging.errors import OutcomeUnknown, PermanentFailure, TransientFailure

RAW = b"From: laporan@daftar.example\r\n\r\nhalo"
ASKED = {
    "FromEmailAddress": "laporan@daftar.example",
    "Destination": {"ToAddresses": ["satu@example.com"]},
    "Content": {"Raw": {"Data": RAW}},
}


class Refusing:
    """A client whose requests end as the test says."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def send_email(self, **_: Any) -> None:
        raise self._error


def error(code: str, status: int = 400) -> ClientError:
    answer: Any = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "SendEmail")


@pytest.mark.parametrize(
    ("configuration_set", "more"), [("", {}), ("reports", {"ConfigurationSetName": "reports"})]
)
def test_a_mail_is_handed_over_whole(configuration_set: str, more: dict[str, Any]) -> None:
    client = boto3.client("sesv2", "ap-southeast-3")
    with Stubber(client) as stub:
        stub.add_response("send_email", {"MessageId": "m-1"}, {**ASKED, **more})

        SESMailTransport(client, sender="laporan@daftar.example", configuration_set=configuration_set).send(
            recipient="satu@example.com", raw_message=RAW
        )


@pytest.mark.parametrize(
    ("raised", "meant"),
    [
        (error("TooManyRequestsException", 429), TransientFailure),
        (error("LimitExceededException"), TransientFailure),
        (error("MessageRejected"), TransientFailure),
        (error("MailFromDomainNotVerifiedException"), TransientFailure),
        (error("AccountSuspendedException"), TransientFailure),
        (error("SendingPausedException"), TransientFailure),
        (error("AccessDeniedException", 403), TransientFailure),
        (error("InternalServiceErrorException", 500), TransientFailure),
        (error("BadRequestException"), PermanentFailure),
        (error("503", 503), OutcomeUnknown),
        (ConnectTimeoutError(endpoint_url="x"), TransientFailure),
        (EndpointConnectionError(endpoint_url="x"), TransientFailure),
        (ReadTimeoutError(endpoint_url="x"), OutcomeUnknown),
    ],
    ids=lambda each: str(each)[:60] if isinstance(each, Exception) else each.__name__,
)
def test_what_ses_says_is_classed_by_what_to_do_next(raised: Any, meant: Any) -> None:
    with pytest.raises(meant) as classed:
        SESMailTransport(Refusing(raised), sender="laporan@daftar.example").send(
            recipient="satu@example.com", raw_message=RAW
        )

    assert "satu" not in str(classed.value)
