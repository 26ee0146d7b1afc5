"""Building of the services that erase registrations and publish their changes."""

from typing import TYPE_CHECKING

from chalicelib.randomness import generate_write_id
from chalicelib.registrations.erasure import ErasureService
from chalicelib.registrations.queues import SQSNotificationQueue
from chalicelib.registrations.store_erasure import DynamoErasureStore
from chalicelib.registrations.store_stream import parse_change
from chalicelib.registrations.stream import StreamPublisher

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_erasure_service(container: "Container") -> ErasureService:
    return ErasureService(
        store=DynamoErasureStore(
            container.aws.dynamodb,
            container.settings.registrations_table,
            container.cipher,
            new_id=generate_write_id,
        ),
        reading=container.reading,
        clock=container.clock,
        retention_period=container.settings.retention_period,
    )


def build_stream_publisher(container: "Container") -> StreamPublisher:
    return StreamPublisher(
        parse_change=parse_change,
        notification_queue=SQSNotificationQueue(
            container.aws.sqs, container.settings.notifications_queue_url
        ),
        dirty_days=container.rollups,
        may_notify_known_workers=container.settings.may_notify_known_workers,
    )
