"""AWS End User Messaging SMS (`pinpoint-sms-voice-v2`)."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from chalicelib.clock import Clock
from chalicelib.notifications.errors import GatewayError, Never, OutcomeUnknown, StopEverything, TryLater
from chalicelib.notifications.gateways import GatewayId, Outgoing

# The service has no idempotency key. What is refused with one of these was not sent: an internal error that
# the service itself answers with is an answer, and not a lost one.
_LATER = frozenset({"ThrottlingException", "InternalServerException"})
_NEVER = frozenset({"ValidationException", "ConflictException", "ResourceNotFoundException"})
_STOP = frozenset({"ServiceQuotaExceededException", "AccessDeniedException"})
_OPTED_OUT = "DESTINATION_PHONE_NUMBER_OPTED_OUT"

# What the service takes as a time to live.
_SHORTEST, _LONGEST = 5, 259_200


@dataclass(frozen=True)
class Account:
    """What was registered and set up at AWS, by name, and the most that a text may cost, in US dollars.

    Configuration set and protect configuration may be empty: then the account's own hold.
    """

    originator: str
    max_price: str
    configuration_set: str = ""
    protect_configuration: str = ""


class AWSSMS:
    """Satisfies `gateways.Gateway`.

    Its client must not retry by itself: a retry after a time-out could be a second text.
    """

    name = "aws"

    def __init__(self, client: Any, account: Account, clock: Clock) -> None:
        self._client = client
        self._account = account
        self._clock = clock

    def send(self, outgoing: Outgoing) -> GatewayId:
        """The service's message id. Raises TryLater, Never, StopEverything or OutcomeUnknown."""
        given = {
            "ConfigurationSetName": self._account.configuration_set,
            "ProtectConfigurationId": self._account.protect_configuration,
        }
        seconds_left = int((outgoing.deadline - self._clock()).total_seconds())
        try:
            sent = self._client.send_text_message(
                DestinationPhoneNumber=outgoing.to,
                OriginationIdentity=self._account.originator,
                MessageBody=outgoing.words,
                MessageType="TRANSACTIONAL",
                MaxPrice=self._account.max_price,
                TimeToLive=min(max(seconds_left, _SHORTEST), _LONGEST),
                Context={
                    "message_id": outgoing.message_id,
                    "correlation_id": outgoing.correlation_id,
                    "campaign_id": outgoing.campaign_id,
                },
                **{name: value for name, value in given.items() if value},
            )
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise TryLater(type(error).__name__, gateway=self.name) from None
        except HTTPClientError as error:
            raise OutcomeUnknown(type(error).__name__, gateway=self.name) from None
        except ClientError as error:
            raise self._classed(error) from None
        return GatewayId(self.name, str(sent["MessageId"]))

    def _classed(self, error: ClientError) -> GatewayError:
        code, detail = error.response["Error"]["Code"], error.response.get("Reason", "")
        reason = f"{code}:{detail}".rstrip(":")
        if code in _NEVER:
            return Never(reason, gateway=self.name, opted_out=detail == _OPTED_OUT)
        if code in _STOP:
            return StopEverything(reason, gateway=self.name)
        if code in _LATER:
            return TryLater(reason, gateway=self.name)
        # Whoever said this was not the service, and what stood behind it may have taken the text.
        return OutcomeUnknown(reason, gateway=self.name)
