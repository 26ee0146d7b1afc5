"""Fakes of the chats of workers."""

from collections.abc import Iterator
from datetime import datetime

from chalicelib.conversations.messages import ChatRecord
from chalicelib.messaging.gateways import ChatTarget


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
