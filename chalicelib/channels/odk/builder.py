"""Building of the service for ODK Collect."""

from typing import TYPE_CHECKING

from chalicelib.channels.odk.service import OdkService
from chalicelib.channels.odk.store import DynamoOdkInstances

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_odk_service(container: "Container") -> OdkService:
    return OdkService(
        campaigns=container.campaigns,
        intake=container.intake,
        corrections=container.corrections,
        reading_store=container.reading_store,
        instances=DynamoOdkInstances(
            container.aws.dynamodb, container.settings.clients_table, container.clock
        ),
        photos=container.photos if container.settings.odk_photos else None,
        quote_service=container.quotes,
        age_limits=container.age_limits,
    )
