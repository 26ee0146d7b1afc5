"""Calls of WhatsApp's Cloud API, or of a provider that speaks it."""

import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from chalicelib.channels.whatsapp.rendering import render_message
from chalicelib.chats.accounts import WhatsAppAccount
from chalicelib.conversations.messages import OutboxContent
from chalicelib.messaging.errors import (
    AccountFailure,
    GatewayError,
    OutcomeUnknown,
    PermanentFailure,
    Throttled,
    TransientFailure,
)
from chalicelib.messaging.gateways import GatewayAcceptance
from chalicelib.messaging.http_posts import HttpAnswer, post

# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
# Too fast, by code: seconds after which to come again. 131056 is about one person: one in six seconds.
_RETRY_SECONDS_BY_CODE = {4: 60, 80007: 60, 130429: 5, 131048: 300, 131056: 6, 133016: 300}
_TRANSIENT_CODES = frozenset({1, 2, 131000, 131016, 131057, 133004})
# Credentials, rights, payment, or a lock of the account: nothing of ours is accepted.
_ACCOUNT_CODES = frozenset({0, 3, 10, 190, 368, 131005, 131031, 131042, 133010})


class CloudApi:
    """Satisfies `service.ChatProvider`. It never retries: the API has no idempotency key."""

    name = "whatsapp"

    def __init__(self, *, url: str, get_account: Callable[[], WhatsAppAccount]) -> None:
        self._url = url.rstrip("/")
        self._get_account = get_account

    def send(self, content: OutboxContent, tracker: str) -> GatewayAcceptance:
        """Send one message. Reports about it name the tracker."""
        message = render_message(content)
        if message is None:
            return GatewayAcceptance(self.name, "")
        return self.send_message(content.recipient, message, tracker)

    def send_message(self, recipient: str, message: Mapping[str, Any], tracker: str) -> GatewayAcceptance:
        """Send a message in the API's own form to a phone's digits or to a business-scoped id."""
        account = self._get_account()
        address = {"to": recipient} if recipient.isdecimal() else {"recipient": recipient}
        body = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            **address,
            **message,
            "biz_opaque_callback_data": tracker,
        }
        headers = {
            "Authorization": f"Bearer {account.access_token}",
            "Content-Type": "application/json",
        }
        url = f"{self._url}/{account.phone_number_id}/messages"
        answer = post(url, json.dumps(body).encode(), headers, gateway=self.name)
        messages = answer.body.get("messages")
        if answer.status == HTTPStatus.OK and isinstance(messages, list) and messages:
            return GatewayAcceptance(self.name, str(messages[0]["id"]))
        raise self._classify(answer)

    def _classify(self, answer: HttpAnswer) -> GatewayError:
        error = answer.body.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        if not isinstance(code, int):
            # Not from Meta but from a proxy in front of it: the message may have been accepted.
            return OutcomeUnknown(f"http_{answer.status}", gateway=self.name)
        seconds = _RETRY_SECONDS_BY_CODE.get(code)
        if seconds is not None:
            return Throttled(str(code), retry_after_seconds=seconds, gateway=self.name)
        if code in _ACCOUNT_CODES:
            return AccountFailure(str(code), gateway=self.name)
        if code in _TRANSIENT_CODES or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return TransientFailure(str(code), gateway=self.name)
        return PermanentFailure(str(code), gateway=self.name)
