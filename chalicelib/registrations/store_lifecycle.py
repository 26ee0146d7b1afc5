"""Changes of registrations in the registrations table."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Any

from chalicelib.audit.model import AuditRecord
from chalicelib.aws.table import Table, TransactionFailed, Write
from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.errors import RegistrationSuperseded
from chalicelib.registrations.lifecycle import PaymentIdTaken
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.references import Reference
from chalicelib.registrations.store_changes import (
    build_event_records,
    count_deletion,
    mark_capture_cancelled,
    put_next_version,
)
from chalicelib.registrations.store_correction_values import build_request_marker
from chalicelib.registrations.store_keys import (
    BY_DUE_DAY,
    ITEM_IS_NEW,
    REFERENCE_AND_STATUS_NAMES,
    WORKER_HAS_REGISTRATION,
    list_due_shards,
    make_payment_key,
    make_worker_key,
    parse_registration_key,
)
from chalicelib.registrations.store_quotas import build_place_return
from chalicelib.shares import WHOLE, Share

# Positions in the transaction of `replace`.
_REGISTRATION_INDEX = 0
_WORKER_INDEX = 1


class DynamoLifecycleStore:
    """Satisfies `lifecycle.LifecycleStore`."""

    def __init__(
        self,
        client: Any,
        table_name: str,
        cipher: FieldCipher,
        *,
        build_audit_write: Callable[[AuditRecord], Write] | None,
    ) -> None:
        """`build_audit_write` makes the write that records a change; None records none."""
        self._table = Table(client, table_name)
        self._cipher = cipher
        self._build_audit_write = build_audit_write

    def replace(
        self, registration: Registration, *, previous: Registration, payment_key: str | None = None
    ) -> None:
        put = put_next_version(
            self._table, registration, self._cipher, previous_version=previous.lifecycle.version
        )
        identity = None if registration.identity is None else dict(registration.identity)
        worker = self._table.update(
            make_worker_key(registration.worker_key),
            f"SET #status = :status, ended = :ended{', identity_hashes = :identity' if identity else ''}",
            WORKER_HAS_REGISTRATION,
            compared={
                ":reference": registration.reference,
                ":status": registration.lifecycle.status,
                ":ended": registration.lifecycle.has_ended,
                ":identity": identity,
            },
            names=REFERENCE_AND_STATUS_NAMES,
            returns_current=True,
        )
        writes = [
            put,
            worker,
            *build_place_return(self._table, registration, previous),
            *build_request_marker(self._table, registration, previous),
        ]
        if registration.lifecycle.status is Status.CANCELLED is not previous.lifecycle.status:
            writes.append(mark_capture_cancelled(self._table, registration))
        if previous.has_identity and not registration.has_identity:
            writes.append(count_deletion(self._table, registration, "identities"))
        payment_index = len(writes)
        if payment_key is not None:
            # It names no registration: after an erasure nothing may lead to one.
            writes.append(self._table.put(make_payment_key(payment_key), ITEM_IS_NEW, returns_current=True))
        writes += build_event_records(registration, previous, self._build_audit_write)
        try:
            self._table.transact(writes)
        except TransactionFailed as failure:
            # Several conditions may fail at once. A newer version decides alone: the next attempt reads it.
            failed = failure.current.keys()
            if _REGISTRATION_INDEX not in failed and _WORKER_INDEX in failed:
                raise RegistrationSuperseded(registration.reference) from None
            if _REGISTRATION_INDEX not in failed and payment_key is not None and payment_index in failed:
                raise PaymentIdTaken from None
            raise WriteConflict from failure

    def iter_due(self, due_day: date, share: Share = WHOLE) -> Iterator[Reference]:
        before = f"{due_day.isoformat()}$"  # The next character after the `#` that ends the day.
        return iter_due_references(self._table, share.choose(list_due_shards()), before)


def iter_due_references(table: Table, shards: Iterable[str], before: str) -> Iterator[Reference]:
    """Yield the registrations in partitions of the due index that sort before `before`."""
    condition = "due_shard = :shard AND due_order < :before"
    for shard in shards:
        for key in table.query(condition, {":shard": shard, ":before": before}, index=BY_DUE_DAY):
            yield parse_registration_key(key)
