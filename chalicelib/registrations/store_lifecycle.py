"""Changes of registrations in the registrations table."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from chalicelib.aws.table import Table, TransactionFailed
from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.errors import RegistrationSuperseded
from chalicelib.registrations.model import Registration
from chalicelib.registrations.references import Reference
from chalicelib.registrations.store_items import build_registration
from chalicelib.registrations.store_keys import (
    BY_DUE_DAY,
    REFERENCE_AND_STATUS_NAMES,
    WORKER_HAS_REGISTRATION,
    list_due_shards,
    make_worker_key,
    parse_registration_key,
)
from chalicelib.registrations.store_quotas import build_place_return


class DynamoLifecycleStore:
    """Satisfies `lifecycle.LifecycleStore`."""

    def __init__(self, client: Any, table_name: str, cipher: FieldCipher) -> None:
        self._table = Table(client, table_name)
        self._cipher = cipher

    def replace(self, registration: Registration, *, previous: Registration) -> None:
        put = self._table.put(
            build_registration(registration, self._cipher),
            "version = :version",
            compared={":version": previous.lifecycle.version},
            returns_current=True,
        )
        worker = self._table.update(
            make_worker_key(registration.worker_key),
            "SET #status = :status, ended = :ended",
            WORKER_HAS_REGISTRATION,
            compared={
                ":reference": registration.reference,
                ":status": registration.lifecycle.status,
                ":ended": registration.lifecycle.has_ended,
            },
            names=REFERENCE_AND_STATUS_NAMES,
            returns_current=True,
        )
        try:
            self._table.transact([put, worker, *build_place_return(self._table, registration, previous)])
        except TransactionFailed as failure:
            if set(failure.current) == {1}:
                raise RegistrationSuperseded(registration.reference) from None
            raise WriteConflict from failure

    def iter_due(self, due_day: date) -> Iterator[Reference]:
        before = f"{due_day.isoformat()}$"  # The next character after the `#` that ends the day.
        return iter_due_references(self._table, list_due_shards(), before)


def iter_due_references(table: Table, shards: Iterable[str], before: str) -> Iterator[Reference]:
    """Yield the registrations in partitions of the due index that sort before `before`."""
    condition = "due_shard = :shard AND due_order < :before"
    for shard in shards:
        for key in table.query(condition, {":shard": shard, ":before": before}, index=BY_DUE_DAY):
            yield parse_registration_key(key)
