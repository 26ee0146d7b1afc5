"""Building of what asks for a person in a chat, and of what answers there."""

from typing import TYPE_CHECKING

from chalicelib.campaigns.model import CampaignDay
from chalicelib.conversations.builder import make_outbox_sender
from chalicelib.conversations.service import EffectRunner
from chalicelib.reviews.answers import AnswerService
from chalicelib.reviews.builder import build_review_store
from chalicelib.reviews.hand_offs import HandOffEffect

if TYPE_CHECKING:
    from chalicelib.container import Container


def build_hand_off_effect(container: "Container") -> EffectRunner:
    """Return the effect of a conversation that asks for a person."""
    effect = HandOffEffect(
        reviews=container.reviews, chats=container.conversation_store, hashing=container.hashing
    )
    return effect.hand_off


def build_answer_service(container: "Container") -> AnswerService:
    def find_day(campaign_id: str) -> CampaignDay:
        campaign = container.campaigns.get(campaign_id)
        return CampaignDay(campaign_id, campaign.local_day(container.clock()))

    return AnswerService(
        items=build_review_store(container),
        chats=container.conversation_store,
        outbox=container.chat_outbox,
        send=make_outbox_sender(container),
        find_day=find_day,
        hashing=container.hashing,
        clock=container.clock,
    )
