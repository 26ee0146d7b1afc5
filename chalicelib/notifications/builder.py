"""Building of the services that send SMS to workers."""

from typing import TYPE_CHECKING

from chalicelib.clock import sleep
from chalicelib.messaging.rate_limiter import SendRate
from chalicelib.notifications.due_sms import DueSmsQueuer
from chalicelib.notifications.hours import QuietHours
from chalicelib.notifications.queues import SQSSmsQueues
from chalicelib.notifications.service import NotificationConfig, NotificationService
from chalicelib.notifications.store_history import DynamoSmsHistory
from chalicelib.notifications.store_ledger import DynamoSmsLedger
from chalicelib.notifications.store_opt_outs import DynamoOptOutStore
from chalicelib.notifications.templates import SmsKind
from chalicelib.randomness import generate_write_id, random_fraction

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_sms_ledger(container: "Container") -> DynamoSmsLedger:
    """Return the store of SMS."""
    return DynamoSmsLedger(
        container.aws.dynamodb,
        sms_table=container.settings.sms_ledger_table,
        sending_table=container.settings.sending_table,
        new_write_id=generate_write_id,
    )


def build_sms_history(container: "Container") -> DynamoSmsHistory:
    """Return the store that discloses and erases the SMS of a registration."""
    return DynamoSmsHistory(
        container.aws.dynamodb,
        sms_table=container.settings.sms_ledger_table,
        sending_table=container.settings.sending_table,
        new_write_id=generate_write_id,
    )


def build_opt_out_store(container: "Container") -> DynamoOptOutStore:
    """Return the store of opt-outs."""
    return DynamoOptOutStore(container.aws.dynamodb, container.settings.sending_table)


def build_notification_service(container: "Container") -> NotificationService:
    """Return the service that sends SMS to workers."""
    settings = container.settings
    return NotificationService(
        registrations=container.reading,
        campaigns=container.campaigns,
        ledger=container.sms_ledger,
        opt_outs=container.opt_outs,
        rate_limiter=container.send_rate_limiter,
        gateway=container.gateway_router,
        hashing=container.hashing,
        config=NotificationConfig(
            rate=SendRate(settings.sms_parts_per_second),
            quiet_hours=QuietHours(settings.quiet_from, settings.quiet_until),
            price_per_part=settings.sms_price,
            rupiah_per_dollar=settings.rupiah_per_dollar,
            sms_per_day=settings.sms_per_day,
        ),
        clock=container.clock,
        wait=sleep,
        random_fraction=random_fraction,
    )


def build_due_sms_queuer(container: "Container") -> DueSmsQueuer:
    """Return the service that queues SMS that are due."""
    queues = {
        SmsKind.CONFIRMATION: container.settings.notifications_queue_url,
        SmsKind.REMINDER: container.settings.reminders_queue_url,
    }
    return DueSmsQueuer(
        ledger=container.sms_ledger,
        rate_limiter=container.send_rate_limiter,
        queues=SQSSmsQueues(container.aws.sqs, queues),
        clock=container.clock,
    )
