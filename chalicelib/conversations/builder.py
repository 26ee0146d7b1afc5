"""Building of the service that answers chats."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from chalicelib.conversations import consumer
from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.effects import OptOutEffects, StatusEffect
from chalicelib.conversations.events import ChannelName, InboundEvent
from chalicelib.conversations.form import FORMS
from chalicelib.conversations.questions import Context
from chalicelib.conversations.queues import SQSChatEvents, SQSChatOutbox
from chalicelib.conversations.rules import IntakeRules
from chalicelib.conversations.service import ConversationService, EffectRunner
from chalicelib.conversations.submitting import DraftSubmitter, build_caller
from chalicelib.devices.consent_texts import load_consent_texts

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_chat_events(container: "Container") -> SQSChatEvents:
    """Return the queue that webhooks write to."""
    return SQSChatEvents(
        container.aws.sqs,
        container.settings.chat_events_queue_url,
        cipher=container.cipher,
        hashing=container.hashing,
    )


def build_chat_event_handler(container: "Container") -> Callable[[str], None]:
    """Return the handler of the messages of the queue."""
    record_report = container.chat_reports.record
    return partial(consumer.handle, container.conversations, container.cipher, record_report)


def build_conversation_service(container: "Container") -> ConversationService:
    return ConversationService(
        conversations=container.conversation_store,
        build_context=_make_context_builder(container),
        submitter=DraftSubmitter(
            intake=container.intake,
            rules=_build_rules(container, "telegram"),
            hashing=container.hashing,
            clock=container.clock,
        ),
        effects=_build_effects(container),
        send=make_outbox_sender(container),
        hashing=container.hashing,
        clock=container.clock,
    )


def _build_rules(container: "Container", channel: ChannelName) -> IntakeRules:
    return IntakeRules(
        checker=container.checks,
        campaigns=container.campaigns,
        quotes=container.quotes,
        caller=build_caller(channel),
        clock=container.clock,
    )


def _make_context_builder(container: "Container") -> Callable[[InboundEvent, datetime], Context]:
    def build_context(event: InboundEvent, now: datetime) -> Context:
        capabilities = CAPABILITIES[event.channel]
        return Context(
            form=FORMS[capabilities.form_id],
            capabilities=capabilities,
            rules=_build_rules(container, event.channel),
            now=now,
            default_campaign=container.settings.chat_campaign,
            consent_version=load_consent_texts()[0].version,
            proven_phone=event.phone if capabilities.proves_phone else None,
        )

    return build_context


def _build_effects(container: "Container") -> dict[str, EffectRunner]:
    """Return what can be done beside the conversation, by the kind of effect."""
    opt_outs = OptOutEffects(
        conversations=container.conversation_store, opt_outs=container.opt_outs, hashing=container.hashing
    )
    return {
        "opt_out": opt_outs.opt_out,
        "opt_in": opt_outs.opt_in,
        "tell_status": StatusEffect(container.statuses).look_up,
        **container.chat_effects,
    }


def make_outbox_sender(container: "Container") -> Callable[[str, Sequence[str]], None]:
    """Return the function that passes messages on; the queue is not needed where there are none."""

    def send(chat_key: str, outbox_ids: Sequence[str]) -> None:
        if outbox_ids:
            outbox = SQSChatOutbox(container.aws.sqs, container.settings.chat_outbox_queue_url)
            outbox.send(chat_key, outbox_ids)

    return send
