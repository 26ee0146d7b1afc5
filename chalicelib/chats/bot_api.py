"""Calls of Telegram's Bot API (https://core.telegram.org/bots/api)."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from chalicelib.channels.telegram.rendering import render_call
from chalicelib.chats.accounts import TelegramAccount
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

# An edit that comes twice has had its effect the first time.
_ALREADY_DONE = "message is not modified"


class BotApi:
    """Satisfies `service.ChatProvider`. It never retries: the API has no idempotency key.

    `get_account` is called with each message, so that functions that send none need no right to the secret.
    """

    name = "telegram"

    def __init__(self, *, url: str, get_account: Callable[[], TelegramAccount]) -> None:
        self._url = url.rstrip("/")
        self._get_account = get_account

    def send(self, content: OutboxContent, tracker: str) -> GatewayAcceptance:
        """Send one message. Telegram reports nothing later, so the tracker is not passed on."""
        call = render_call(content)
        # The token is part of the address, which is therefore in no log and no error.
        url = f"{self._url}/bot{self._get_account().bot_token}/{call.method}"
        headers = {"Content-Type": "application/json"}
        answer = post(url, json.dumps(call.params).encode(), headers, gateway=self.name)
        description = str(answer.body.get("description", ""))
        if answer.body.get("ok") is True or _ALREADY_DONE in description:
            return GatewayAcceptance(self.name, _read_message_id(answer.body))
        raise self._classify(answer)

    def _classify(self, answer: HttpAnswer) -> GatewayError:
        reason = f"http_{answer.status}"
        if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
            seconds = answer.body.get("parameters", {}).get("retry_after", 1)
            return Throttled(reason, retry_after_seconds=int(seconds), gateway=self.name)
        # Without Telegram's own body it is the answer of a proxy: the message may have been accepted.
        if answer.body.get("ok") is not False:
            return OutcomeUnknown(reason, gateway=self.name)
        if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return TransientFailure(reason, gateway=self.name)
        if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.NOT_FOUND}:
            return AccountFailure(reason, gateway=self.name)
        # 403: the person blocked the bot, or is gone.
        return PermanentFailure(reason, gateway=self.name, opted_out=answer.status == HTTPStatus.FORBIDDEN)


def _read_message_id(body: dict[str, Any]) -> str:
    result = body.get("result")
    return str(result.get("message_id", "")) if isinstance(result, dict) else ""
