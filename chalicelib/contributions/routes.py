"""Quotes over HTTP."""

from chalice.app import Blueprint, Response

from chalicelib import wiring
from chalicelib.clients.model import Role
from chalicelib.contributions.messages import AskForQuote
from chalicelib.contributions.model import Quote
from chalicelib.endpoints import Request, endpoint, json_response
from chalicelib.refusals import RulesBroken

routes = Blueprint(__name__)


@routes.route("/v1/quotes", methods=["POST"], content_types=[])
@endpoint(routes, *Role, body_model=AskForQuote, responses={200: Quote}, refusals=(RulesBroken,))
def ask_for_quote(request: Request) -> Response:
    """What membership would cost."""
    return json_response(wiring.quoting().quote(request.parse_body(AskForQuote)))
