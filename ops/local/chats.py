"""The fake chat of a local stack: its webhooks, as a person would enter them at Telegram and Meta."""

import httpx

from ops.fake_chat.accounts import BOT_TOKEN, TELEGRAM_WEBHOOK_SECRET

TELEGRAM_PATH = "/v1/channels/telegram/updates"
_ALLOWED_UPDATES = ["message", "callback_query", "my_chat_member"]


def subscribe_to_chats(chat_url: str, api_url: str) -> None:
    """Name our webhooks to the fake chat."""
    webhook = {
        "url": f"{api_url}{TELEGRAM_PATH}",
        "secret_token": TELEGRAM_WEBHOOK_SECRET,
        "allowed_updates": _ALLOWED_UPDATES,
    }
    httpx.post(f"{chat_url}/bot{BOT_TOKEN}/setWebhook", json=webhook, trust_env=False).raise_for_status()
