"""Building of the service for ODK Collect."""

from typing import TYPE_CHECKING

from chalicelib.channels.odk.service import OdkService

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_odk_service(container: "Container") -> OdkService:
    return OdkService(
        campaigns=container.campaigns,
        intake=container.intake,
        reading_store=container.reading_store,
        quote_service=container.quotes,
        age_limits=container.age_limits,
        clock=container.clock,
    )
