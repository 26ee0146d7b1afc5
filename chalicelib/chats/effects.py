"""Effects of conversations that lead out of them, such as a link to our own form. Pure."""

from datetime import datetime, timedelta
from typing import Protocol

from chalicelib.chats.linked_captures import name_link_capture
from chalicelib.conversations.messages import ChatLink
from chalicelib.conversations.model import Effect, TextRef
from chalicelib.conversations.service import EffectContext, EffectResult, StoreWrite

_TOKEN_LIFETIME = timedelta(days=1)


class Links(Protocol):
    """Makes links by which a worker's own phone registers its worker, once."""

    def make(self, client_id: str, *, is_reusable: bool, expires_at: datetime | None) -> tuple[str, datetime]:
        """Return the code of a new link, and when it ends."""

    def hash_code(self, code: str) -> str:
        """Return the keyed hash of a code."""


class ChatsOfCaptures(Protocol):
    """Stores the chats in which captures began."""

    def build_link_write(
        self,
        capture_id: str,
        link: ChatLink,
        *,
        now: datetime,
        worker_key: str | None,
        retention: timedelta,
    ) -> StoreWrite:
        """Return the write that names the chat of a capture."""


class LinkEffect:
    """Gives a person the one-time link to our own form, where numbers of identity may be asked for."""

    def __init__(self, *, links: Links, chats: ChatsOfCaptures, client_id: str) -> None:
        """`client_id` is the client on the web whose links are given out; without one there are none."""
        self._links = links
        self._chats = chats
        self._client_id = client_id

    def make_link(self, effect: Effect, chat: EffectContext) -> EffectResult:
        """Return a new link, and the write that remembers the chat it was given to."""
        if not self._client_id or not chat.event.app_url:
            return EffectResult(notices=(TextRef(key="no_form"),))
        code, ends_at = self._links.make(self._client_id, is_reusable=False, expires_at=None)
        name = name_link_capture(self._links.hash_code(code))
        # The phone's token is good for a day after the link was opened.
        retention = ends_at - chat.now + _TOKEN_LIFETIME
        write = self._chats.build_link_write(
            name, chat.build_link(), now=chat.now, worker_key=None, retention=retention
        )
        return EffectResult(
            notices=(TextRef(key="form_link"),), link=f"{chat.event.app_url}#self={code}", writes=(write,)
        )
