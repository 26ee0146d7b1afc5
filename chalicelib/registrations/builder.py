"""Building of the services that change and erase registrations, and publish their changes."""

from typing import TYPE_CHECKING

from chalicelib.randomness import generate_write_id
from chalicelib.registrations.discards import DiscardService
from chalicelib.registrations.erasure import ErasureService
from chalicelib.registrations.lifecycle import LifecycleService
from chalicelib.registrations.model import Status
from chalicelib.registrations.queues import SQSNotificationQueue
from chalicelib.registrations.store_corrections import DynamoCorrectionStore
from chalicelib.registrations.store_discards import DynamoDiscards
from chalicelib.registrations.store_erasure import DynamoErasureStore
from chalicelib.registrations.store_lifecycle import DynamoLifecycleStore
from chalicelib.registrations.store_stream import parse_change
from chalicelib.registrations.stream import StreamPublisher

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_lifecycle_service(container: "Container") -> LifecycleService:
    return LifecycleService(
        store=DynamoLifecycleStore(
            container.aws.dynamodb,
            container.settings.registrations_table,
            container.cipher,
            build_audit_write=container.audit_trail.build_append,
        ),
        reading=container.reading,
        hashing=container.hashing,
        max_payment_difference=container.settings.payment_max_difference,
        identity_retention=container.settings.identity_retention,
        clock=container.clock,
    )


def build_correction_store(container: "Container") -> DynamoCorrectionStore:
    return DynamoCorrectionStore(
        container.aws.dynamodb,
        container.settings.registrations_table,
        container.cipher,
        build_audit_write=container.audit_trail.build_append,
    )


def build_erasure_service(container: "Container") -> ErasureService:
    return ErasureService(
        store=DynamoErasureStore(
            container.aws.dynamodb,
            container.settings.registrations_table,
            container.cipher,
            new_id=generate_write_id,
            build_audit_write=container.audit_trail.build_append,
        ),
        reading=container.reading,
        photos=container.photos,
        chats=container.conversation_store,
        clock=container.clock,
        retention_periods={
            Status.CANCELLED: container.settings.retention_period,
            Status.EXPIRED: container.settings.retention_period,
            Status.DECEASED: container.settings.retention_period,
            Status.LAPSED: container.settings.lapsed_retention,
        },
    )


def build_stream_publisher(container: "Container") -> StreamPublisher:
    return StreamPublisher(
        parse_change=parse_change,
        notification_queue=SQSNotificationQueue(
            container.aws.sqs, container.settings.notifications_queue_url
        ),
        dirty_days=container.rollups,
        may_notify_known_workers=container.settings.may_notify_known_workers,
        review_changes=container.review_watcher.review_changes,
    )


def build_discard_service(container: "Container") -> DiscardService:
    return DiscardService(
        store=DynamoDiscards(container.aws.dynamodb, container.settings.registrations_table),
        clock=container.clock,
    )
