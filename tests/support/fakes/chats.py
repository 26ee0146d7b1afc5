"""A fake of the chats in which captures were made."""

from datetime import datetime

from chalicelib.messaging.gateways import ChatTarget


class InMemoryChats:
    """Satisfies `notifications.chats.Chats`: `targets` by capture."""

    def __init__(self, targets: dict[str, ChatTarget] | None = None) -> None:
        self.targets = targets or {}

    def find_target(self, capture_id: str, *, now: datetime) -> ChatTarget | None:
        """Return the chat of a capture."""
        return self.targets.get(capture_id)
