"""Corrections in the registrations table. Every write is one conditional transaction."""

from collections.abc import Callable, Iterator
from datetime import date
from itertools import islice
from typing import Any

from chalicelib.audit.model import AuditRecord
from chalicelib.aws.table import Table, TransactionFailed, Write
from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.http.pagination import Page, Position
from chalicelib.registrations.correction_writes import CorrectionWrite, KnownWorker, WorkerMove
from chalicelib.registrations.errors import RegistrationSuperseded
from chalicelib.registrations.model import Registration
from chalicelib.registrations.prior_state import PriorState
from chalicelib.registrations.quotas import CampaignSponsor
from chalicelib.registrations.references import Reference
from chalicelib.registrations.store_changes import build_event_records, put_next_version
from chalicelib.registrations.store_correction_values import build_request_marker
from chalicelib.registrations.store_items import build_capture_facts
from chalicelib.registrations.store_keys import (
    BY_STATUS,
    ITEM_EXISTS,
    ITEM_IS_NEW,
    LINK_PREFIX,
    REFERENCE_AND_STATUS_NAMES,
    REFERENCE_NAME,
    WORKER_HAS_REGISTRATION,
    list_request_shards,
    make_capture_key,
    make_link_key,
    make_registration_key,
    make_worker_key,
    parse_registration_key,
)
from chalicelib.registrations.store_quotas import build_place_update
from chalicelib.registrations.store_worker_state import (
    build_phone_count,
    build_worker_record,
    make_worker_record,
    parse_worker_record,
    read_prior_state,
)

_WORKER_IS_LEFT = f"{WORKER_HAS_REGISTRATION} AND (captures = :captures OR attribute_not_exists(captures))"
_WORKER_HAS_ENDED = f"{WORKER_HAS_REGISTRATION} AND ended = :yes"
_IS_READABLE_VERSION = "version = :version AND attribute_exists(sealed)"

# Positions in the transaction of `apply`.
_REGISTRATION_INDEX = 0
_WORKER_INDEX = 1


class DynamoCorrectionStore:
    """Satisfies `corrections.service.CorrectionStore`."""

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

    def read_prior_state(
        self, worker_key: str, *, phone_key: str | None, day: date, sponsor: CampaignSponsor | None = None
    ) -> PriorState:
        return read_prior_state(self._table, worker_key, phone_key=phone_key, day=day, sponsor=sponsor)

    def read_worker(self, worker_key: str) -> KnownWorker:
        record, captures = None, []
        for values in self._table.query("pk = :worker", {":worker": make_worker_key(worker_key)["pk"]}):
            if values["sk"].startswith(LINK_PREFIX):
                captures.append((values["sk"].removeprefix(LINK_PREFIX), values["reference"]))
            else:
                record = parse_worker_record(values)
        return KnownWorker(record, tuple(captures))

    def apply(self, write: CorrectionWrite) -> None:
        registration, previous = write.registration, write.previous
        put = put_next_version(
            self._table, registration, self._cipher, previous_version=previous.lifecycle.version
        )
        writes = [
            put,
            *(self._update_worker(registration) if write.move is None else self._move(write)),
            *self._update_facts(write),
            *self._change_places(write),
            *build_request_marker(self._table, registration, previous),
            *build_event_records(registration, previous, self._build_audit_write),
        ]
        if write.phone_increment is not None:
            writes.append(build_phone_count(self._table, write.phone_increment))
        try:
            self._table.transact(writes)
        except TransactionFailed as failure:
            failed = failure.current.keys()
            if write.move is None and _REGISTRATION_INDEX not in failed and _WORKER_INDEX in failed:
                raise RegistrationSuperseded(registration.reference) from None
            raise WriteConflict from failure

    def list_open_requests(self, *, start_after: Position | None, page_size: int) -> Page[Reference]:
        """Return a page of the registrations with an open request, by the time of the request."""
        condition = "status_shard = :shard AND status_order > :after"
        rows = [
            row
            for shard in list_request_shards()
            for row in islice(
                self._table.query(
                    condition,
                    {":shard": shard, ":after": start_after or " "},
                    index=BY_STATUS,
                    page_size=page_size + 1,
                ),
                page_size + 1,
            )
        ]
        rows.sort(key=lambda row: str(row["status_order"]))
        page = rows[:page_size]
        return Page(
            rows=[parse_registration_key(row) for row in page],
            last_position=Position(page[-1]["status_order"]) if page else None,
            has_more=len(rows) > len(page),
        )

    def _update_worker(self, registration: Registration) -> Iterator[Write]:
        record = make_worker_record(registration)
        identity = None if record.identity is None else dict(record.identity)
        yield self._table.update(
            make_worker_key(registration.worker_key),
            f"SET #status = :status, ended = :ended{', identity_hashes = :identity' if identity else ''}",
            WORKER_HAS_REGISTRATION,
            compared={
                ":reference": registration.reference,
                ":status": record.status,
                ":ended": record.has_ended,
                **({":identity": identity} if identity else {}),
            },
            names=REFERENCE_AND_STATUS_NAMES,
            returns_current=True,
        )

    def _move(self, write: CorrectionWrite) -> Iterator[Write]:
        """Yield the writes that give a registration with its captures to another worker."""
        move, registration = write.move, write.registration
        if move is None:
            return
        yield from self._leave_worker(move, registration.reference)
        captures = len(move.capture_ids) + (0 if move.target is None else move.target.captures)
        yield self._table.put(
            build_worker_record(registration.worker_key, make_worker_record(registration, captures=captures)),
            ITEM_IS_NEW if move.target is None else _WORKER_HAS_ENDED,
            **(
                {}
                if move.target is None
                else {
                    "compared": {":reference": move.target.reference, ":yes": True},
                    "names": REFERENCE_NAME,
                }
            ),
        )
        for capture_id in move.capture_ids:
            yield self._table.delete(make_link_key(move.source_key, capture_id), ITEM_EXISTS)
            link = make_link_key(registration.worker_key, capture_id)
            yield self._table.put({**link, "reference": registration.reference})

    def _leave_worker(self, move: WorkerMove, reference: Reference) -> Iterator[Write]:
        """Yield the writes that leave the worker of the wrong NIK with the earlier registration, or none."""
        key = make_worker_key(move.source_key)
        options: dict[str, Any] = {
            "compared": {":reference": reference, ":captures": move.source.captures},
            "names": REFERENCE_NAME,
        }
        if move.earlier is None:
            yield self._table.delete(key, _WORKER_IS_LEFT, **options)
            return
        captures = max(0, move.source.captures - len(move.capture_ids))
        record = make_worker_record(move.earlier, captures=captures)
        yield self._table.put(build_worker_record(move.source_key, record), _WORKER_IS_LEFT, **options)
        yield self._table.check(
            make_registration_key(move.earlier.reference),
            _IS_READABLE_VERSION,
            compared={":version": move.earlier.lifecycle.version},
        )

    def _update_facts(self, write: CorrectionWrite) -> Iterator[Write]:
        # Whoever changes them changes the registration with them, whose version is a condition.
        if write.facts is not None:
            yield self._table.update(
                make_capture_key(write.registration.capture_metadata.capture_id),
                "SET facts = :facts",
                "attribute_exists(facts)",
                compared={":facts": build_capture_facts(write.facts)},
            )

    def _change_places(self, write: CorrectionWrite) -> Iterator[Write]:
        if write.has_other_sponsor:
            places = (
                build_place_update(self._table, write.previous, -1),
                build_place_update(self._table, write.registration, 1, write.quota_state),
            )
            yield from (each for each in places if each is not None)
