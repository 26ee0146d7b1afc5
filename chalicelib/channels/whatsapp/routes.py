"""The webhook of WhatsApp's Cloud API."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import observability
from chalicelib.channels.whatsapp import signatures
from chalicelib.http.content_encoding import BodyTooLarge, require_size
from chalicelib.http.endpoints import AnonymousRequest, public_endpoint
from chalicelib.messaging.errors import SignatureInvalid
from chalicelib.refusals import TryAgain

if TYPE_CHECKING:
    from chalicelib.container import Container

PATH = "/v1/channels/whatsapp/webhook"

# Meta puts up to 1,000 changes into one request.
_MAX_BODY_BYTES = 4 * 1024 * 1024


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route(PATH, methods=["GET"], content_types=[])
    @public_endpoint(routes, responses={200: "text/plain"}, refusals=(SignatureInvalid,))
    def verify_whatsapp_webhook(request: AnonymousRequest) -> Response:
        """Answer Meta's verification of this address with its challenge, if it names our token."""
        if not container.settings.whatsapp_secret:
            raise SignatureInvalid("the channel is off")
        challenge = signatures.find_challenge(request.query, container.whatsapp_account.verify_token)
        if challenge is None:
            raise SignatureInvalid("wrong token")
        return Response(challenge, {"Content-Type": "text/plain"}, 200)

    @routes.route(PATH, methods=["POST"], content_types=[])
    @public_endpoint(routes, responses={204: None}, refusals=(BodyTooLarge, SignatureInvalid, TryAgain))
    def take_whatsapp_webhook(request: AnonymousRequest) -> Response:
        """Queue the messages and delivery reports of a request that Meta signed, in `X-Hub-Signature-256`.

        Whatever is signed is answered 204, also what cannot be read: Meta would send it again for days.
        """
        from chalicelib.channels.whatsapp import webhooks

        require_size(request.body, _MAX_BODY_BYTES)
        if not container.settings.whatsapp_secret:
            raise SignatureInvalid("the channel is off")
        signature = request.headers.get(signatures.SIGNATURE_HEADER, "")
        if not signatures.is_signed(request.body, signature, container.whatsapp_account.app_secret):
            raise SignatureInvalid("wrong signature")
        app_url = request.address.fill_in(container.settings.app_url)
        events = webhooks.parse_webhook(request.body, received_at=container.clock(), app_url=app_url)
        for event in events or ():
            container.chat_events.put(event)
        observability.count("ChatWebhooks", channel="whatsapp", result="queued" if events else "ignored")
        return Response("", {}, 204)

    return routes
