"""The fake chat of a local stack: its accounts, and its webhooks as a person would enter them."""

import json
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx

from ops.errors import OperationError
from ops.fake_chat.accounts import (
    BOT_TOKEN,
    TELEGRAM_SECRET,
    TELEGRAM_WEBHOOK_SECRET,
    VERIFY_TOKEN,
    WHATSAPP_SECRET,
)

_VERIFY_SECONDS = 60
WHATSAPP_PATH = "/v1/channels/whatsapp/webhook"
TELEGRAM_PATH = "/v1/channels/telegram/updates"
_ALLOWED_UPDATES = ["message", "callback_query", "my_chat_member"]


TEXT_GATEWAY_TOKEN = "local-gateway-token"  # noqa: S105 - of the local stack alone
CHAT_CAMPAIGN = "pendaftaran-lewat-chat"
CHAT_ZONE = ZoneInfo("Asia/Jakarta")
# A campaign lasts a year at most; a stack of last year is made afresh.
_CAMPAIGN_DAYS = timedelta(days=365)
_DAILY_SMS_BUDGET = 500_000


def make_chat_campaign(now: datetime) -> dict[str, object]:
    """Return the campaign of the chats that name none: it runs today, unlike the example's of 2024."""
    first_day = (now - timedelta(days=1)).date()
    last_day = first_day + _CAMPAIGN_DAYS
    return {
        "campaign_id": CHAT_CAMPAIGN,
        "name": "Pendaftaran lewat chat",
        "branch": "Jakarta Salemba",
        "place": "Telegram, WhatsApp, SMS",
        "zone": CHAT_ZONE.key,
        "first_day": first_day.isoformat(),
        "last_day": last_day.isoformat(),
        "accepts_until": last_day.isoformat(),
        "summary_hour": 20,
        "target": 0,
        "sms_budget": _DAILY_SMS_BUDGET,
    }


def create_chat_secrets(secrets_client: Any, stack_name: str) -> dict[str, str]:
    """Store the accounts of the fake chat as secrets. Return the parameters that name them."""
    accounts = {
        "Telegram": TELEGRAM_SECRET,
        "Whatsapp": WHATSAPP_SECRET,
        "TextGateway": {"token": TEXT_GATEWAY_TOKEN},
    }
    return {
        f"{name}Secret": _create_secret(secrets_client, f"{stack_name}-{name.lower()}", account)
        for name, account in accounts.items()
    }


def _create_secret(secrets_client: Any, name: str, account: dict[str, str]) -> str:
    with suppress(secrets_client.exceptions.ResourceExistsException):
        secrets_client.create_secret(Name=name, SecretString=json.dumps(account))
    return str(secrets_client.describe_secret(SecretId=name)["ARN"])


def subscribe_to_chats(chat_url: str, api_url: str) -> None:
    """Name our webhooks to the fake chat. Raise OperationError if WhatsApp's cannot be verified."""
    webhook = {
        "url": f"{api_url}{TELEGRAM_PATH}",
        "secret_token": TELEGRAM_WEBHOOK_SECRET,
        "allowed_updates": _ALLOWED_UPDATES,
    }
    httpx.post(f"{chat_url}/bot{BOT_TOKEN}/setWebhook", json=webhook, trust_env=False).raise_for_status()
    subscription = {"url": f"{api_url}{WHATSAPP_PATH}", "verify_token": VERIFY_TOKEN}
    answer = httpx.post(
        f"{chat_url}/whatsapp/webhook", json=subscription, trust_env=False, timeout=_VERIFY_SECONDS
    )
    if not answer.is_success:
        raise OperationError(f"WhatsApp's webhook was not subscribed: {answer.json()['message']}")
