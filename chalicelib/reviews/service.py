"""The queue of review items of each campaign, for its managers."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, Protocol

from chalicelib.audit.model import Action, AuditRecord, Subject
from chalicelib.callers import Caller
from chalicelib.clock import Clock, to_expiry
from chalicelib.http.pagination import Page, Position
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.reviews.model import (
    Finding,
    ReviewItem,
    ReviewKind,
    ReviewState,
    ReviewSubject,
)
from chalicelib.typed import clean_text, find_text_problem

StoreWrite = Any
"""A write of another store, to be part of the transaction of a change."""


class ReviewStore(Protocol):
    """The store of review items."""

    def open(self, item: ReviewItem, *, expires_at: int) -> None:
        """Store a new item, or add its registrations and figures to the one with its id.

        A registration that is new in an item opens it again, and so does a person who asks in a chat again.
        """

    def get(self, campaign_id: str, item_id: str) -> ReviewItem:
        """Return an item. Raise ReviewItemUnknown."""

    def list_page(
        self, campaign_id: str, state: ReviewState, *, start_after: Position | None, page_size: int
    ) -> Page[ReviewItem]:
        """Return a page of a campaign's items in a state, the newest first."""

    def replace(
        self,
        item: ReviewItem,
        *,
        previous: ReviewItem,
        record: AuditRecord,
        writes: Sequence[StoreWrite] = (),
    ) -> None:
        """Store state, note and author of an item, the record of it, and other writes with them.

        Raise ReviewItemUnknown if it was erased meanwhile, or TryAgain.
        """

    def iter_by_reference(self, reference: str) -> Iterator[ReviewItem]:
        """Yield the items that name a registration."""

    def erase_reference(self, reference: str) -> None:
        """Delete the items of one registration alone; of others delete its reference and the note."""

    def delete(self, item_id: str) -> None:
        """Delete an item with what leads to it."""


class ReviewService:
    """Opens, shows and changes review items. One that is expired for `retention` is deleted."""

    def __init__(self, *, store: ReviewStore, retention: timedelta, clock: Clock) -> None:
        self._store = store
        self._retention = retention
        self._clock = clock

    def open_finding(self, finding: Finding) -> None:
        """Open the item of a finding. What is found again changes nothing but figures."""
        now, subject = self._clock(), finding.subject
        item = ReviewItem(
            item_id=finding.item_id,
            campaign_id=finding.campaign_id,
            kind=finding.kind,
            state=ReviewState.OPEN,
            opened_at=now,
            day=finding.day,
            registrations=finding.registrations,
            client_id=subject.client_id,
            sponsor_id=subject.sponsor_id,
            figures=finding.figures,
            note=finding.note,
            chat_key=subject.chat_key,
        )
        self._store.open(item, expires_at=to_expiry(now + self._retention))

    def open_item(
        self,
        campaign_id: str,
        kind: ReviewKind,
        subject: ReviewSubject,
        *,
        day: date | None = None,
        note: str | None = None,
    ) -> None:
        """Open an item, once for each campaign, kind and key of a subject."""
        self.open_finding(Finding(campaign_id, kind, subject, day=day, note=note))

    def list_page(
        self, campaign_id: str, state: ReviewState, *, start_after: Position | None, page_size: int
    ) -> Page[ReviewItem]:
        """Return a page of a campaign's items in a state, the newest first."""
        return self._store.list_page(campaign_id, state, start_after=start_after, page_size=page_size)

    def change(
        self, campaign_id: str, item_id: str, state: ReviewState, note: str | None, *, caller: Caller
    ) -> ReviewItem:
        """Set the state of an item, and its note if one is given. Return it.

        Of two changes at once the later one stays; both are in the audit trail. Raise ReviewItemUnknown,
        RulesBroken or TryAgain.
        """
        cleaned = None if note is None else _clean_note(note)
        item, now = self._store.get(campaign_id, item_id), self._clock()
        changed = item.change(state, cleaned, changed_by=caller.client_id, changed_at=now)
        if changed is item:
            return item
        fields = [name for name in ("note", "state") if getattr(changed, name) != getattr(item, name)]
        subject = Subject.review_item(item_id)
        record = AuditRecord(subject, Action.CHANGED, caller.client_id, now, fields=fields)
        self._store.replace(changed, previous=item, record=record)
        return changed

    def iter_by_reference(self, reference: str) -> Iterator[ReviewItem]:
        """Yield the items that name a registration."""
        return self._store.iter_by_reference(reference)

    def erase(self, reference: str) -> None:
        """Erase what items hold of a registration."""
        self._store.erase_reference(reference)

    def erase_item(self, item_id: str) -> None:
        """Erase an item that names no registration."""
        self._store.delete(item_id)


def _clean_note(note: str) -> str:
    cleaned = clean_text(note)
    code = find_text_problem(cleaned)
    if code is not None:
        raise RulesBroken(BrokenRule("note", code))
    return cleaned
