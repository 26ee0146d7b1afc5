"""Building of the queue of review items, and of what watches for them."""

from typing import TYPE_CHECKING

from chalicelib.reviews.device_watch import DeviceWatch
from chalicelib.reviews.service import ReviewService
from chalicelib.reviews.store import DynamoReviewStore
from chalicelib.reviews.watcher import ReviewWatcher

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_review_store(container: "Container") -> DynamoReviewStore:
    return DynamoReviewStore(
        container.aws.dynamodb,
        container.settings.reviews_table,
        container.cipher,
        build_audit_write=container.audit_trail.build_append,
    )


def build_review_service(container: "Container") -> ReviewService:
    return ReviewService(
        store=build_review_store(container),
        retention=container.settings.review_retention,
        clock=container.clock,
    )


def build_review_watcher(container: "Container") -> ReviewWatcher:
    devices = DeviceWatch(
        campaigns=container.campaigns,
        devices=container.device_states,
        items=container.reviews,
        clock=container.clock,
    )
    return ReviewWatcher(items=container.reviews, lookups=container.lookups, devices=devices)
