"""Building of the services that send SMS to workers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from chalicelib import observability
from chalicelib.clock import sleep
from chalicelib.messaging.gateways import Gateway
from chalicelib.messaging.rate_limiter import SendRate
from chalicelib.notifications.chats import ChatFirstGateway, Chats, ChatTargets
from chalicelib.notifications.due_sms import DueSmsQueuer
from chalicelib.notifications.held_sms import HeldSmsService
from chalicelib.notifications.hours import QuietHours
from chalicelib.notifications.queues import SQSSmsQueues
from chalicelib.notifications.requests import SmsRequestService
from chalicelib.notifications.service import NotificationConfig, NotificationService
from chalicelib.notifications.store_history import DynamoSmsHistory
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.notifications.store_receipt_flow import DynamoReceiptFlow
from chalicelib.notifications.templates import SmsKind
from chalicelib.randomness import generate_write_id, random_fraction

if TYPE_CHECKING:
    from chalicelib.container import Container
    from chalicelib.messaging.errors import GatewayError
    from chalicelib.messaging.gateways import ChatTarget


def build_notification_service(
    container: "Container", chats: Chats, chat_gateways: Mapping[str, Gateway]
) -> NotificationService:
    """Return the service that tells workers in their `chats`, by the gateways of these, or by SMS."""
    settings = container.settings
    return NotificationService(
        registrations=container.reading,
        campaigns=container.campaigns,
        ledger=container.sms_ledger,
        opt_outs=container.opt_outs,
        receipt_flow=DynamoReceiptFlow(container.aws.dynamodb, settings.sending_table),
        rate_limiter=container.send_rate_limiter,
        gateway=ChatFirstGateway(container.sms_gateway, chat_gateways, on_refused=_report_refused_by_chat),
        chats=ChatTargets(chats, timeout=settings.chat_timeout),
        hashing=container.hashing,
        config=NotificationConfig(
            rate=SendRate(settings.sms_parts_per_second),
            quiet_hours=QuietHours(settings.quiet_from, settings.quiet_until),
            price_per_part=settings.sms_price,
            rupiah_per_dollar=settings.rupiah_per_dollar,
            sms_per_day=settings.sms_per_day,
            chat_timeout=settings.chat_timeout,
        ),
        clock=container.clock,
        wait=sleep,
        random_fraction=random_fraction,
    )


def _report_refused_by_chat(chat: "ChatTarget", error: "GatewayError") -> None:
    observability.count("ChatNoticesRefused", channel=chat.channel)
    observability.logger.info(
        "chat took no notification", extra={"channel": chat.channel, "reason": error.reason}
    )


def build_sms_history(container: "Container") -> DynamoSmsHistory:
    return DynamoSmsHistory(
        container.aws.dynamodb,
        sms_table=container.settings.sms_ledger_table,
        sending_table=container.settings.sending_table,
        new_write_id=generate_write_id,
    )


def build_sms_request_service(container: "Container") -> SmsRequestService:
    return SmsRequestService(
        reading=container.reading,
        lifecycle=container.lifecycle,
        campaigns=container.campaigns,
        opt_outs=container.opt_outs,
        hashing=container.hashing,
        clock=container.clock,
    )


def build_due_sms_queuer(container: "Container") -> DueSmsQueuer:
    queues = {
        SmsKind.CONFIRMATION: container.settings.notifications_queue_url,
        SmsKind.REMINDER: container.settings.reminders_queue_url,
    }
    return DueSmsQueuer(
        ledger=container.sms_ledger,
        rate_limiter=container.send_rate_limiter,
        queues=SQSSmsQueues(container.aws.sqs, queues),
        clock=container.clock,
        on_unreadable=lambda error: observability.log_exception(error, "due sms skipped", {}),
    )


def build_held_sms_service(container: "Container") -> HeldSmsService:
    return HeldSmsService(ledger=container.sms_ledger, campaigns=container.campaigns, clock=container.clock)


def build_sms_ledger(container: "Container") -> DynamoSmsLedger:
    return DynamoSmsLedger(
        container.aws.dynamodb,
        sms_table=container.settings.sms_ledger_table,
        sending_table=container.settings.sending_table,
        new_write_id=generate_write_id,
    )
