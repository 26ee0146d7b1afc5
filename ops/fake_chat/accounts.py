"""The accounts of the fake chat, as a stage's secrets hold them. They are good for the fake chat only."""

import hashlib
import hmac

BOT_ID = 123456
BOT_TOKEN = f"{BOT_ID}:local"
BOT_USERNAME = "daftar_local_bot"
TELEGRAM_WEBHOOK_SECRET = "local-telegram-secret"  # noqa: S105

PHONE_NUMBER_ID = "100000000000001"
BUSINESS_ACCOUNT_ID = "200000000000001"
DISPLAY_PHONE_NUMBER = "622150000000"
ACCESS_TOKEN = "local-access-token"  # noqa: S105
APP_SECRET = "local-app-secret"  # noqa: S105
VERIFY_TOKEN = "local-verify-token"  # noqa: S105

TELEGRAM_SECRET = {"bot_token": BOT_TOKEN, "webhook_secret": TELEGRAM_WEBHOOK_SECRET}
WHATSAPP_SECRET = {
    "access_token": ACCESS_TOKEN,
    "app_secret": APP_SECRET,
    "verify_token": VERIFY_TOKEN,
    "phone_number_id": PHONE_NUMBER_ID,
}


def sign_webhook(body: bytes) -> str:
    """Return the `X-Hub-Signature-256` of a webhook's body."""
    return f"sha256={hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()}"
