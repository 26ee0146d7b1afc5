"""Requests about one person's data over HTTP, for admins."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import observability
from chalicelib.callers import Role
from chalicelib.data_requests.errors import ErasureUnderWay, RequestReused
from chalicelib.data_requests.schemas import DataRequestView, DisclosureView, SubmitDataRequest
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.refusals import RulesBroken

if TYPE_CHECKING:
    from chalicelib.container import Container

# The answers hold personal data, which no cache may store.


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/disclosures", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.ADMIN,
        body_model=SubmitDataRequest,
        responses={200: DisclosureView},
        refusals=(RequestReused, ErasureUnderWay, RulesBroken),
    )
    def disclose(request: Request) -> Response:
        """Export all data that is held on a NIK, with the requests made about it."""
        disclosure = container.data_requests.disclose(
            request.parse_body(SubmitDataRequest), caller=request.caller
        )
        observability.count("PersonRequests", act=disclosure.request.act)
        return json_response(DisclosureView.from_disclosure(disclosure))

    @routes.route("/v1/erasures", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.ADMIN,
        body_model=SubmitDataRequest,
        responses={200: DataRequestView},
        refusals=(RequestReused, RulesBroken),
        headers=("Idempotent-Replayed",),
    )
    def erase(request: Request) -> Response:
        """Erase the data of a person everywhere; counts do not change."""
        data_request, is_replay = container.data_requests.erase(
            request.parse_body(SubmitDataRequest), caller=request.caller
        )
        observability.count("PersonRequests", act=data_request.act)
        replayed = {"Idempotent-Replayed": "true"} if is_replay else {}
        return json_response(DataRequestView.from_request(data_request), headers=replayed)

    return routes
