"""Building of the service that sends reports to managers."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from chalicelib import observability
from chalicelib.clock import sleep
from chalicelib.deliveries.mail import MailReportChannel, MailSender
from chalicelib.deliveries.model import Medium
from chalicelib.deliveries.service import (
    DeliveryConfig,
    ReportChannel,
    ReportDeliveryService,
)
from chalicelib.deliveries.ses import SESMailTransport
from chalicelib.deliveries.sms import SmsReportChannel
from chalicelib.deliveries.store import DynamoDeliveries
from chalicelib.messaging.rate_limiter import SendRate
from chalicelib.randomness import generate_write_id
from chalicelib.rollups.model import SummaryState
from chalicelib.rollups.renderings import mail, sms

if TYPE_CHECKING:
    from chalicelib.container import Container

# A campaign does not say which language its managers read; the branch offices' is Indonesian.
_MANAGER_LANGUAGE: Final = "id"


def build_delivery_store(container: "Container") -> DynamoDeliveries:
    return DynamoDeliveries(
        container.aws.dynamodb,
        container.settings.sending_table,
        new_write_id=generate_write_id,
        clock=container.clock,
        retention=2 * container.settings.report_max_age,
    )


def build_receipt_handler(container: "Container") -> Callable[[str], None]:
    """Return what handles a message of the receipts queue, of an SMS or of a mail."""
    from chalicelib.deliveries.consumer import handle_message  # noqa: PLC0415 - of OnReceipts alone
    from chalicelib.notifications.consumer import handle_receipt  # noqa: PLC0415 - as above

    handle_sms_receipt = partial(handle_receipt, container.notifications)
    return partial(handle_message, lambda: build_delivery_store(container), handle_sms_receipt)


def build_delivery_service(container: "Container") -> ReportDeliveryService:
    settings = container.settings
    return ReportDeliveryService(
        outbox=container.outbox,
        reports=container.reports,
        campaigns=container.campaigns,
        deliveries=build_delivery_store(container),
        channels=dict(_iter_channels(container)),
        hashing=container.hashing,
        config=DeliveryConfig(
            sms_states=[SummaryState(each) for each in settings.report_sms_states],
            max_age=settings.report_max_age,
        ),
        clock=container.clock,
        on_failure=lambda error: observability.log_exception(error, "report not sent to manager", {}),
    )


def _iter_channels(container: "Container") -> Iterator[tuple[Medium, ReportChannel]]:
    settings = container.settings
    if settings.mail_from:
        yield (
            Medium.MAIL,
            MailReportChannel(
                transport=SESMailTransport(
                    container.aws.ses,
                    sender=settings.mail_from,
                    configuration_set=settings.mail_configuration_set,
                ),
                sender=MailSender(settings.mail_from, settings.mail_reply_to),
                compose=lambda report: mail.compose(
                    report, _MANAGER_LANGUAGE, public_url=settings.public_url
                ),
                clock=container.clock,
            ),
        )
    yield (
        Medium.SMS,
        SmsReportChannel(
            gateway=container.sms_gateway,
            rate_limiter=container.send_rate_limiter,
            rate=SendRate(settings.sms_parts_per_second),
            opt_outs=container.opt_outs,
            render_body=lambda report: sms.render_body(report, _MANAGER_LANGUAGE),
            hashing=container.hashing,
            clock=container.clock,
            wait=sleep,
        ),
    )
