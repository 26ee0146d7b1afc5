"""Answers of a campaign's managers to people in chats who want to talk to somebody. Pure.

An answer is a message of the chat's outbox. It is stored in one transaction with the change of the item and
the record of it, and queued after that: a request that comes again queues it again, which does no harm.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from chalicelib.audit.model import Action, AuditRecord, Subject
from chalicelib.callers import Caller
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import Clock
from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.messages import ChatLink, OutboxContent
from chalicelib.conversations.model import OfficerMessage, TextRef
from chalicelib.conversations.sends import ChatSend, SendState
from chalicelib.conversations.service import StoredSession, StoreWrite
from chalicelib.conversations.texts import render_text
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.reviews.errors import AnswerReused, ChatGone, ChatWindowClosed
from chalicelib.reviews.model import ReviewState
from chalicelib.reviews.service import ReviewStore
from chalicelib.typed import clean_text, find_text_problem

if TYPE_CHECKING:
    from chalicelib.reviews.schemas import AnswerReviewItem


class Chats(Protocol):
    """The chats of people."""

    def find_hand_off(self, chat_key: str, *, now: datetime) -> ChatLink | None:
        """Return where a person is answered, or None if nobody asked for that for a week."""

    def find_session(self, chat_key: str, *, now: datetime) -> StoredSession:
        """Return the session of a chat; one that has expired counts as none."""

    def build_outbox_write(
        self,
        chat_key: str,
        outbox_id: str,
        content: OutboxContent,
        *,
        now: datetime,
        worker_key: str | None,
        campaign_day: CampaignDay | None = None,
        fingerprint: str | None = None,
    ) -> StoreWrite:
        """Return the write that puts a message out, once."""


class Outbox(Protocol):
    def find(self, chat_key: str, outbox_id: str) -> tuple[ChatSend, OutboxContent | None] | None:
        """Return a message, and its content until it is out; None if there is none."""


@dataclass(frozen=True)
class Answer:
    """An answer and how far it has come. `is_replay`: the same request came before."""

    answer_id: str
    state: SendState
    is_replay: bool


class AnswerService:
    """Sends answers, each once. `send` passes the ids of a chat's messages on to their sender."""

    def __init__(
        self,
        *,
        items: ReviewStore,
        chats: Chats,
        outbox: Outbox,
        send: Callable[[str, Sequence[str]], None],
        find_day: Callable[[str], CampaignDay],
        hashing: KeyedHash,
        clock: Clock,
    ) -> None:
        """`find_day` returns the present day of a campaign, whose summary counts an answer."""
        self._items = items
        self._chats = chats
        self._outbox = outbox
        self._send = send
        self._find_day = find_day
        self._hashing = hashing
        self._clock = clock

    def answer(
        self, campaign_id: str, item_id: str, command: "AnswerReviewItem", *, caller: Caller
    ) -> Answer:
        """Send an answer to the person of an item, once for each id. Return how far it has come.

        Raise ReviewItemUnknown, ChatGone, ChatWindowClosed, AnswerReused, RulesBroken or TryAgain.
        """
        text, now = _clean(command.text), self._clock()
        item = self._items.get(campaign_id, item_id)
        chat = None if item.chat_key is None else self._chats.find_hand_off(item.chat_key, now=now)
        if chat is None:
            raise ChatGone(item_id)
        answer_id = str(command.answer_id)
        outbox_id = f"answer-{answer_id}"
        fingerprint = self._hashing.digest("chat answer", f"{item_id}\x1f{text}")
        state = self._find_state(chat.chat_key, outbox_id, fingerprint)
        is_replay = state is not None
        if state is None:
            stored = self._chats.find_session(chat.chat_key, now=now)
            last_heard_at = None if stored.session is None else stored.session.touched_at
            if not CAPABILITIES[chat.channel].takes_text(last_heard_at, now):
                raise ChatWindowClosed(chat.channel)
            language = chat.language if stored.session is None else stored.session.language
            message = TextRef(key="officer_says", args={"text": text})
            content = OutboxContent(
                channel=chat.channel,
                account=chat.account,
                recipient=chat.recipient,
                language=language,
                message=OfficerMessage(text=render_text(message, language)),
            )
            write = self._chats.build_outbox_write(
                *(chat.chat_key, outbox_id, content),
                now=now,
                worker_key=stored.worker_key,
                campaign_day=self._find_day(campaign_id),
                fingerprint=fingerprint,
            )
            answered = replace(item, state=ReviewState.ACTED_ON, changed_by=caller.client_id, changed_at=now)
            record = AuditRecord(Subject.review_item(item_id), Action.ANSWERED, caller.client_id, now)
            self._items.replace(answered, previous=item, record=record, writes=(write,))
            state = SendState.PENDING
        self._send(chat.chat_key, (outbox_id,))
        return Answer(answer_id, state, is_replay)

    def _find_state(self, chat_key: str, outbox_id: str, fingerprint: str) -> SendState | None:
        """Return the state of an answer that was stored before. Raise AnswerReused if it was another."""
        found = self._outbox.find(chat_key, outbox_id)
        if found is None:
            return None
        sent, _ = found
        if sent.fingerprint != fingerprint:
            raise AnswerReused(outbox_id)
        return SendState(sent.state)


def _clean(text: str) -> str:
    cleaned = clean_text(text)
    code = find_text_problem(cleaned)
    if code is not None:
        raise RulesBroken(BrokenRule("text", code))
    return cleaned
