"""Links by which a worker's own phone registers its worker, once: a message for one, or a poster for many."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from chalicelib.clients.errors import ClientRevoked, ClientUnknown
from chalicelib.clients.model import Client
from chalicelib.clients.service import ClientRegistry, Token
from chalicelib.clock import Clock
from chalicelib.crypto.hashing import KeyedHash
from chalicelib.enrolments.errors import EnrolmentCodeUnknown
from chalicelib.refusals import BrokenRule, RulesBroken

_USUAL_LIFETIME = timedelta(days=7)
# A poster hangs for as long as its campaign, a year at most, and a month longer.
_LONGEST_LIFETIME = timedelta(days=400)

_LINK_CODE = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Link:
    """A link of a client: for one phone, or for everybody who reads the poster."""

    client_id: str
    is_reusable: bool
    expires_at: datetime


class Links(Protocol):
    """The store of links, and of the capture that each phone registered by one."""

    def add(self, code_hash: str, link: Link) -> None:
        """Store a link."""

    def find(self, code_hash: str, *, now: datetime) -> Link:
        """Return a link. Raise EnrolmentCodeUnknown if there is none or it has expired."""

    def mark_used(self, code_hash: str, used_by: str) -> None:
        """Store which phone used a link. Raise EnrolmentCodeUnknown if it was another one."""

    def add_phone(self, link_id: str, code_hash: str, *, now: datetime) -> None:
        """Store the link by which a phone came."""

    def find_code_hash(self, link_id: str) -> str | None:
        """Return the link by which a phone came; None if it is not known."""

    def claim(self, link_id: str, capture_id: str, *, now: datetime) -> bool:
        """Store the capture that a phone registers. Return False if it was stored before.

        Raise LinkUsed if another one was.
        """

    def release(self, link_id: str, capture_id: str) -> None:
        """Forget a capture that was not accepted."""


class LinkService:
    """Makes links, and gives a worker's own phone a token for one registration."""

    def __init__(
        self,
        *,
        clients: ClientRegistry,
        links: Links,
        hashing: KeyedHash,
        clock: Clock,
        generate_code: Callable[[], str],
    ) -> None:
        self._clients = clients
        self._links = links
        self._hashing = hashing
        self._clock = clock
        self._generate_code = generate_code

    def make(self, client_id: str, *, is_reusable: bool, expires_at: datetime | None) -> tuple[str, datetime]:
        """Return the code of a new link, and when it ends. Raise RulesBroken for an end that cannot be."""
        now = self._clock()
        if expires_at is not None and expires_at <= now:
            raise RulesBroken(BrokenRule("expires_at", "expires_in_past"))
        if expires_at is not None and expires_at > now + _LONGEST_LIFETIME:
            raise RulesBroken(BrokenRule("expires_at", "expires_too_late"))
        code, link = self._generate_code(), Link(client_id, is_reusable, expires_at or now + _USUAL_LIFETIME)
        self._links.add(self.hash_code(code), link)
        return code, link.expires_at

    def exchange(self, code: str, phone_id: str) -> tuple[Client, Token]:
        """Return the client of a link with a token of a day, good for one registration.

        `phone_id` names the phone: the same one gets another token for the same registration, because the
        answer may be lost on the way. Raise EnrolmentCodeUnknown.
        """
        code_hash = self.hash_code(code)
        link = self._links.find(code_hash, now=self._clock())
        link_id = self._hashing.digest("phone by link", f"{code}\x1f{phone_id}")
        if not link.is_reusable:
            self._links.mark_used(code_hash, link_id)
            self._links.add_phone(link_id, code_hash, now=self._clock())
        try:
            return self._clients.enrol_phone(link.client_id, link_id)
        except (ClientUnknown, ClientRevoked):
            raise EnrolmentCodeUnknown("its client was revoked") from None

    @contextmanager
    def hold(self, link_id: str, capture_id: UUID) -> Iterator[None]:
        """Let a phone register this capture and no other. Raise LinkUsed if it has registered another.

        A capture that breaks rules leaves the link free.
        """
        is_new = self._links.claim(link_id, str(capture_id), now=self._clock())
        try:
            yield
        except RulesBroken:
            if is_new:
                self._links.release(link_id, str(capture_id))
            raise

    def find_code_hash(self, link_id: str) -> str | None:
        """Return the hash of the code by which a phone came; None for a poster's."""
        return self._links.find_code_hash(link_id)

    def hash_code(self, code: str) -> str:
        """Return the keyed hash of a code."""
        return self._hashing.digest("link code", code)


def is_link_code(typed: str) -> bool:
    """Return True for what has the form of a link's code, which nobody types."""
    return _LINK_CODE.fullmatch(typed) is not None
