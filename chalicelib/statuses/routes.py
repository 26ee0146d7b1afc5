"""The state of a registration over HTTP, for its worker."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.http.endpoints import AnonymousRequest, json_response, public_endpoint
from chalicelib.statuses.schemas import AskForStatus, StatusView
from chalicelib.statuses.texts import load_texts

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/statuses", methods=["POST"], content_types=[])
    @public_endpoint(routes, body_model=AskForStatus, responses={200: StatusView})
    def tell_status(request: AnonymousRequest) -> Response:
        """Say how a registration stands, to whoever knows its reference and its phone number.

        Whatever does not match gets one answer, after the same time.
        """
        found = container.statuses.find_status(request.parse_body(AskForStatus))
        text = load_texts()[found.state][request.language]
        return json_response(StatusView(state=found.state, text=text, active_until=found.active_until))

    return routes
