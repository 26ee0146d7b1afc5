"""Status callbacks of gateways over HTTP."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import observability
from chalicelib.http.endpoints import MAX_BODY_BYTES, AnonymousRequest, BodyTooLarge, public_endpoint
from chalicelib.messaging import twilio_callbacks
from chalicelib.messaging.errors import SignatureInvalid

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route(twilio_callbacks.PATH, methods=["POST"], content_types=[])
    @public_endpoint(routes, responses={204: None}, refusals=(BodyTooLarge, SignatureInvalid))
    def take_twilio_receipt(request: AnonymousRequest) -> Response:
        """Store Twilio's receipt for an SMS: a form, with its signature in `X-Twilio-Signature`.

        Whatever is signed is answered 204, also what says nothing: Twilio would not send it again in any
        case.
        """
        if len(request.body) > MAX_BODY_BYTES:
            raise BodyTooLarge(f"{len(request.body)} bytes")
        sms_id = twilio_callbacks.parse_sms_id(request.query)
        form = twilio_callbacks.parse_form(request.body)
        public_url = container.settings.twilio_public_url
        if sms_id is None or form is None or not public_url:
            raise SignatureInvalid("not a callback URL")
        url = twilio_callbacks.build_callback_url(public_url, sms_id)
        signature = request.headers.get("x-twilio-signature", "")
        if not twilio_callbacks.is_signed(url, form, signature, container.twilio_account.token):
            raise SignatureInvalid("wrong signature")
        receipt = twilio_callbacks.parse_receipt(sms_id, form, container.clock())
        if receipt is not None:
            container.receipt_sink.record_receipt(receipt)
            observability.count("Receipts", state=receipt.state)
        return Response("", {}, 204)

    return routes
