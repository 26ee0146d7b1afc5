"""The gateway of AWS End User Messaging SMS (`pinpoint-sms-voice-v2`)."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
)

from chalicelib.clock import Clock
from chalicelib.messaging.errors import (
    AccountFailure,
    GatewayError,
    OutcomeUnknown,
    PermanentFailure,
    TransientFailure,
)
from chalicelib.messaging.gateways import GatewayAcceptance, OutgoingSms

# The service has no idempotency key. With one of these codes the SMS was surely not sent: an internal error
# that the service reports is an answer, not a lost one.
_TRANSIENT_CODES = frozenset({"ThrottlingException", "InternalServerException"})
_PERMANENT_CODES = frozenset({"ValidationException", "ConflictException", "ResourceNotFoundException"})
_ACCOUNT_CODES = frozenset({"ServiceQuotaExceededException", "AccessDeniedException"})
_OPTED_OUT_REASON = "DESTINATION_PHONE_NUMBER_OPTED_OUT"

# The limits of the service's TimeToLive.
_MIN_TTL_SECONDS, _MAX_TTL_SECONDS = 5, 259_200


@dataclass(frozen=True)
class AwsSmsConfig:
    """Names of the resources at AWS, and the maximum price per part in US dollars.

    An empty configuration set or protect configuration means the account's default.
    """

    originator: str
    max_price: str
    configuration_set: str = ""
    protect_configuration: str = ""


class AwsSmsGateway:
    """Satisfies `gateways.Gateway`.

    Its client must not retry by itself: a retry after a time-out could send a duplicate.
    """

    name = "aws"

    def __init__(self, client: Any, config: AwsSmsConfig, clock: Clock) -> None:
        self._client = client
        self._config = config
        self._clock = clock

    def send(self, outgoing: OutgoingSms) -> GatewayAcceptance:
        options = {
            "ConfigurationSetName": self._config.configuration_set,
            "ProtectConfigurationId": self._config.protect_configuration,
        }
        try:
            response = self._client.send_text_message(
                DestinationPhoneNumber=outgoing.number,
                OriginationIdentity=self._config.originator,
                MessageBody=outgoing.body,
                MessageType="TRANSACTIONAL",
                MaxPrice=self._config.max_price,
                TimeToLive=outgoing.compute_ttl_seconds(
                    self._clock(), minimum=_MIN_TTL_SECONDS, maximum=_MAX_TTL_SECONDS
                ),
                Context={
                    "sms_id": outgoing.sms_id,
                    "correlation_id": outgoing.correlation_id,
                    "campaign_id": outgoing.campaign_id,
                },
                **{name: value for name, value in options.items() if value},
            )
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            raise TransientFailure(type(error).__name__, gateway=self.name) from None
        except HTTPClientError as error:
            raise OutcomeUnknown(type(error).__name__, gateway=self.name) from None
        except ClientError as error:
            raise self._classify(error) from None
        return GatewayAcceptance(self.name, str(response["MessageId"]))

    def _classify(self, error: ClientError) -> GatewayError:
        code, detail = error.response["Error"]["Code"], error.response.get("Reason", "")
        reason = f"{code}:{detail}".rstrip(":")
        if code in _PERMANENT_CODES:
            return PermanentFailure(reason, gateway=self.name, opted_out=detail == _OPTED_OUT_REASON)
        if code in _ACCOUNT_CODES:
            return AccountFailure(reason, gateway=self.name)
        if code in _TRANSIENT_CODES:
            return TransientFailure(reason, gateway=self.name)
        # Not from the service but from a proxy in front of it: the SMS may have been accepted.
        return OutcomeUnknown(reason, gateway=self.name)
