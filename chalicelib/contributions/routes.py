"""Quotes over HTTP."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.callers import ROLES_AT_WORK
from chalicelib.contributions.model import Quote
from chalicelib.contributions.schemas import AskForQuote
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.refusals import RulesBroken

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/quotes", methods=["POST"], content_types=[])
    @endpoint(routes, *ROLES_AT_WORK, body_model=AskForQuote, responses={200: Quote}, refusals=(RulesBroken,))
    def ask_for_quote(request: Request) -> Response:
        """Quote the price of membership, month by month."""
        return json_response(container.quotes.quote(request.parse_body(AskForQuote)))

    return routes
