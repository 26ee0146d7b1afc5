"""Requests about one person's data over HTTP, for admins."""

from chalice.app import Blueprint, Response

from chalicelib import observability, wiring
from chalicelib.clients.model import Role
from chalicelib.endpoints import Request, endpoint, json_response
from chalicelib.privacy.errors import RequestReused
from chalicelib.privacy.messages import AskAboutPerson
from chalicelib.privacy.views import DisclosureView, RequestView
from chalicelib.refusals import RulesBroken

routes = Blueprint(__name__)

# What is answered is for the person who asked, and for nobody's cache.
_NOT_KEPT = {"Cache-Control": "no-store"}


@routes.route("/v1/disclosures", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.ADMIN,
    takes=AskAboutPerson,
    gives={200: DisclosureView},
    refuses=(RequestReused, RulesBroken),
    headers=("Cache-Control",),
)
def disclose(request: Request) -> Response:
    """All that is held on one NIK, with what was done with it."""
    disclosure = wiring.privacy_desk().disclose(request.parsed(AskAboutPerson), by=request.caller)
    observability.count("PersonRequests", act=disclosure.request.act)
    return json_response(DisclosureView.of(disclosure), headers=_NOT_KEPT)


@routes.route("/v1/erasures", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.ADMIN,
    takes=AskAboutPerson,
    gives={200: RequestView},
    refuses=(RequestReused, RulesBroken),
    headers=("Cache-Control", "Idempotent-Replayed"),
)
def erase(request: Request) -> Response:
    """Take one person away from wherever it is kept; what is counted stays as it is."""
    done, replayed = wiring.privacy_desk().erase(request.parsed(AskAboutPerson), by=request.caller)
    observability.count("PersonRequests", act=done.act)
    again = {"Idempotent-Replayed": "true"} if replayed else {}
    return json_response(RequestView.of(done), headers={**_NOT_KEPT, **again})
