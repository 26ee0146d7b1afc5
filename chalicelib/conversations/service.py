"""Conversations: each event of a chat changes its session and says something once, in one transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import Clock
from chalicelib.conversations.capabilities import CAPABILITIES
from chalicelib.conversations.engine import step
from chalicelib.conversations.events import ChannelName, InboundEvent
from chalicelib.conversations.messages import ChatLink, OutboxContent
from chalicelib.conversations.model import Acknowledgement, Effect, Session, Step, TextRef
from chalicelib.conversations.outcomes import Registered, add_notices, conclude
from chalicelib.conversations.questions import Context
from chalicelib.conversations.submitting import DraftSubmitter
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.refusals import TryAgain

# Another event of the same chat came first. A queue delivers those of one chat one by one: this is rare.
_MAX_ATTEMPTS = 4

# A session that was erased or has expired begins anew: a message is named after its event.
_ID_DIGITS = 32

StoreWrite = Any
"""A write of a store, to be part of the transaction of an event."""


class EventSeen(Exception):
    """The event was handled before."""


class SessionChanged(Exception):
    """Another event of the chat was handled in between."""


@dataclass(frozen=True)
class StoredSession:
    """The session of a chat, or None, and the number of its events so far. `worker_key` is of its draft."""

    session: Session | None
    revision: int
    worker_key: str | None = None


@dataclass(frozen=True)
class HandledEvent:
    """The messages that an event led to, or its reply where the channel is answered at once."""

    outbox_ids: tuple[str, ...]
    reply: OutboxContent | None = None


@dataclass(frozen=True)
class EffectResult:
    """The additions of an effect to the prompt, and to the transaction of its event."""

    notices: tuple[TextRef, ...] = ()
    link: str | None = None
    writes: tuple[StoreWrite, ...] = ()


@dataclass(frozen=True)
class EffectContext:
    """The chat that an effect is of, and the worker of its draft."""

    event: InboundEvent
    chat_key: str
    session: Session
    now: datetime
    worker_key: str | None = None

    def build_link(self) -> ChatLink:
        """Return the chat as it is stored."""
        return ChatLink(
            channel=self.event.channel,
            account=self.event.account,
            recipient=self.event.sender,
            language=self.session.language,
            chat_key=self.chat_key,
        )


EffectRunner = Callable[[Effect, EffectContext], EffectResult]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One event of a chat with all that it leads to; `revision` is the number of events before it.

    The messages have an id each, or the reply is the answer to the channel's own request. `worker_key` names
    the worker whom they are about; `campaign_day` is the day whose summary counts them.
    """

    channel: ChannelName
    chat_key: str
    event_key: str
    session: Session
    revision: int
    messages: tuple[tuple[str, OutboxContent], ...]
    reply: OutboxContent | None
    worker_key: str | None
    now: datetime
    campaign_day: CampaignDay | None = None

    @property
    def outbox_ids(self) -> tuple[str, ...]:
        return tuple(outbox_id for outbox_id, _ in self.messages)


class Conversations(Protocol):
    """The store of conversations."""

    def find_session(self, chat_key: str, *, now: datetime) -> StoredSession:
        """Return the session of a chat; one that has expired counts as none."""

    def find_event(self, chat_key: str, event_key: str) -> HandledEvent | None:
        """Return what an event led to, or None if it was not handled."""

    def commit(self, turn: Turn, writes: Sequence[StoreWrite] = ()) -> None:
        """Store an event, the session after it and its messages. Raise EventSeen or SessionChanged."""

    def build_link_write(
        self, capture_id: str, link: ChatLink, *, now: datetime, worker_key: str
    ) -> StoreWrite:
        """Return the write that names the chat of a capture; a repeat of it changes nothing."""


class ConversationService:
    """Answers the events of all channels."""

    def __init__(
        self,
        *,
        conversations: Conversations,
        build_context: Callable[[InboundEvent, datetime], Context],
        submitter: DraftSubmitter,
        effects: Mapping[str, EffectRunner],
        send: Callable[[str, Sequence[str]], None],
        hashing: KeyedHash,
        clock: Clock,
    ) -> None:
        """`send` passes the ids of a chat's messages on to their sender; a repeat of it does no harm."""
        self._conversations = conversations
        self._build_context = build_context
        self._submitter = submitter
        self._effects = effects
        self._send = send
        self._hashing = hashing
        self._clock = clock

    def handle(self, event: InboundEvent) -> HandledEvent:
        """Handle an event once. A repeated delivery passes its messages on once more, and changes nothing.

        Raise TryAgain if others came first, or as intake does.
        """
        chat_key = self._hashing.digest("chat", event.describe_sender())
        event_key = self._hashing.digest("chat event", event.describe_event())
        handled = self._handle_once(event, chat_key, event_key)
        self._send(chat_key, handled.outbox_ids)
        return handled

    def _handle_once(self, event: InboundEvent, chat_key: str, event_key: str) -> HandledEvent:
        for _ in range(_MAX_ATTEMPTS):
            handled = self._conversations.find_event(chat_key, event_key)
            if handled is not None:
                return handled
            try:
                return self._try_handle(event, chat_key, event_key)
            except (EventSeen, SessionChanged):
                continue
        raise TryAgain("other events of the chat came first")

    def _try_handle(self, event: InboundEvent, chat_key: str, event_key: str) -> HandledEvent:
        now = self._clock()
        stored = self._conversations.find_session(chat_key, now=now)
        context = self._build_context(event, now)
        answered = step(stored.session, event, context)
        answered, writes = self._run_effects(answered, event, chat_key, event_key, context)
        worker_key = self._hash_worker(answered.session) or self._hash_worker(stored.session)
        contents = _list_messages(event, answered)
        is_answered_at_once = CAPABILITIES[event.channel].answers_at_once
        turn = Turn(
            channel=event.channel,
            chat_key=chat_key,
            event_key=event_key,
            session=answered.session,
            revision=stored.revision,
            messages=tuple(
                (f"{event_key[:_ID_DIGITS]}-{number}", content)
                for number, content in enumerate(() if is_answered_at_once else contents)
            ),
            reply=contents[0] if is_answered_at_once and contents else None,
            worker_key=worker_key,
            now=now,
            campaign_day=context.rules.find_day(answered.session.campaign_id),
        )
        self._conversations.commit(turn, writes)
        return HandledEvent(turn.outbox_ids, turn.reply)

    def _run_effects(
        self, answered: Step, event: InboundEvent, chat_key: str, event_key: str, context: Context
    ) -> tuple[Step, list[StoreWrite]]:
        writes: list[StoreWrite] = []
        for effect in answered.effects:
            worker_key = self._hash_worker(answered.session)
            chat = EffectContext(event, chat_key, answered.session, context.now, worker_key)
            if effect.kind == "register":
                outcome = self._submitter.register(answered.session, event, event_key, now=context.now)
                if isinstance(outcome, Registered) and outcome.is_captured:
                    writes += self._link_capture(chat, event_key)
                answered = conclude(answered.session, outcome, context)
                continue
            result = self._effects[effect.kind](effect, chat)
            writes += result.writes
            answered = add_notices(answered, *result.notices, link=result.link)
        return answered, writes

    def _link_capture(self, chat: EffectContext, event_key: str) -> list[StoreWrite]:
        """Return the write that names the chat of a capture, whether its worker is known or not."""
        if chat.worker_key is None or CAPABILITIES[chat.event.channel].answers_at_once:
            return []
        capture_id = str(self._submitter.make_capture_id(event_key))
        return [
            self._conversations.build_link_write(
                capture_id, chat.build_link(), now=chat.now, worker_key=chat.worker_key
            )
        ]

    def _hash_worker(self, session: Session | None) -> str | None:
        """Return the keyed hash of the NIK of a draft, as registrations have it."""
        number = None if session is None else self._submitter.find_nik(session)
        return None if number is None else self._hashing.digest("nik", number)


def _list_messages(event: InboundEvent, answered: Step) -> list[OutboxContent]:
    callback_id, prompt = event.callback_id, answered.prompt
    acknowledgement = None if callback_id is None else Acknowledgement(callback_id=callback_id)
    return [
        OutboxContent(
            channel=event.channel,
            account=event.account,
            recipient=event.sender,
            language=answered.session.language,
            message=message,
        )
        for message in (acknowledgement, prompt)
        if message is not None
    ]
