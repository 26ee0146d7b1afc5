"""The writes of a changed registration, for every store that changes one."""

from collections.abc import Callable

from chalicelib.audit.model import SYSTEM, AuditRecord, Subject
from chalicelib.aws.table import Table, Write
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.model import EventType, Registration
from chalicelib.registrations.store_items import build_registration
from chalicelib.registrations.store_keys import make_capture_key, make_deletions_key
from chalicelib.registrations.store_quotas import build_place_return
from chalicelib.registrations.takeovers import Takeover


def put_next_version(
    table: Table, registration: Registration, cipher: FieldCipher, *, previous_version: int
) -> Write:
    """Return the write that stores a changed registration, if no other writer changed it before."""
    return table.put(
        build_registration(registration, cipher),
        "version = :version",
        compared={":version": previous_version},
        returns_current=True,
    )


def count_deletion(table: Table, registration: Registration, counter: str) -> Write:
    """Return the write that counts a deletion by retention: of `registrations` or `identities`."""
    return table.update(
        make_deletions_key(registration.capture_metadata.campaign_id, registration.reference),
        "ADD #counter :one",
        compared={":one": 1},
        names={"#counter": counter},
    )


def mark_capture_cancelled(table: Table, registration: Registration) -> Write:
    """Return the write by which the capture that made a registration counts as cancelled.

    Breakdowns are counted from captures, in one pass over the day. The condition fails while the worker is
    being erased.
    """
    return table.update(
        make_capture_key(registration.capture_metadata.capture_id),
        "SET facts.is_cancelled = :yes",
        "attribute_exists(facts)",
        compared={":yes": True},
    )


def build_event_records(
    registration: Registration,
    previous: Registration,
    build_audit_write: Callable[[AuditRecord], Write] | None,
) -> list[Write]:
    """Return the writes that record the new events; of a schedule's, only what was deleted."""
    if build_audit_write is None:
        return []
    new_events = registration.lifecycle.history[len(previous.lifecycle.history) :]
    return [
        build_audit_write(
            AuditRecord(
                subject=Subject.registration(registration.reference),
                action=event.event_type,
                client_id=event.client_id,
                occurred_at=event.occurred_at,
            )
        )
        for event in new_events
        if event.client_id != SYSTEM or event.event_type is EventType.IDENTITY_DELETED
    ]


def build_takeover(
    table: Table,
    takeover: Takeover,
    cipher: FieldCipher,
    build_audit_write: Callable[[AuditRecord], Write] | None,
) -> list[Write]:
    """Return the writes that end an application which gives way, if no other writer changed it before."""
    ended, previous = takeover.ended, takeover.previous
    return [
        put_next_version(table, ended, cipher, previous_version=previous.lifecycle.version),
        mark_capture_cancelled(table, ended),
        *build_place_return(table, ended, previous),
        *build_event_records(ended, previous, build_audit_write),
    ]
