"""Building of the service that sends messages to people in chats."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.chats.bot_api import BotApi
from chalicelib.chats.cloud_api import CloudApi
from chalicelib.chats.service import ChatProvider, ChatSender
from chalicelib.clock import sleep

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_chat_sender(container: "Container") -> ChatSender:
    providers = build_providers(container)
    return ChatSender(
        outbox=container.chat_outbox,
        providers=providers,
        limiters={channel: container.make_send_rate_limiter(channel) for channel in providers},
        clock=container.clock,
        wait=sleep,
    )


def build_providers(container: "Container") -> dict[str, ChatProvider]:
    """Return the providers of the channels whose account the settings name."""
    settings = container.settings
    providers: dict[str, ChatProvider] = {}
    if settings.telegram_secret:
        providers["telegram"] = BotApi(
            url=settings.telegram_url, get_account=lambda: container.telegram_account
        )
    if settings.whatsapp_secret:
        providers["whatsapp"] = CloudApi(
            url=settings.whatsapp_url, get_account=lambda: container.whatsapp_account
        )
    return providers


def build_delay(container: "Container") -> Callable[[str, int], object]:
    """Return the function that lets a message of the chat outbox come again after some seconds."""
    return lambda receipt_handle, seconds: container.aws.sqs.change_message_visibility(
        QueueUrl=container.settings.chat_outbox_queue_url,
        ReceiptHandle=receipt_handle,
        VisibilityTimeout=seconds,
    )
