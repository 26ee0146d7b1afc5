"""The state that writes depend on: a worker's record, a phone number's count and a sponsor's places."""

from datetime import date, timedelta

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table, Write, expires_after
from chalicelib.registrations.limits import PhoneCountIncrement
from chalicelib.registrations.model import Registration, Status
from chalicelib.registrations.prior_state import PriorState, WorkerRecord
from chalicelib.registrations.quotas import CampaignSponsor
from chalicelib.registrations.references import Reference
from chalicelib.registrations.store_keys import make_phone_key, make_sponsor_key, make_worker_key

RETENTION = timedelta(days=3)
"""A count is not read after its day has ended in every time zone."""

_COUNT_IS_BELOW_LIMIT = "attribute_not_exists(given) OR given < :below"


def read_prior_state(
    table: Table,
    worker_key: str,
    *,
    phone_key: str | None,
    day: date,
    sponsor: CampaignSponsor | None = None,
) -> PriorState:
    """Return what is stored of a worker, of a phone number and of a sponsor's places, by one request."""
    keys = {
        "worker": make_worker_key(worker_key),
        **({} if phone_key is None else {"phone": make_phone_key(phone_key, day)}),
        **({} if sponsor is None else {"sponsor": make_sponsor_key(sponsor)}),
    }
    stored = {values["pk"]: values for values in table.get_many(list(keys.values()))}
    found = {name: stored.get(key["pk"], {}) for name, key in keys.items()}
    return PriorState(
        worker_record=parse_worker_record(found["worker"]) if found["worker"] else None,
        phone_count=int(found.get("phone", {}).get("given", 0)),
        places_taken=int(found.get("sponsor", {}).get("taken", 0)),
    )


def build_phone_count(table: Table, phone_increment: PhoneCountIncrement) -> Write:
    """Return the write that counts a phone number, if the count is below the limit."""
    return table.update(
        make_phone_key(phone_increment.phone_key, phone_increment.day),
        "SET expires_at = :expires_at ADD given :one",
        _COUNT_IS_BELOW_LIMIT,
        compared={
            ":one": 1,
            ":below": phone_increment.limit,
            ":expires_at": expires_after(phone_increment.day, RETENTION),
        },
        returns_current=True,
    )


def make_worker_record(registration: Registration, *, captures: int = 0) -> WorkerRecord:
    """Return the record of a worker whose latest registration this is."""
    lifecycle = registration.lifecycle
    return WorkerRecord(
        registration.reference, lifecycle.status, lifecycle.has_ended, registration.identity, captures
    )


def build_worker_record(worker_key: str, worker_record: WorkerRecord) -> Values:
    """Return the item of a worker."""
    return {
        **make_worker_key(worker_key),
        "reference": worker_record.reference,
        "status": worker_record.status,
        "ended": worker_record.has_ended,
        "identity_hashes": None if worker_record.identity is None else dict(worker_record.identity),
        "captures": worker_record.captures,
    }


def parse_worker_record(values: Values) -> WorkerRecord:
    """Return the record of a worker from its item."""
    return WorkerRecord(
        Reference(values["reference"]),
        Status(values["status"]),
        has_ended=values["ended"],
        identity=values.get("identity_hashes"),
        captures=int(values.get("captures", 0)),
    )
