"""Building of the gateways that send SMS."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chalicelib import observability
from chalicelib.messaging.aws_sms import AwsSmsConfig, AwsSmsGateway
from chalicelib.messaging.gate import ContentGate
from chalicelib.messaging.routing import GatewayRouter
from chalicelib.messaging.twilio import TwilioAccount, TwilioGateway
from chalicelib.settings import SettingsIncomplete

if TYPE_CHECKING:
    from chalicelib.container import Container
    from chalicelib.messaging.content import ContentFault
    from chalicelib.messaging.gateways import Gateway, OutgoingSms


def build_sms_gateway(container: "Container") -> ContentGate:
    """Return the gate, and behind it a router over the gateways that have a weight."""
    router = GatewayRouter(
        _iter_gateways(container),
        weights=container.settings.weight_by_gateway,
        clock=container.clock,
        on_circuit_open=_report_circuit_open,
        get_resumed_at=lambda: container.send_rate_limiter.resumed_at,
    )
    return ContentGate(router, on_refused=_report_refused_content)


def read_twilio_account(container: "Container") -> TwilioAccount:
    """Read the account from the stage's secret."""
    secret = json.loads(container.read_secret(container.settings.twilio_secret))
    return TwilioAccount(sid=secret["account_sid"], token=secret["auth_token"])


def _iter_gateways(container: "Container") -> Iterator["Gateway"]:
    settings = container.settings
    yield AwsSmsGateway(
        container.aws.sms,
        AwsSmsConfig(
            originator=settings.sms_originator,
            max_price=settings.sms_max_price,
            configuration_set=settings.sms_configuration_set,
            protect_configuration=settings.sms_protect_configuration,
        ),
        container.clock,
    )
    if settings.weight_by_gateway.get("twilio"):
        yield _build_twilio_gateway(container)


def _build_twilio_gateway(container: "Container") -> TwilioGateway:
    settings = container.settings
    if not settings.twilio_public_url:
        raise SettingsIncomplete("sms by twilio need DAFTAR_TWILIO_SECRET and DAFTAR_PUBLIC_URL")
    return TwilioGateway(
        url=settings.twilio_url,
        get_account=lambda: container.twilio_account,
        originator=settings.sms_originator,
        public_url=settings.twilio_public_url,
        clock=container.clock,
    )


def _report_refused_content(fault: "ContentFault", outgoing: "OutgoingSms") -> None:
    observability.count("SmsContentRefused")
    observability.logger.warning(
        "content of an sms refused",
        extra={
            "reason": fault,
            "sms_id": outgoing.sms_id,
            "purpose": outgoing.purpose,
            "campaign_id": outgoing.campaign_id,
        },
    )


def _report_circuit_open(gateway: str, reason: str) -> None:
    observability.count("GatewayCircuitsOpened")
    observability.logger.warning("gateway circuit opened", extra={"gateway": gateway, "reason": reason})
