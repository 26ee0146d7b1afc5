"""Quotes over HTTP."""

from chalice.app import Blueprint, Response

from chalicelib import wiring
from chalicelib.callers import Role
from chalicelib.contributions.model import Quote
from chalicelib.contributions.schemas import AskForQuote
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.refusals import RulesBroken

routes = Blueprint(__name__)


@routes.route("/v1/quotes", methods=["POST"], content_types=[])
@endpoint(routes, *Role, body_model=AskForQuote, responses={200: Quote}, refusals=(RulesBroken,))
def ask_for_quote(request: Request) -> Response:
    """What membership would cost."""
    return json_response(wiring.quoting().quote(request.parse_body(AskForQuote)))
