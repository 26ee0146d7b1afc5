"""The chats of workers who registered by a link that a chat gave them. Pure."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

from chalicelib.clock import Clock
from chalicelib.contributions.service import FUND_ZONE
from chalicelib.conversations.messages import ChatLink
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.registrations import nik
from chalicelib.registrations.errors import InvalidValue


class Links(Protocol):
    def find_code_hash(self, link_id: str) -> str | None:
        """Return the hash of the code by which a phone came; None for a poster's."""


class ChatsOfCaptures(Protocol):
    def find_link(self, capture_id: str) -> ChatLink | None:
        """Return the chat that a capture was made in, or None."""

    def put_link(self, capture_id: str, link: ChatLink, *, now: datetime, worker_key: str) -> None:
        """Store the chat of a capture."""


class LinkedCaptures:
    """Remembers the chat of a capture that was made by a link from it, whether its worker is known or not."""

    def __init__(self, *, links: Links, chats: ChatsOfCaptures, hashing: KeyedHash, clock: Clock) -> None:
        self._links = links
        self._chats = chats
        self._hashing = hashing
        self._clock = clock

    def follow(self, link_id: str, capture_id: UUID, typed_nik: str) -> None:
        """Store the chat of a capture that was accepted. A link that no chat gave leads to none."""
        code_hash = self._links.find_code_hash(link_id)
        chat = None if code_hash is None else self._chats.find_link(name_link_capture(code_hash))
        if chat is None:
            return
        now = self._clock()
        try:
            number, _ = nik.parse(typed_nik, capture_day=now.astimezone(FUND_ZONE).date())
        except InvalidValue:
            return
        worker_key = self._hashing.digest("nik", number)
        self._chats.put_link(str(capture_id), chat, now=now, worker_key=worker_key)


def name_link_capture(code_hash: str) -> str:
    """Return the name under which the chat of a link is kept until its capture is known."""
    return f"link-{code_hash}"
