"""Review items of people in chats who want to talk to a person. Pure."""

from chalicelib.conversations.model import Effect, TextRef
from chalicelib.conversations.service import EffectContext, EffectResult
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.reviews.model import ReviewKind, ReviewSubject
from chalicelib.reviews.service import ReviewService


class HandOffEffect:
    """Asks the campaign's managers to talk to a person. They see the question, and no answers."""

    def __init__(self, *, reviews: ReviewService, hashing: KeyedHash) -> None:
        self._reviews = reviews
        self._hashing = hashing

    def hand_off(self, effect: Effect, chat: EffectContext) -> EffectResult:
        """Open an item of the review queue, once a day for a chat."""
        campaign_id = effect.args["campaign_id"]
        if not campaign_id:
            return EffectResult(notices=(TextRef(key="agent_by_phone"),))
        key = self._hashing.digest("hand-off", f"{chat.chat_key}\x1f{chat.now.date().isoformat()}")
        note = f"{chat.event.channel}, {effect.args['state']}, {effect.args['language']}"
        self._reviews.open_item(
            campaign_id, ReviewKind.TALK_TO_PERSON, ReviewSubject(key=key), day=None, note=note
        )
        return EffectResult(notices=(TextRef(key="agent_called"),))
