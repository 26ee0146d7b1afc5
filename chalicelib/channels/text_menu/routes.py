"""Entry points of gateways for SMS and USSD, which are answered at once: the reply is the answer's body."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.http.content_encoding import BodyTooLarge, require_size
from chalicelib.http.endpoints import MAX_BODY_BYTES, AnonymousRequest, public_endpoint
from chalicelib.messaging.errors import SignatureInvalid
from chalicelib.refusals import RecordUnreadable, TryAgain

if TYPE_CHECKING:
    from chalicelib.container import Container
    from chalicelib.conversations.events import InboundEvent
    from chalicelib.conversations.messages import OutboxContent

_PLAIN: dict[str, str | list[str]] = {"Content-Type": "text/plain; charset=utf-8"}
_REFUSALS = (BodyTooLarge, RecordUnreadable, SignatureInvalid, TryAgain)


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/channels/sms/inbound", methods=["POST"], content_types=[])
    @public_endpoint(routes, responses={200: "text/plain", 204: None}, refusals=_REFUSALS)
    def take_sms(request: AnonymousRequest) -> Response:
        """Answer an SMS of our gateway, a form with its token in `Authorization`; 204 to say nothing."""
        from chalicelib.channels.text_menu.rendering import render_page
        from chalicelib.channels.text_menu.requests import parse_sms

        _require_gateway(request)
        event = parse_sms(request.body, received_at=container.clock())
        reply = None if event is None else _answer(event)
        if reply is None:
            return Response("", {}, 204)
        return Response(render_page(reply), _PLAIN, 200)

    @routes.route("/v1/channels/ussd", methods=["POST"], content_types=[])
    @public_endpoint(routes, responses={200: "text/plain"}, refusals=_REFUSALS)
    def take_ussd(request: AnonymousRequest) -> Response:
        """Answer a step of a USSD session: `CON` and a question, or `END` and the last word."""
        from chalicelib.channels.text_menu.rendering import END, render_ussd
        from chalicelib.channels.text_menu.requests import parse_ussd

        _require_gateway(request)
        event = parse_ussd(request.body, received_at=container.clock())
        reply = None if event is None else _answer(event)
        return Response(END.strip() if reply is None else render_ussd(reply), _PLAIN, 200)

    def _require_gateway(request: AnonymousRequest) -> None:
        from chalicelib.channels.text_menu.requests import is_authentic

        require_size(request.body, MAX_BODY_BYTES)
        if not container.settings.text_gateway_secret:
            raise SignatureInvalid("the channel is off")
        if not is_authentic(request.headers.get("authorization", ""), container.text_gateway_token):
            raise SignatureInvalid("wrong token")

    def _answer(event: "InboundEvent") -> "OutboxContent | None":
        from chalicelib.conversations import consumer

        return consumer.answer(container.conversations, event).reply

    return routes
