"""Recording of reads of personal records, and reading of the audit trail.

A change is recorded by the store that makes it, in the same transaction.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol

from chalicelib.audit.model import Action, AuditRecord, Subject
from chalicelib.callers import Caller
from chalicelib.clock import Clock
from chalicelib.http.pagination import Page, Position


class AuditStore(Protocol):
    """The store of the trail: records are added and never changed."""

    def append(self, record: AuditRecord) -> None:
        """Store a record."""

    def list_by_subject(
        self, subject: Subject, *, start_after: Position | None, page_size: int
    ) -> Page[AuditRecord]:
        """Return a page of the records of a subject, oldest first."""

    def list_by_client(
        self, client_id: str, *, start_after: Position | None, page_size: int
    ) -> Page[AuditRecord]:
        """Return a page of what a client did, oldest first; the newest may be missing for a moment."""

    def iter_by_subject(self, subject: Subject) -> Iterator[AuditRecord]:
        """Yield the records of a subject, oldest first."""


class AuditService:
    """Records who reads personal records, before they are answered: without a record there is no answer."""

    def __init__(self, *, store: AuditStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def record_read(self, reference: str, *, caller: Caller) -> None:
        """Record that a caller is shown a registration."""
        self._append(Subject.registration(reference), Action.READ, caller)

    def record_list(self, rows: Iterable[tuple[str, date, str]], *, caller: Caller) -> None:
        """Record that a caller is shown rows: the campaign, day and reference of each registration.

        There is one record for each campaign day, because one for each row would cost a write a row. The
        campaign day of a registration never changes, so that a disclosure finds the lists that showed it.
        """
        by_day: defaultdict[Subject, list[str]] = defaultdict(list)
        for campaign_id, day, reference in rows:
            by_day[Subject.campaign_day(campaign_id, day)].append(reference)
        for subject, references in by_day.items():
            self._append(subject, Action.LISTED, caller, references)

    def record_request(self, subject: Subject, action: Action, *, caller: Caller) -> None:
        """Record what a caller asked for that changes no record of its own."""
        self._append(subject, action, caller)

    def list_by_subject(
        self, subject: Subject, *, start_after: Position | None, page_size: int
    ) -> Page[AuditRecord]:
        """Return a page of the records of a subject, oldest first."""
        return self._store.list_by_subject(subject, start_after=start_after, page_size=page_size)

    def list_by_client(
        self, client_id: str, *, start_after: Position | None, page_size: int
    ) -> Page[AuditRecord]:
        """Return a page of what a client did, oldest first."""
        return self._store.list_by_client(client_id, start_after=start_after, page_size=page_size)

    def iter_by_registration(
        self, reference: str, campaign_day: tuple[str, date] | None
    ) -> Iterator[AuditRecord]:
        """Yield the records of a registration, and of the lists of its campaign day that showed it.

        The references of other registrations are left out.
        """
        yield from self._store.iter_by_subject(Subject.registration(reference))
        if campaign_day is not None:
            for record in self._store.iter_by_subject(Subject.campaign_day(*campaign_day)):
                if reference in record.references:
                    yield replace(record, subject=Subject.registration(reference), references=())

    def _append(
        self, subject: Subject, action: Action, caller: Caller, references: Sequence[str] = ()
    ) -> None:
        self._store.append(
            AuditRecord(
                subject=subject,
                action=action,
                client_id=caller.client_id,
                occurred_at=self._clock(),
                references=tuple(references),
            )
        )
