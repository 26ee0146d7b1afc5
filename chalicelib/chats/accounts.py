"""Our accounts at the chat providers, as the secrets of the stage hold them."""

import json
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True)
class TelegramAccount:
    """Our bot. Its updates carry the `webhook_secret`."""

    bot_token: str = field(repr=False)
    webhook_secret: str = field(repr=False)

    @classmethod
    def from_secret(cls, secret: str) -> Self:
        values = json.loads(secret)
        return cls(bot_token=values["bot_token"], webhook_secret=values["webhook_secret"])

    @property
    def bot_id(self) -> str:
        """Return the id of the bot, which its token begins with."""
        return self.bot_token.partition(":")[0]


@dataclass(frozen=True)
class WhatsAppAccount:
    """Our number. Webhooks are signed with the `app_secret`."""

    phone_number_id: str
    access_token: str = field(repr=False)
    app_secret: str = field(repr=False)
    verify_token: str = field(repr=False)

    @classmethod
    def from_secret(cls, secret: str) -> Self:
        values = json.loads(secret)
        names = ("phone_number_id", "access_token", "app_secret", "verify_token")
        return cls(**{name: values[name] for name in names})


def read_gateway_token(secret: str) -> str:
    """Return the token that our gateway for SMS and USSD sends."""
    token: str = json.loads(secret)["token"]
    return token
