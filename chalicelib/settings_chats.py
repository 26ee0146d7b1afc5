"""The settings of the chats: the accounts at Telegram and WhatsApp. A channel without a secret is off."""

from pydantic import BaseModel, Field


class ChatSettings(BaseModel):
    """The addresses of the chat providers, and the names of the secrets of our accounts there."""

    telegram_url: str = Field(
        alias="DAFTAR_TELEGRAM_URL",
        default="https://api.telegram.org",
        pattern=r"^https?://",
        description="URL of Telegram's Bot API.",
    )
    telegram_secret: str = Field(
        alias="DAFTAR_TELEGRAM_SECRET",
        default="",
        description="Secret with the bot_token and the webhook_secret of our bot; empty for no Telegram.",
    )
    whatsapp_url: str = Field(
        alias="DAFTAR_WHATSAPP_URL",
        default="https://graph.facebook.com/v23.0",
        pattern=r"^https?://",
        description="URL of WhatsApp's Cloud API, version included, or of a provider that speaks it.",
    )
    whatsapp_secret: str = Field(
        alias="DAFTAR_WHATSAPP_SECRET",
        default="",
        description=(
            "Secret with the access_token, app_secret, verify_token and phone_number_id of our number;"
            " empty for no WhatsApp."
        ),
    )
    text_gateway_secret: str = Field(
        alias="DAFTAR_TEXT_GATEWAY_SECRET",
        default="",
        description="Secret with the token of our gateway for SMS and USSD; empty for neither channel.",
    )
    chat_campaign: str = Field(
        alias="DAFTAR_CHAT_CAMPAIGN",
        default="",
        description="Campaign of the workers in chats that name none; empty for none.",
    )
