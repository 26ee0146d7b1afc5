"""Building of the service that enrols devices."""

from typing import TYPE_CHECKING

from chalicelib.enrolments.service import EnrolmentService, Randomness
from chalicelib.enrolments.store import DynamoEnrolmentCodes
from chalicelib.randomness import generate_write_id, random_index

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_enrolment_service(container: "Container") -> EnrolmentService:
    return EnrolmentService(
        clients=container.clients,
        codes=DynamoEnrolmentCodes(container.aws.dynamodb, container.settings.clients_table),
        campaigns=container.campaigns,
        reading=container.reading,
        hashing=container.hashing,
        clock=container.clock,
        randomness=Randomness(random_index, generate_write_id),
    )
