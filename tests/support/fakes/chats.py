"""Fakes of the chats of workers."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from chalicelib.conversations.messages import ChatLink, ChatRecord
from chalicelib.conversations.service import EventSeen, HandledEvent, SessionChanged, StoredSession, Turn
from chalicelib.messaging.gateways import ChatTarget

if TYPE_CHECKING:
    from chalicelib.conversations.messages import OutboxContent


class InMemoryChats:
    """Satisfies `notifications.chats.Chats`: `targets` by capture."""

    def __init__(self) -> None:
        self.targets: dict[str, ChatTarget] = {}

    def find_target(self, capture_id: str, *, now: datetime) -> ChatTarget | None:
        """Return the chat of a capture."""
        return self.targets.get(capture_id)


class InMemoryWorkerChats:
    """Satisfies `registrations.erasure.ChatStore`. Remembers what was erased."""

    def __init__(self) -> None:
        self.erased_workers: list[str] = []
        self.erased_captures: list[str] = []

    def erase_worker(self, worker_key: str) -> None:
        """Delete the drafts of a worker."""
        self.erased_workers.append(worker_key)

    def iter_worker_records(self, worker_key: str) -> Iterator[ChatRecord]:
        """Yield nothing: no worker came by chat."""
        yield from ()

    def erase_link(self, capture_id: str) -> None:
        """Forget the chat of a capture."""
        self.erased_captures.append(capture_id)


class InMemoryConversations:
    """Satisfies `conversations.service.Conversations`."""

    def __init__(self) -> None:
        self.sessions: dict[str, StoredSession] = {}
        self.events: dict[tuple[str, str], HandledEvent] = {}
        self.messages: list[tuple[str, OutboxContent]] = []
        self.links: list[str] = []

    def find_session(self, chat_key: str, *, now: datetime) -> StoredSession:
        """Return the session of a chat; one that has expired counts as none."""
        return self.sessions.get(chat_key, StoredSession(None, 0))

    def find_event(self, chat_key: str, event_key: str) -> HandledEvent | None:
        """Return what an event led to, or None if it was not handled."""
        return self.events.get((chat_key, event_key))

    def commit(self, turn: Turn, writes: Sequence[Any] = ()) -> None:
        """Store an event, the session after it and its messages. Raise EventSeen or SessionChanged."""
        if (turn.chat_key, turn.event_key) in self.events:
            raise EventSeen(turn.event_key)
        if self.find_session(turn.chat_key, now=turn.now).revision != turn.revision:
            raise SessionChanged(turn.chat_key)
        self.events[turn.chat_key, turn.event_key] = HandledEvent(turn.outbox_ids, turn.reply)
        self.sessions[turn.chat_key] = StoredSession(turn.session, turn.revision + 1)
        self.messages += turn.messages
        self.links += [write for write in writes if isinstance(write, str)]

    def build_link_write(self, capture_id: str, link: ChatLink, *, now: datetime, worker_key: str) -> str:
        """Return the write that names the chat of a capture."""
        return capture_id
