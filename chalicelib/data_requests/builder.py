"""Building of the service for people's requests about their data."""

from typing import TYPE_CHECKING

from chalicelib.data_requests.service import DataRequestService
from chalicelib.data_requests.store import DynamoDataRequests

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_data_request_service(container: "Container") -> DataRequestService:
    return DataRequestService(
        worker_data=container.erasure,
        sms_history=container.sms_history,
        reviews=container.reviews,
        opt_outs=container.opt_outs,
        trail=container.audit,
        requests=DynamoDataRequests(container.aws.dynamodb, container.settings.requests_table),
        hashing=container.hashing,
        clock=container.clock,
    )
