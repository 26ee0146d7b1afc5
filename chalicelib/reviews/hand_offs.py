"""Review items of people in chats who want to talk to a person. Pure."""

from datetime import datetime
from typing import Protocol

from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.messages import ChatLink
from chalicelib.conversations.model import Effect, TextRef
from chalicelib.conversations.service import EffectContext, EffectResult, StoreWrite
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.reviews.model import Finding, ReviewKind, ReviewSubject
from chalicelib.reviews.service import ReviewService


class HandOffs(Protocol):
    """Stores where people who want to talk to somebody are answered."""

    def build_hand_off_write(
        self, link: ChatLink, item_id: str, *, now: datetime, worker_key: str | None
    ) -> StoreWrite:
        """Return the write that keeps where a person is answered."""


class HandOffEffect:
    """Asks the campaign's managers to talk to a person. They see the question, and no answers."""

    def __init__(self, *, reviews: ReviewService, chats: HandOffs, hashing: KeyedHash) -> None:
        self._reviews = reviews
        self._chats = chats
        self._hashing = hashing

    def hand_off(self, effect: Effect, chat: EffectContext) -> EffectResult:
        """Open an item of the review queue, one a day for a chat."""
        campaign_id = effect.args["campaign_id"]
        if not campaign_id:
            return EffectResult(notices=(TextRef(key="agent_by_phone"),))
        key = self._hashing.digest("hand-off", f"{chat.chat_key}\x1f{chat.now.date().isoformat()}")
        finding = Finding(
            campaign_id,
            ReviewKind.TALK_TO_PERSON,
            ReviewSubject(key=key, chat_key=chat.chat_key),
            note=f"{chat.event.channel}, {effect.args['state']}, {effect.args['language']}",
        )
        self._reviews.open_finding(finding)
        if CAPABILITIES[chat.event.channel].answers_at_once:
            # Nothing of ours can be sent there later: the managers only see that somebody needed help.
            return EffectResult(notices=(TextRef(key="agent_by_phone"),))
        write = self._chats.build_hand_off_write(
            chat.build_link(), finding.item_id, now=chat.now, worker_key=chat.worker_key
        )
        return EffectResult(notices=(TextRef(key="agent_called"),), writes=(write,))
