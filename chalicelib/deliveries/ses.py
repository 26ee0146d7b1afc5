"""Mail transport by Amazon SES (`sesv2`)."""

from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from chalicelib.deliveries.mail_events import DELIVERY_TAG
from chalicelib.deliveries.model import DeliveryId
from chalicelib.messaging.errors import GatewayError, OutcomeUnknown, PermanentFailure, TransientFailure

# With these codes no later attempt would succeed. Other codes are about the account or its configuration (an
# identity not verified, sending paused, a quota), which may be repaired.
_PERMANENT_CODES = frozenset({"BadRequestException"})

# An error of the service itself is an answer; any other 5xx may come from a proxy in front of it.
_TRANSIENT_CODES = frozenset({"InternalServiceErrorException"})
_SERVER_ERROR_STATUS = 500


class SESMailTransport:
    """Satisfies `mail.MailTransport`.

    Its client must not retry by itself: the caller decides if a mail may be sent twice.
    """

    def __init__(self, client: Any, *, sender: str, configuration_set: str = "") -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, *, recipient: str, raw_message: bytes, delivery_id: DeliveryId) -> None:
        options = {"ConfigurationSetName": self._configuration_set}
        try:
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [recipient]},
                Content={"Raw": {"Data": raw_message}},
                EmailTags=[{"Name": DELIVERY_TAG, "Value": delivery_id}],
                **{name: value for name, value in options.items() if value},
            )
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise TransientFailure(type(error).__name__) from None
        except HTTPClientError as error:
            raise OutcomeUnknown(type(error).__name__) from None
        except ClientError as error:
            raise _classify(error) from None


def _classify(error: ClientError) -> GatewayError:
    code = error.response["Error"]["Code"]
    if (
        code not in _TRANSIENT_CODES
        and error.response["ResponseMetadata"]["HTTPStatusCode"] >= _SERVER_ERROR_STATUS
    ):
        return OutcomeUnknown(code)
    return PermanentFailure(code) if code in _PERMANENT_CODES else TransientFailure(code)
