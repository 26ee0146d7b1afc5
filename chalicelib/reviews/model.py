"""Review items: what managers of a campaign should look at. They refuse nothing and accuse nobody. Pure."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum

_ID_LENGTH = 32

MAX_REFERENCES = 50
"""The most registrations that an item names. Of a phone with more, the first ones are enough to look at."""


class ReviewKind(StrEnum):
    """The reason for an item. There is one item for each kind and subject of a campaign."""

    REPEAT_DIFFERS = "repeat_differs"
    PHONE_OVERUSED = "phone_overused"
    SECOND_NIK = "second_nik"
    PAYMENT_DIFFERS = "payment_differs"
    PAYMENT_SHARED = "payment_shared"
    TAKEN_OVER = "taken_over"
    TOOK_OVER = "took_over"
    TALK_TO_PERSON = "talk_to_person"
    CLIENT_ABOVE_PEERS = "client_above_peers"
    CLIENT_OVER_CAP = "client_over_cap"
    CLIENT_UNUSUAL = "client_unusual"
    NEIGHBOURING_SERIALS = "neighbouring_serials"
    DEVICE_SILENT = "device_silent"
    SPONSOR_OVER_QUOTA = "sponsor_over_quota"
    HISTORY_FULL = "history_full"
    WORKER_CAPTURES_REACHED = "worker_captures_reached"
    RECORDS_UNREADABLE = "records_unreadable"


class ReviewState(StrEnum):
    """The state of an item. A new registration in an item opens it again."""

    OPEN = "open"
    LOOKED_AT = "looked_at"
    ACTED_ON = "acted_on"


@dataclass(frozen=True)
class ReviewSubject:
    """The subject of an item. `key` is its id within the campaign and kind; it is not shown.

    `references` are its registrations, `client_id` or `sponsor_id` whom it concerns. `chat_key` names the
    chat that it is about.
    """

    key: str
    references: tuple[str, ...] = ()
    client_id: str | None = None
    sponsor_id: str | None = None
    chat_key: str | None = None

    @classmethod
    def registration(cls, reference: str) -> "ReviewSubject":
        return cls(reference, (reference,))

    @classmethod
    def client_day(cls, client_id: str, day: date) -> "ReviewSubject":
        return cls(f"{client_id} {day.isoformat()}", client_id=client_id)


@dataclass(frozen=True, order=True)
class ReviewedRegistration:
    """A registration that an item names, and its campaign day."""

    reference: str
    day: date | None = None


@dataclass(frozen=True)
class Finding:
    """Something to look at. `day` is the campaign day of its registrations, or the day that it is about.

    `figures` are its numbers, as far as it has some; `note` is personal.
    """

    campaign_id: str
    kind: ReviewKind
    subject: ReviewSubject
    day: date | None = None
    figures: Mapping[str, int] = field(default_factory=dict)
    note: str | None = None

    @property
    def item_id(self) -> str:
        """Return the id of the item: the same for whatever finds the same again."""
        return make_item_id(self.campaign_id, self.kind, self.subject.key)

    @property
    def registrations(self) -> tuple[ReviewedRegistration, ...]:
        return tuple(ReviewedRegistration(each, self.day) for each in self.subject.references)


@dataclass(frozen=True)
class ReviewItem:
    """One item of a campaign's queue. `note` is free text of a person, and so personal.

    `chat_key` is the keyed hash of the chat in which it can be answered; it is not shown.
    """

    item_id: str
    campaign_id: str
    kind: ReviewKind
    state: ReviewState
    opened_at: datetime
    day: date | None = None
    registrations: tuple[ReviewedRegistration, ...] = ()
    client_id: str | None = None
    sponsor_id: str | None = None
    figures: Mapping[str, int] = field(default_factory=dict)
    note: str | None = None
    chat_key: str | None = None
    changed_by: str | None = None
    changed_at: datetime | None = None

    def change(
        self, state: ReviewState, note: str | None, *, changed_by: str, changed_at: datetime
    ) -> "ReviewItem":
        """Return the item in another state, with its own note if none is given; itself if nothing differs."""
        note = self.note if note is None else note
        if (self.state, self.note) == (state, note):
            return self
        return replace(self, state=state, note=note, changed_by=changed_by, changed_at=changed_at)


def make_item_id(campaign_id: str, kind: ReviewKind, key: str) -> str:
    """Return the id of an item. It needs no key: whatever it is made of stands in the item, or is a hash."""
    return hashlib.sha256(f"{campaign_id}\x1f{kind}\x1f{key}".encode()).hexdigest()[:_ID_LENGTH]
