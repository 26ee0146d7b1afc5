"""Building of the service that sends messages to people in chats."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.chats.bot_api import BotApi
from chalicelib.chats.cloud_api import CloudApi
from chalicelib.chats.effects import LinkEffect
from chalicelib.chats.linked_captures import LinkedCaptures
from chalicelib.chats.notices import CaptureChats, ChatNoticeGateway
from chalicelib.chats.reports import ChatReports
from chalicelib.chats.service import ChatProvider, ChatSender
from chalicelib.clock import sleep
from chalicelib.conversations.service import EffectRunner
from chalicelib.messaging.gateways import Gateway

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_chat_sender(container: "Container") -> ChatSender:
    providers = build_providers(container)
    return ChatSender(
        outbox=container.chat_outbox,
        providers=providers,
        limiters={channel: container.make_send_rate_limiter(channel) for channel in providers},
        ledger=container.sms_ledger,
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


def build_linked_captures(container: "Container") -> LinkedCaptures:
    return LinkedCaptures(
        links=container.links,
        chats=container.conversation_store,
        hashing=container.hashing,
        clock=container.clock,
    )


def build_chat_effects(container: "Container") -> dict[str, EffectRunner]:
    """Return the effects that lead out of a conversation, by their kind."""
    link_effect = LinkEffect(
        links=container.links,
        chats=container.conversation_store,
        client_id=container.settings.chat_link_client,
    )
    return {"make_link": link_effect.make_link}


def build_capture_chats(container: "Container") -> CaptureChats:
    return CaptureChats(
        container.conversation_store,
        channels=frozenset(build_providers(container)),
        has_template=bool(container.settings.whatsapp_template),
    )


def build_notice_gateways(container: "Container") -> dict[str, Gateway]:
    """Return the gateways that send notifications to chats, by channel."""
    return {
        channel: ChatNoticeGateway(
            provider,
            clock=container.clock,
            template=container.settings.whatsapp_template,
            template_sender=provider if isinstance(provider, CloudApi) else None,
        )
        for channel, provider in build_providers(container).items()
    }


def build_report_recorder(container: "Container") -> ChatReports:
    return ChatReports(sender=container.chat_sender, receipts=container.receipt_sink)


def build_delay(container: "Container") -> Callable[[str, int], object]:
    """Return the function that lets a message of the chat outbox come again after some seconds."""
    return lambda receipt_handle, seconds: container.aws.sqs.change_message_visibility(
        QueueUrl=container.settings.chat_outbox_queue_url,
        ReceiptHandle=receipt_handle,
        VisibilityTimeout=seconds,
    )
