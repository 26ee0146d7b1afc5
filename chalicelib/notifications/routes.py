"""Status callbacks of gateways over HTTP."""

from chalice.app import Blueprint, Response

from chalicelib import observability, wiring
from chalicelib.endpoints import MAX_BODY_BYTES, AnonymousRequest, BodyTooLarge, public_endpoint
from chalicelib.notifications import twilio_callbacks
from chalicelib.notifications.errors import SignatureInvalid

routes = Blueprint(__name__)


@routes.route(twilio_callbacks.PATH, methods=["POST"], content_types=[])
@public_endpoint(routes, gives={204: None}, refuses=(BodyTooLarge, SignatureInvalid))
def take_twilio_receipt(called: AnonymousRequest) -> Response:
    """Keep what Twilio reports on a text: a form, and its signature in `X-Twilio-Signature`.

    Whatever is signed is answered 204, also what says nothing: Twilio would not send it again in any case.
    """
    if len(called.body) > MAX_BODY_BYTES:
        raise BodyTooLarge(f"{len(called.body)} bytes")
    message_id = twilio_callbacks.echoed(called.query)
    form = twilio_callbacks.form_of(called.body)
    public_url = wiring.twilio_public_url()
    if message_id is None or form is None or not public_url:
        raise SignatureInvalid("no callback of ours")
    url = twilio_callbacks.callback_url(public_url, message_id)
    given, token = called.headers.get("x-twilio-signature", ""), wiring.twilio_account().token
    if not twilio_callbacks.is_signed(url, form, given, token):
        raise SignatureInvalid("signed by somebody else")
    receipt = twilio_callbacks.receipt(message_id, form, wiring.now())
    if receipt is not None:
        wiring.receipts().note(receipt)
        observability.count("Receipts", state=receipt.state)
    return Response("", {}, 204)
