"""The settings of the chats: the accounts at Telegram and WhatsApp. A channel without a secret is off."""

from datetime import timedelta

from chalicelib.setting_values import parse_minutes
from chalicelib.settings_base import SettingsBase, setting


class ChatSettings(SettingsBase):
    """The addresses of the chat providers, and the names of the secrets of our accounts there."""

    telegram_url: str = setting(
        "DAFTAR_TELEGRAM_URL",
        default="https://api.telegram.org",
        pattern=r"https?://.*",
        description="URL of Telegram's Bot API.",
    )
    telegram_secret: str = setting(
        "DAFTAR_TELEGRAM_SECRET",
        default="",
        description="Secret with the bot_token and the webhook_secret of our bot; empty for no Telegram.",
    )
    whatsapp_url: str = setting(
        "DAFTAR_WHATSAPP_URL",
        default="https://graph.facebook.com/v23.0",
        pattern=r"https?://.*",
        description="URL of WhatsApp's Cloud API, version included, or of a provider that speaks it.",
    )
    whatsapp_secret: str = setting(
        "DAFTAR_WHATSAPP_SECRET",
        default="",
        description=(
            "Secret with the access_token, app_secret, verify_token and phone_number_id of our number;"
            " empty for no WhatsApp."
        ),
    )
    whatsapp_template: str = setting(
        "DAFTAR_WHATSAPP_TEMPLATE",
        default="",
        pattern=r"[a-z0-9_]{0,512}",
        description=(
            "Approved template with one parameter, for notifications when WhatsApp's 24 hours are over;"
            " empty for none: then the SMS goes out."
        ),
    )
    chat_timeout: timedelta = setting(
        "DAFTAR_CHAT_TIMEOUT_MINUTES",
        parse=parse_minutes,
        default=timedelta(minutes=30),
        gt=timedelta(0),
        description="How long a worker's chat has to deliver a notification, before the SMS goes out.",
    )
    chat_link_client: str = setting(
        "DAFTAR_CHAT_LINK_CLIENT",
        default="",
        description="Client on the web whose links WhatsApp gives out; empty for none.",
    )
    text_gateway_secret: str = setting(
        "DAFTAR_TEXT_GATEWAY_SECRET",
        default="",
        description="Secret with the token of our gateway for SMS and USSD; empty for neither channel.",
    )
    chat_campaign: str = setting(
        "DAFTAR_CHAT_CAMPAIGN",
        default="",
        description="Campaign of the workers in chats that name none; empty for none.",
    )
