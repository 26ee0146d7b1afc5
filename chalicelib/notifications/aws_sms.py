"""AWS End User Messaging SMS (`pinpoint-sms-voice-v2`)."""

from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from chalicelib.notifications.errors import Never, OutcomeUnknown, TryLater
from chalicelib.notifications.model import MessageId

# The service has no idempotency key. What is refused with one of these was surely not sent.
_LATER = frozenset({"ThrottlingException", "ServiceQuotaExceededException", "AccessDeniedException"})
_NEVER = frozenset({"ValidationException", "ConflictException", "ResourceNotFoundException"})

# A confirmation that arrives a day late only confuses.
_TIME_TO_LIVE_SECONDS = 24 * 60 * 60


class AWSSMS:
    """Satisfies `service.Gateway`.

    Its client must not retry by itself: a retry after a time-out could be a second text.
    """

    def __init__(self, client: Any, *, originator: str, configuration_set: str) -> None:
        self._client = client
        self._originator = originator
        self._configuration_set = configuration_set

    def send(self, *, to: str, text: str, message_id: MessageId, correlation_id: str) -> str:
        """The service's message id. Raises TryLater, Never or OutcomeUnknown."""
        optional = {"ConfigurationSetName": self._configuration_set} if self._configuration_set else {}
        try:
            sent = self._client.send_text_message(
                DestinationPhoneNumber=to,
                OriginationIdentity=self._originator,
                MessageBody=text,
                MessageType="TRANSACTIONAL",
                TimeToLive=_TIME_TO_LIVE_SECONDS,
                Context={"message_id": message_id, "correlation_id": correlation_id},
                **optional,
            )
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise TryLater(type(error).__name__) from None
        except HTTPClientError as error:
            raise OutcomeUnknown(type(error).__name__) from None
        except ClientError as error:
            raise _classed(error) from None
        return str(sent["MessageId"])


def _classed(error: ClientError) -> TryLater | Never | OutcomeUnknown:
    code = error.response["Error"]["Code"]
    reason = f"{code}:{error.response.get('Reason', '')}".rstrip(":")
    if code in _NEVER:
        return Never(reason)
    if code in _LATER:
        return TryLater(reason)
    # An internal error may have come after the text had gone to the carrier.
    return OutcomeUnknown(reason)
