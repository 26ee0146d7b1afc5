"""The search for registrations over HTTP."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.callers import Role
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.registrations.schemas import RegistrationView
from chalicelib.searches.errors import SearchNotAllowed, SearchUnclear
from chalicelib.searches.schemas import Search, SearchView

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/searches", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        Role.CORE,
        Role.ADMIN,
        body_model=Search,
        responses={200: SearchView},
        refusals=(SearchNotAllowed, SearchUnclear),
    )
    def search_registrations(request: Request) -> Response:
        """Find registrations by what somebody has of one. A text is never part of an address or a log."""
        result = container.searches.search(request.parse_body(Search).text, caller=request.caller)
        container.audit.record_list(
            (
                (row.capture_metadata.campaign_id, row.capture_metadata.day, row.reference)
                for row in result.registrations
            ),
            caller=request.caller,
        )
        view = SearchView(
            found_by=result.found_by.value,
            registrations=[
                RegistrationView.build(row, caller=request.caller) for row in result.registrations
            ],
            has_more=result.has_more,
        )
        return json_response(view, exclude_defaults=True)

    return routes
