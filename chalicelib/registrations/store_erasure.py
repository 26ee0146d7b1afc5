"""Erasure in the registrations table. Counted facts are kept in remnants, under random ids."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from chalicelib.audit.model import SYSTEM, Action, AuditRecord, Subject
from chalicelib.aws.items import Values
from chalicelib.aws.table import Table, TransactionFailed, Write
from chalicelib.clock import to_timestamp
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.refusals import TryAgain
from chalicelib.registrations.captures import Capture
from chalicelib.registrations.erasure import CaptureLink, WorkerLinks
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.references import Reference
from chalicelib.registrations.store_changes import count_deletion
from chalicelib.registrations.store_items import (
    build_registration_facts,
    parse_campaign_day,
    parse_capture,
    parse_registration_facts,
)
from chalicelib.registrations.store_keys import (
    BY_STATUS,
    ITEM_EXISTS,
    ITEM_IS_NEW,
    LINK_PREFIX,
    REFERENCE_NAME,
    WORKER_HAS_REGISTRATION,
    Key,
    list_status_shards,
    make_capture_key,
    make_link_key,
    make_open_request_key,
    make_registration_key,
    make_remnant_keys,
    make_worker_key,
    parse_registration_key,
)
from chalicelib.registrations.store_quotas import build_place_return_on_erasure
from chalicelib.shares import WHOLE, Share

# Kept of a capture: its id, that it must not be accepted again, and its number on its device. The time of
# capture is removed, because an officer could remember whom they registered then. The counted facts move to a
# remnant, whose id the sender does not know.
_ERASE_CAPTURE = (
    "REMOVE fingerprint, answer, #reference, facts, day_shard, day_order, taken.captured_at,"
    " taken.received_at, taken.officer, taken.correlation_id SET forgotten = :yes"
)

# Kept of an application: its statuses with their times, its client and campaign, and what it follows.
_DESTROY_PERSONAL_FIELDS = (
    "REMOVE sealed, money, facts, worker_key, identity_hashes, identity_until, day_shard, day_order,"
    " status_shard, status_order, due_shard, due_order SET destroyed_at = :at"
)

_CAPTURE_HAS_FACTS = "attribute_exists(fingerprint) AND facts = :facts"
_IS_VERSION = "version = :version"

# Each attempt succeeds unless the capture or the registration changed in that very moment.
_MAX_ATTEMPTS = 4


class DynamoErasureStore:
    """Satisfies `erasure.ErasureStore`."""

    def __init__(
        self,
        client: Any,
        table_name: str,
        cipher: FieldCipher,
        *,
        new_id: Callable[[], str],
        build_audit_write: Callable[[AuditRecord], Write] | None,
    ) -> None:
        """`new_id` makes the ids of remnants, which must be random.

        `build_audit_write` makes the write that records that personal fields were destroyed.
        """
        self._table = Table(client, table_name)
        self._cipher = cipher
        self._new_id = new_id
        self._build_audit_write = build_audit_write

    def get_links(self, worker_key: str) -> WorkerLinks:
        latest, captures = None, []
        for values in self._table.query("pk = :worker", {":worker": make_worker_key(worker_key)["pk"]}):
            reference = Reference(values["reference"])
            if values["sk"].startswith(LINK_PREFIX):
                captures.append(CaptureLink(values["sk"].removeprefix(LINK_PREFIX), reference))
            else:
                latest = reference
        return WorkerLinks(latest, tuple(captures))

    def get_capture(self, capture_id: str) -> Capture:
        return parse_capture(self._table.get(make_capture_key(capture_id)) or {}, self._cipher)

    def erase_capture(self, worker_key: str, capture_link: CaptureLink) -> None:
        key = make_capture_key(capture_link.capture_id)
        link_key = make_link_key(worker_key, capture_link.capture_id)
        delete_link = self._table.delete(link_key, ITEM_EXISTS)
        for _ in range(_MAX_ATTEMPTS):
            if self._table.get(link_key) is None:
                return  # It was erased meanwhile, or moved with its registration to another worker.
            capture = self._table.get(key) or {}
            move = self._move_facts(key, capture) if "fingerprint" in capture else []
            if self._try_transact([*move, delete_link]):
                return
        raise TryAgain("the capture is being changed")

    def erase_worker(self, worker_key: str, latest_reference: Reference) -> None:
        self._table.try_run(
            self._table.delete(
                make_worker_key(worker_key),
                WORKER_HAS_REGISTRATION,
                compared={":reference": latest_reference},
                names=REFERENCE_NAME,
            )
        )

    def erase_registration(self, reference: Reference, worker_key: str) -> None:
        key = make_registration_key(reference)
        for _ in range(_MAX_ATTEMPTS):
            registration = self._table.get(key)
            # One whose personal fields were destroyed has no worker any more.
            if registration is None or registration.get("worker_key", worker_key) != worker_key:
                return
            compared = {":version": registration["version"]}
            delete = self._table.delete(key, _IS_VERSION, compared=compared)
            delete_marker = self._table.delete(make_open_request_key(reference))
            place_return = build_place_return_on_erasure(self._table, registration)
            remnant = self._put_registration_remnant(registration)
            if self._try_transact([delete, delete_marker, *remnant, *place_return]):
                return
        raise TryAgain("the registration is being changed")

    def destroy_personal_fields(self, registration: Registration, *, destroyed_at: datetime) -> bool:
        key, version = make_registration_key(registration.reference), registration.lifecycle.version
        compared = {":version": version, ":at": to_timestamp(destroyed_at)}
        destroy = self._table.update(key, _DESTROY_PERSONAL_FIELDS, _IS_VERSION, compared=compared)
        record = self._build_destruction_record(registration.reference, destroyed_at)
        count = count_deletion(self._table, registration, "registrations")
        delete_marker = self._table.delete(make_open_request_key(registration.reference))
        for _ in range(_MAX_ATTEMPTS):
            current = self._table.get(key)
            if current is None or "sealed" not in current or current["version"] != version:
                return False
            remnant = self._put_registration_remnant(current)
            if self._try_transact([destroy, *remnant, count, *record, delete_marker]):
                return True
        raise TryAgain("the count of deletions is being changed")

    def iter_in_status(
        self, status: Status, *, since_before: datetime, share: Share = WHOLE
    ) -> Iterator[Reference]:
        condition = "status_shard = :shard AND status_order < :before"
        for shard in share.choose(list_status_shards(status)):
            # The next character after the `#` that ends the time.
            values = {":shard": shard, ":before": f"{to_timestamp(since_before)}$"}
            for key in self._table.query(condition, values, index=BY_STATUS):
                yield parse_registration_key(key)

    def _build_destruction_record(self, reference: Reference, destroyed_at: datetime) -> list[Write]:
        if self._build_audit_write is None:
            return []
        return [
            self._build_audit_write(
                AuditRecord(
                    subject=Subject.registration(reference),
                    action=Action.PERSONAL_FIELDS_DELETED,
                    client_id=SYSTEM,
                    occurred_at=destroyed_at,
                )
            )
        ]

    def _move_facts(self, key: Key, capture: Values) -> list[Write]:
        """Return the writes that erase a capture, if it has these facts, and keep them in a remnant."""
        erase = self._table.update(
            key,
            _ERASE_CAPTURE,
            _CAPTURE_HAS_FACTS,
            compared={":yes": True, ":facts": capture["facts"]},
            names=REFERENCE_NAME,
        )
        facts = {name: value for name, value in capture["facts"].items() if name != "neighbours"}
        keys = make_remnant_keys(parse_campaign_day(capture), self._new_id())
        return [erase, self._put_remnant(keys, facts)]

    def _put_registration_remnant(self, registration: Values) -> list[Write]:
        # A registration of an earlier release has no facts until its next change.
        if "facts" not in registration:
            return []
        keys = make_remnant_keys(parse_campaign_day(registration), self._new_id())
        facts = parse_registration_facts(registration["facts"], registration["pk"], self._cipher)
        return [self._put_remnant(keys, build_registration_facts(facts, keys["pk"], self._cipher))]

    def _put_remnant(self, keys: Key, facts: Values) -> Write:
        return self._table.put({**keys, "facts": facts}, ITEM_IS_NEW)

    def _try_transact(self, writes: Sequence[Write]) -> bool:
        try:
            self._table.transact(writes)
        except TransactionFailed:
            return False
        return True
