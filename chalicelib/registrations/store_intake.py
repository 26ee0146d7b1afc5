"""The intake's part of the registrations table. Every write is one conditional transaction."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from chalicelib.audit.model import AuditRecord
from chalicelib.aws.items import Item, Values, to_item
from chalicelib.aws.table import ConditionFailed, Table, TransactionFailed, Write, expires_after
from chalicelib.conflicts import WriteConflict
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.registrations.captures import Capture, Outcome
from chalicelib.registrations.errors import RegistrationDestroyed
from chalicelib.registrations.limits import PhoneCountExceeded, PhoneCountIncrement
from chalicelib.registrations.model import Registration
from chalicelib.registrations.prior_state import (
    CaptureExists,
    PriorState,
    WorkerExists,
    WorkerRecord,
)
from chalicelib.registrations.quotas import CampaignSponsor, QuotaChanged, QuotaState
from chalicelib.registrations.references import Reference
from chalicelib.registrations.store_changes import build_takeover, put_next_version
from chalicelib.registrations.store_items import (
    build_capture,
    build_registration,
    parse_capture,
    parse_registration,
)
from chalicelib.registrations.store_keys import (
    ITEM_IS_NEW,
    REFERENCE_AND_STATUS_NAMES,
    REFERENCE_NAME,
    make_capture_key,
    make_decoy_key,
    make_link_key,
    make_registration_key,
    make_worker_key,
)
from chalicelib.registrations.store_quotas import build_place_update
from chalicelib.registrations.store_worker_state import (
    RETENTION,
    build_phone_count,
    build_worker_record,
    make_worker_record,
    parse_worker_record,
    read_prior_state,
)
from chalicelib.registrations.takeovers import Takeover

# A refused capture may be corrected and sent again; an accepted one never changes.
_CAPTURE_IS_NEW = "attribute_not_exists(pk) OR facts.outcome = :refused"
_WORKER_HAS_OPEN_REGISTRATION = "#reference = :reference AND ended = :no"
_WORKER_HAS_ENDED_REGISTRATION = "#reference = :reference AND ended = :ended"
# Repeats may be stored while the application is open: no capture of the worker must be lost from the count.
_WORKER_GIVES_WAY = (
    f"{_WORKER_HAS_ENDED_REGISTRATION} AND (captures = :captures OR attribute_not_exists(captures))"
)
# With the number of captures: a move of the worker must find the links of them all.
_WORKER_IS_SAME = (
    "(#reference = :reference AND ended = :no AND #status = :status"
    " AND (captures = :before OR attribute_not_exists(captures)))"
)
_PUBLIC_WORKER_IS_NEW = f"attribute_not_exists(pk) OR {_WORKER_IS_SAME}"
# As long as the other: a request for a known worker has the size of one for a new worker.
_PUBLIC_WORKER_IS_UNCHANGED = f"attribute_exists(pk) AND {_WORKER_IS_SAME}".ljust(len(_PUBLIC_WORKER_IS_NEW))

_ONE_DAY = timedelta(days=1)


class DynamoIntakeStore:
    """Satisfies `intake.IntakeStore`."""

    def __init__(
        self,
        client: Any,
        table_name: str,
        cipher: FieldCipher,
        *,
        build_audit_write: Callable[[AuditRecord], Write] | None,
    ) -> None:
        """`build_audit_write` makes the write that records a takeover; None records none."""
        self._table = Table(client, table_name)
        self._cipher = cipher
        self._build_audit_write = build_audit_write

    def read_prior_state(
        self, worker_key: str, *, phone_key: str | None, day: date, sponsor: CampaignSponsor | None = None
    ) -> PriorState:
        return read_prior_state(self._table, worker_key, phone_key=phone_key, day=day, sponsor=sponsor)

    def find_capture(self, capture_id: str) -> Capture | None:
        values = self._table.get(make_capture_key(capture_id))
        return None if values is None else parse_capture(values, self._cipher)

    def add(
        self,
        registration: Registration,
        capture: Capture,
        phone_increment: PhoneCountIncrement | None,
        quota_state: QuotaState | None = None,
        *,
        captures: int = 1,
        takeover: Takeover | None = None,
    ) -> None:
        self._write_capture(
            registration,
            capture,
            worker=self._put_worker(registration, captures, takes_over=takeover is not None),
            earlier=()
            if takeover is None
            else build_takeover(self._table, takeover, self._cipher, self._build_audit_write),
            application=to_item(build_registration(registration, self._cipher)),
            phone=self._count_phone(phone_increment),
            sponsor=build_place_update(self._table, registration, 1, quota_state),
        )

    def add_public(
        self,
        registration: Registration,
        capture: Capture,
        phone_increment: PhoneCountIncrement | None,
        worker_record: WorkerRecord | None,
        quota_state: QuotaState | None = None,
        *,
        captures: int = 1,
    ) -> None:
        """Store a capture as `add` does, or as a repeat.

        A repeat writes the worker's item with the registration that it has, the sponsor's places unchanged
        and, instead of a new registration, a decoy of its size.
        """
        application = to_item(build_registration(registration, self._cipher))
        received_on = registration.capture_metadata.received_at.date()
        expires_at = expires_after(received_on, RETENTION)
        own = to_item({**make_decoy_key(registration.reference), "expires_at": expires_at})
        content = {name: value for name, value in application.items() if name not in own}
        decoy = {**own, "decoy": _build_decoy_value({"M": content})}
        places = 1 if worker_record is None else 0
        self._write_capture(
            registration,
            capture,
            worker=self._put_public_worker(registration, worker_record, captures),
            application=application if worker_record is None else decoy,
            phone=self._count_phone(phone_increment),
            sponsor=build_place_update(self._table, registration, places, quota_state),
        )

    def find_registration(self, reference: Reference) -> Registration | None:
        values = self._table.get(make_registration_key(reference))
        try:
            return None if values is None else parse_registration(values, self._cipher)
        except RegistrationDestroyed:
            return None

    def add_repeat(
        self,
        capture: Capture,
        *,
        worker_key: str,
        phone_increment: PhoneCountIncrement | None = None,
        changed: Registration | None = None,
    ) -> None:
        worker = self._table.update(
            make_worker_key(worker_key),
            "ADD captures :one",
            _WORKER_HAS_OPEN_REGISTRATION,
            compared={":reference": _get_reference(capture), ":no": False, ":one": 1},
            names=REFERENCE_NAME,
        )
        self._transact(
            {
                "capture": self._put_capture(capture),
                "phone": self._count_phone(phone_increment),
                "worker": worker,
                "link": self._put_link(worker_key, capture),
                "changed": None if changed is None else self._put_changed(changed),
            }
        )

    def add_refusal(self, capture: Capture, *, is_on_campaign_day: bool, expires_on: date) -> None:
        values = build_capture(capture, self._cipher, is_on_campaign_day=is_on_campaign_day)
        try:
            self._table.run(
                self._put_capture_values({**values, "expires_at": expires_after(expires_on, _ONE_DAY)})
            )
        except ConditionFailed as failure:
            raise self._capture_exists(failure.current) from None

    def _write_capture(
        self,
        registration: Registration,
        capture: Capture,
        *,
        worker: Write,
        application: Item,
        phone: Write | None,
        sponsor: Write | None,
        earlier: Sequence[Write] = (),
    ) -> None:
        self._transact(
            {
                "capture": self._put_capture(capture),
                "worker": worker,
                "application": self._table.put_item(application, ITEM_IS_NEW, returns_current=True),
                "phone": phone,
                "sponsor": sponsor,
                "link": self._put_link(registration.worker_key, capture),
                **{f"earlier {number}": write for number, write in enumerate(earlier)},
            }
        )

    def _transact(self, named_writes: Mapping[str, Write | None]) -> None:
        """Send the writes that are not None. Raise what the failed conditions mean.

        The phone's count comes before the worker: whether a cap is reached must not depend on the worker.
        """
        writes = {name: write for name, write in named_writes.items() if write is not None}
        try:
            self._table.transact(list(writes.values()))
        except TransactionFailed as failure:
            current = {list(writes)[position]: values for position, values in failure.current.items()}
            if "capture" in current:
                raise self._capture_exists(current["capture"]) from None
            if "phone" in current:
                raise PhoneCountExceeded(int(current["phone"]["given"])) from None
            if current.get("worker"):
                raise WorkerExists(parse_worker_record(current["worker"])) from None
            if "sponsor" in current:
                raise QuotaChanged(int(current["sponsor"].get("taken", 0))) from None
            # The reference is in use, or another caller wrote in the same instant.
            raise WriteConflict from failure

    def _capture_exists(self, values: Values) -> CaptureExists:
        return CaptureExists(parse_capture(values, self._cipher))

    def _put_capture(self, capture: Capture) -> Write:
        return self._put_capture_values(build_capture(capture, self._cipher))

    def _put_capture_values(self, values: Values) -> Write:
        return self._table.put(
            values,
            _CAPTURE_IS_NEW,
            compared={":refused": Outcome.REFUSED},
            returns_current=True,
        )

    def _put_changed(self, registration: Registration) -> Write:
        previous_version = registration.lifecycle.version - 1
        return put_next_version(self._table, registration, self._cipher, previous_version=previous_version)

    def _put_link(self, worker_key: str, capture: Capture) -> Write:
        key = make_link_key(worker_key, capture.capture_metadata.capture_id)
        values = {**key, "reference": _get_reference(capture)}
        return self._table.put(values, ITEM_IS_NEW, returns_current=True)

    def _put_worker(self, registration: Registration, captures: int, *, takes_over: bool = False) -> Write:
        worker_record = make_worker_record(registration, captures=captures)
        values = build_worker_record(registration.worker_key, worker_record)
        if registration.follows is None:
            return self._table.put(values, ITEM_IS_NEW, returns_current=True)
        counted = {":captures": captures - 1} if takes_over else {}
        return self._table.put(
            values,
            _WORKER_GIVES_WAY if takes_over else _WORKER_HAS_ENDED_REGISTRATION,
            compared={":reference": registration.follows, ":ended": not takes_over, **counted},
            names=REFERENCE_NAME,
            returns_current=True,
        )

    def _put_public_worker(
        self, registration: Registration, known: WorkerRecord | None, captures: int
    ) -> Write:
        """Return the write of the worker's item: the same work for a new worker and for a known one.

        No stored item has a new registration's reference, so the second half of its condition never holds.
        """
        if registration.follows is not None:
            return self._put_worker(registration, captures)
        worker_record = replace(known or make_worker_record(registration), captures=captures)
        return self._table.put(
            build_worker_record(registration.worker_key, worker_record),
            _PUBLIC_WORKER_IS_NEW if known is None else _PUBLIC_WORKER_IS_UNCHANGED,
            compared={
                ":reference": worker_record.reference,
                ":no": False,
                ":status": worker_record.status,
                ":before": 0 if known is None else known.captures,
            },
            names=REFERENCE_AND_STATUS_NAMES,
            returns_current=True,
        )

    def _count_phone(self, phone_increment: PhoneCountIncrement | None) -> Write | None:
        return None if phone_increment is None else build_phone_count(self._table, phone_increment)


def _get_reference(capture: Capture) -> Reference:
    if capture.answer is None:
        raise ValueError("a refused capture has no registration")
    return capture.answer.reference


def _build_decoy_value(attribute_value: Mapping[str, Any]) -> Item:
    """Return an attribute value of the same form and size, without content."""
    ((kind, value),) = attribute_value.items()
    match kind:
        case "S":
            return {"S": "-" * len(value.encode())}
        case "B":
            return {"B": bytes(len(value))}
        case "N":
            return {"N": "0"}
        case "L":
            return {"L": [_build_decoy_value(each) for each in value]}
        case "M":
            return {"M": {name: _build_decoy_value(each) for name, each in value.items()}}
    return {kind: value}
