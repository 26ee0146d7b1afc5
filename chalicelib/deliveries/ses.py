"""Mails by Amazon SES (`sesv2`)."""

from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from chalicelib.messaging.errors import GatewayError, OutcomeUnknown, PermanentFailure, TransientFailure

# What is refused with one of these no later attempt would send. Everything else that SES says no with is the
# account's state, or ours to set up (an identity not verified, sending paused, a quota), and may be mended.
_PERMANENT_CODES = frozenset({"BadRequestException"})

# A failure in the service's own words is an answer; any other one may come from something in between.
_TRANSIENT_CODES = frozenset({"InternalServiceErrorException"})
_SERVER_ERROR_STATUS = 500


class SESMailTransport:
    """Satisfies `mailing.MailTransport`.

    Its client must not retry by itself: whether a mail may have gone out twice is decided by the caller.
    """

    def __init__(self, client: Any, *, sender: str, configuration_set: str = "") -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, *, recipient: str, raw_message: bytes) -> None:
        """Hand over one mail. Raises TransientFailure, PermanentFailure or OutcomeUnknown."""
        given = {"ConfigurationSetName": self._configuration_set}
        try:
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [recipient]},
                Content={"Raw": {"Data": raw_message}},
                **{name: value for name, value in given.items() if value},
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
