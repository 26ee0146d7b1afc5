"""What we ask of SES, held against botocore's model of the service, and what its answers mean."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber

from chalicelib.deliveries.ses import SESPost
from chalicelib.notifications.errors import Never, OutcomeUnknown, TryLater

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

        SESPost(client, sender="laporan@daftar.example", configuration_set=configuration_set).send(
            to="satu@example.com", raw=RAW
        )


@pytest.mark.parametrize(
    ("raised", "meant"),
    [
        (error("TooManyRequestsException", 429), TryLater),
        (error("LimitExceededException"), TryLater),
        (error("MessageRejected"), TryLater),
        (error("MailFromDomainNotVerifiedException"), TryLater),
        (error("AccountSuspendedException"), TryLater),
        (error("SendingPausedException"), TryLater),
        (error("AccessDeniedException", 403), TryLater),
        (error("InternalServiceErrorException", 500), TryLater),
        (error("BadRequestException"), Never),
        (error("503", 503), OutcomeUnknown),
        (ConnectTimeoutError(endpoint_url="x"), TryLater),
        (EndpointConnectionError(endpoint_url="x"), TryLater),
        (ReadTimeoutError(endpoint_url="x"), OutcomeUnknown),
    ],
    ids=lambda each: str(each)[:60] if isinstance(each, Exception) else each.__name__,
)
def test_what_ses_says_is_classed_by_what_to_do_next(raised: Any, meant: Any) -> None:
    with pytest.raises(meant) as classed:
        SESPost(Refusing(raised), sender="laporan@daftar.example").send(to="satu@example.com", raw=RAW)

    assert "satu" not in str(classed.value)
