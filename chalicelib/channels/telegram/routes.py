"""The webhook of Telegram's bot."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import observability
from chalicelib.http.content_encoding import BodyTooLarge, require_size
from chalicelib.http.endpoints import MAX_BODY_BYTES, AnonymousRequest, public_endpoint
from chalicelib.messaging.errors import SignatureInvalid
from chalicelib.refusals import TryAgain

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/channels/telegram/updates", methods=["POST"], content_types=[])
    @public_endpoint(routes, responses={204: None}, refusals=(BodyTooLarge, SignatureInvalid, TryAgain))
    def take_telegram_update(request: AnonymousRequest) -> Response:
        """Queue an update of our bot, which Telegram sends with our secret in a header.

        Whatever has the secret is answered 204, also what is of no use: any other answer makes Telegram send
        it again for a day, and hold back the later messages of the chat.
        """
        from chalicelib.channels.telegram import updates

        if not container.settings.telegram_secret:
            raise SignatureInvalid("the channel is off")
        account = container.telegram_account
        secret = request.headers.get(updates.SECRET_HEADER, "")
        if not updates.is_authentic(secret, account.webhook_secret):
            raise SignatureInvalid("wrong secret")
        require_size(request.body, MAX_BODY_BYTES)
        event = updates.parse_update(request.body, bot_id=account.bot_id, received_at=container.clock())
        if event is not None:
            container.chat_events.put(event)
        observability.count(
            "ChatWebhooks", channel="telegram", result="ignored" if event is None else "queued"
        )
        return Response("", {}, 204)

    return routes
