"""Building of the service that enrols devices."""

from typing import TYPE_CHECKING

from chalicelib.enrolments.devices import DeviceReader
from chalicelib.enrolments.links import LinkService
from chalicelib.enrolments.service import EnrolmentService, Randomness
from chalicelib.enrolments.store import DynamoEnrolmentCodes
from chalicelib.enrolments.store_links import DynamoLinks
from chalicelib.randomness import generate_link_code, generate_token, generate_write_id, random_index

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_enrolment_service(container: "Container") -> EnrolmentService:
    return EnrolmentService(
        clients=container.clients,
        links=container.links,
        codes=DynamoEnrolmentCodes(container.aws.dynamodb, container.settings.clients_table),
        devices=DeviceReader(campaigns=container.campaigns, reading=container.reading),
        hashing=container.hashing,
        clock=container.clock,
        randomness=Randomness(random_index, generate_write_id, generate_token),
    )


def build_link_service(container: "Container") -> LinkService:
    return LinkService(
        clients=container.clients,
        links=DynamoLinks(container.aws.dynamodb, container.settings.clients_table),
        hashing=container.hashing,
        clock=container.clock,
        generate_code=generate_link_code,
    )
