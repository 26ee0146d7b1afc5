"""The fake chat of a local stack: its accounts, and its webhooks as a person would enter them."""

import json
from contextlib import suppress
from typing import Any

import httpx

from ops.fake_chat.accounts import (
    BOT_TOKEN,
    TELEGRAM_SECRET,
    TELEGRAM_WEBHOOK_SECRET,
    WHATSAPP_SECRET,
)

TELEGRAM_PATH = "/v1/channels/telegram/updates"
_ALLOWED_UPDATES = ["message", "callback_query", "my_chat_member"]


def create_chat_secrets(secrets_client: Any, stack_name: str) -> dict[str, str]:
    """Store the accounts of the fake chat as secrets. Return the parameters that name them."""
    accounts = {"telegram": TELEGRAM_SECRET, "whatsapp": WHATSAPP_SECRET}
    return {
        f"{channel.title()}Secret": _create_secret(secrets_client, f"{stack_name}-{channel}", account)
        for channel, account in accounts.items()
    }


def _create_secret(secrets_client: Any, name: str, account: dict[str, str]) -> str:
    with suppress(secrets_client.exceptions.ResourceExistsException):
        secrets_client.create_secret(Name=name, SecretString=json.dumps(account))
    return str(secrets_client.describe_secret(SecretId=name)["ARN"])


def subscribe_to_chats(chat_url: str, api_url: str) -> None:
    """Name our webhooks to the fake chat."""
    webhook = {
        "url": f"{api_url}{TELEGRAM_PATH}",
        "secret_token": TELEGRAM_WEBHOOK_SECRET,
        "allowed_updates": _ALLOWED_UPDATES,
    }
    httpx.post(f"{chat_url}/bot{BOT_TOKEN}/setWebhook", json=webhook, trust_env=False).raise_for_status()
