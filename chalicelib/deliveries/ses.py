"""Mails by Amazon SES (`sesv2`)."""

from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from chalicelib.notifications.errors import GatewayError, Never, OutcomeUnknown, TryLater

# What is refused with one of these no later attempt would send. Everything else that SES says no with is the
# account's state, or ours to set up (an identity not verified, sending paused, a quota), and may be mended.
_NEVER = frozenset({"BadRequestException"})

# A failure in the service's own words is an answer; any other one may come from something in between.
_LATER = frozenset({"InternalServiceErrorException"})
_FAILED_ITSELF = 500


class SESPost:
    """Satisfies `mailing.Post`.

    Its client must not retry by itself: whether a mail may have gone out twice is decided by the caller.
    """

    def __init__(self, client: Any, *, sender: str, configuration_set: str = "") -> None:
        self._client = client
        self._sender = sender
        self._configuration_set = configuration_set

    def send(self, *, to: str, raw: bytes) -> None:
        """Hand over one mail. Raises TryLater, Never or OutcomeUnknown."""
        given = {"ConfigurationSetName": self._configuration_set}
        try:
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [to]},
                Content={"Raw": {"Data": raw}},
                **{name: value for name, value in given.items() if value},
            )
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise TryLater(type(error).__name__) from None
        except HTTPClientError as error:
            raise OutcomeUnknown(type(error).__name__) from None
        except ClientError as error:
            raise _classed(error) from None


def _classed(error: ClientError) -> GatewayError:
    code = error.response["Error"]["Code"]
    if code not in _LATER and error.response["ResponseMetadata"]["HTTPStatusCode"] >= _FAILED_ITSELF:
        return OutcomeUnknown(code)
    return Never(code) if code in _NEVER else TryLater(code)
