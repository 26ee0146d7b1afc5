"""Requests about one person's data over HTTP, for admins."""

from chalice.app import Blueprint, Response

from chalicelib import observability, wiring
from chalicelib.callers import Role
from chalicelib.data_requests.errors import RequestReused
from chalicelib.data_requests.schemas import DataRequestView, DisclosureView, SubmitDataRequest
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.refusals import RulesBroken

routes = Blueprint(__name__)

# What is answered is for the person who asked, and for nobody's cache.
_NO_STORE = {"Cache-Control": "no-store"}


@routes.route("/v1/disclosures", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.ADMIN,
    body_model=SubmitDataRequest,
    responses={200: DisclosureView},
    refusals=(RequestReused, RulesBroken),
    headers=("Cache-Control",),
)
def disclose(request: Request) -> Response:
    """All that is held on one NIK, with what was done with it."""
    disclosure = wiring.privacy_desk().disclose(request.parse_body(SubmitDataRequest), caller=request.caller)
    observability.count("PersonRequests", act=disclosure.request.act)
    return json_response(DisclosureView.from_disclosure(disclosure), headers=_NO_STORE)


@routes.route("/v1/erasures", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.ADMIN,
    body_model=SubmitDataRequest,
    responses={200: DataRequestView},
    refusals=(RequestReused, RulesBroken),
    headers=("Cache-Control", "Idempotent-Replayed"),
)
def erase(request: Request) -> Response:
    """Take one person away from wherever it is kept; what is counted stays as it is."""
    done, replayed = wiring.privacy_desk().erase(request.parse_body(SubmitDataRequest), caller=request.caller)
    observability.count("PersonRequests", act=done.act)
    again = {"Idempotent-Replayed": "true"} if replayed else {}
    return json_response(DataRequestView.from_request(done), headers={**_NO_STORE, **again})
