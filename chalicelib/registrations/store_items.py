"""Captures and registrations as items of the table, and back.

Personal values of a registration are sealed in `sealed`. Amounts, which reveal the income, are sealed in
`money`, and their sums once more in `facts`, for counting. The answer to a capture is sealed as a whole.
Capture metadata are not sealed.
"""

import json
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.contributions.model import Quote
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.records import record_parser
from chalicelib.registrations.captures import (
    IDENTITY_FIELDS,
    Answer,
    Capture,
    CaptureFacts,
    IdentityField,
    Outcome,
)
from chalicelib.registrations.errors import CaptureErased, RegistrationDestroyed
from chalicelib.registrations.model import (
    Flag,
    Registration,
    RegistrationFacts,
    Status,
)
from chalicelib.registrations.references import Reference
from chalicelib.registrations.store_amounts import pad_amounts
from chalicelib.registrations.store_correction_values import parse_corrections, serialize_corrections
from chalicelib.registrations.store_history import build_history, parse_lifecycle, serialize_money
from chalicelib.registrations.store_keys import (
    find_shard,
    make_capture_key,
    make_capture_shard,
    make_due_shard,
    make_order,
    make_registration_key,
    make_registration_shard,
    make_status_shard,
)
from chalicelib.registrations.store_person import list_personal_fields, parse_consent, parse_person
from chalicelib.registrations.store_source import (
    build_capture_metadata,
    parse_capture_metadata,
    parse_capture_source,
)
from chalicelib.registrations.worker import Coverage

_AMOUNT_DIGITS = 15
_CORRECTIONS = "corrections"
_MAX_OUTCOME_LENGTH = max(map(len, Outcome))


def build_capture(capture: Capture, cipher: FieldCipher, *, is_on_campaign_day: bool = True) -> Values:
    """Return a capture as an item. It is in the day index only if `is_on_campaign_day`."""
    metadata = capture.capture_metadata
    values: Values = {
        **make_capture_key(metadata.capture_id),
        "fingerprint": capture.fingerprint,
        "taken": build_capture_metadata(metadata),
        "facts": build_capture_facts(capture.facts),
        # Not sealed, because the stream cannot unseal. Beside every answer, so that the length of the item
        # does not reveal a known worker.
        "reference": None if capture.answer is None else capture.answer.reference,
        "answer": None
        if capture.answer is None
        else cipher.seal(
            _serialize_answer(capture.answer),
            record=_capture_record_name(metadata.capture_id),
            field="answer",
        ),
        "client_id": None if metadata.device_sequence is None else metadata.client_id,
        "device_sequence": metadata.device_sequence,
    }
    if is_on_campaign_day:
        shard = find_shard(metadata.capture_id)
        values["day_shard"] = make_capture_shard(CampaignDay(metadata.campaign_id, metadata.day), shard)
        values["day_order"] = make_order(metadata.captured_at, metadata.capture_id)
    return values


@record_parser
def parse_capture(values: Mapping[str, Any], cipher: FieldCipher) -> Capture:
    """Return a capture from its item. Raise CaptureErased or RecordUnreadable."""
    if "fingerprint" not in values:
        source = parse_capture_source(values["taken"]) if "taken" in values else None
        raise CaptureErased("its person's data was destroyed", source)
    metadata, sealed = parse_capture_metadata(values["taken"]), values.get("answer")
    return Capture(
        capture_metadata=metadata,
        fingerprint=values["fingerprint"],
        facts=parse_capture_facts(values["facts"]),
        answer=None
        if sealed is None
        else _parse_answer(
            cipher.unseal(sealed, record=_capture_record_name(metadata.capture_id), field="answer")
        ),
    )


def build_registration_facts(facts: RegistrationFacts, pk: str, cipher: FieldCipher) -> Values:
    """Return the facts of the registration with the partition key `pk` as values, with the sums sealed."""
    # Padded, because the length would reveal something of the income.
    sums = f"{facts.quoted:0{_AMOUNT_DIGITS}d} {facts.paid:0{_AMOUNT_DIGITS}d}"
    return {
        "status": facts.status,
        "figures": cipher.seal(sums, record=_facts_record_name(pk), field="figures"),
        **({"flags": list(facts.flags)} if facts.flags else {}),
        **({"client_id": facts.client_id} if facts.client_id else {}),
        **({"officer": facts.officer} if facts.officer else {}),
        **({"corrections": facts.corrections} if facts.corrections else {}),
    }


def parse_registration_facts(values: Mapping[str, Any], pk: str, cipher: FieldCipher) -> RegistrationFacts:
    """Return the facts of the registration or remnant with the partition key `pk`."""
    quoted, paid = cipher.unseal(values["figures"], record=_facts_record_name(pk), field="figures").split()
    flags = tuple(Flag(each) for each in values.get("flags", ()))
    corrections = int(values.get("corrections", 0))
    return RegistrationFacts(
        Status(values["status"]),
        int(quoted),
        int(paid),
        flags,
        corrections,
        client_id=values.get("client_id"),
        officer=values.get("officer"),
    )


def parse_capture_facts(values: Mapping[str, Any]) -> CaptureFacts:
    received_on = values.get("received_on")
    return CaptureFacts(
        outcome=Outcome(values["outcome"]),
        channel=values["channel"],
        client_id=values["client_id"],
        occupations=tuple(values["occupations"]),
        flags=tuple(Flag(each) for each in values.get("flags", ())),
        officer=values.get("officer"),
        programmes=tuple(values.get("programmes", ())),
        sex=values.get("sex"),
        age=values.get("age"),
        hour=values.get("hour"),
        is_without_phone=values.get("is_without_phone", False),
        sponsor=values.get("sponsor"),
        received_on=None if received_on is None else date.fromisoformat(received_on),
        reasons=tuple(values.get("reasons", ())),
        neighbours=tuple(values.get("neighbours", ())),
        differs=_parse_differs(values.get("differs", "")),
        is_cancelled=values.get("is_cancelled", False),
    )


def parse_campaign_day(values: Mapping[str, Any]) -> CampaignDay:
    """Return the campaign day of a capture's or a registration's item."""
    return CampaignDay(values["taken"]["campaign_id"], date.fromisoformat(values["taken"]["day"]))


@record_parser
def reseal(values: Mapping[str, Any], cipher: FieldCipher) -> Values:
    """Return the attributes that an older key sealed, sealed again. Raise RecordUnreadable."""

    def seal_again(record: str, name: str, sealed: bytes) -> bytes:
        return cipher.reseal(sealed, record=record, field=name) or sealed

    changed: Values = {}
    if "answer" in values:
        changed["answer"] = seal_again(
            _capture_record_name(values["taken"]["capture_id"]), "answer", values["answer"]
        )
    if "sealed" in values:
        record = _registration_record_name(Reference(values["reference"]))
        changed["sealed"] = {
            name: seal_again(record, name, sealed) for name, sealed in values["sealed"].items()
        }
        changed["money"] = seal_again(record, "money", values["money"])
    if "figures" in values.get("facts", {}):
        facts = values["facts"]
        changed["facts"] = {
            **facts,
            "figures": seal_again(_facts_record_name(values["pk"]), "figures", facts["figures"]),
        }
    return {name: value for name, value in changed.items() if value != values[name]}


def build_registration(registration: Registration, cipher: FieldCipher) -> Values:
    metadata, lifecycle = registration.capture_metadata, registration.lifecycle
    key = make_registration_key(registration.reference)
    record = _registration_record_name(registration.reference)
    shard = find_shard(registration.reference)
    return {
        **key,
        "reference": registration.reference,
        "facts": build_registration_facts(registration.facts, key["pk"], cipher),
        "worker_key": registration.worker_key,
        "identity_hashes": None if registration.identity is None else dict(registration.identity),
        "follows": registration.follows,
        "status": lifecycle.status,
        "since": to_timestamp(lifecycle.status_since),
        "version": lifecycle.version,
        "verification": lifecycle.verification,
        "paid_through": lifecycle.paid_through,
        "zone": lifecycle.zone,
        "history": build_history(lifecycle.history),
        "money": cipher.seal(serialize_money(registration), record=record, field="money"),
        "taken": build_capture_metadata(metadata),
        "sealed": {
            name: cipher.seal(value, record=record, field=name)
            for name, value in {
                **list_personal_fields(registration),
                _CORRECTIONS: serialize_corrections(registration.corrections),
            }.items()
            if value is not None
        },
        "flags": list(registration.flags) or None,
        "work": {
            "occupations": list(registration.work.occupations),
            "employs_others": registration.work.employs_others,
        },
        "coverage": registration.coverage.model_dump(mode="json", exclude_none=True),
        "expires_on": registration.expires_on.isoformat(),
        "identity_until": until.isoformat() if (until := registration.identity_until) else None,
        "day_shard": make_registration_shard(CampaignDay(metadata.campaign_id, metadata.day), shard),
        "day_order": make_order(metadata.captured_at, registration.reference),
        "status_shard": make_status_shard(lifecycle.status, shard),
        "status_order": make_order(lifecycle.status_since, registration.reference),
        **_build_due_keys(registration, shard),
    }


@record_parser
def parse_registration(values: Mapping[str, Any], cipher: FieldCipher) -> Registration:
    """Return a registration from its item. Raise RegistrationDestroyed or RecordUnreadable."""
    reference = Reference(values["reference"])
    if "sealed" not in values:
        raise RegistrationDestroyed(
            reference, campaign_id=values["taken"]["campaign_id"], follows=_parse_follows(values)
        )
    record = _registration_record_name(reference)
    personal = {
        name: cipher.unseal(sealed, record=record, field=name) for name, sealed in values["sealed"].items()
    }
    money = json.loads(cipher.unseal(values["money"], record=record, field="money"))
    coverage = {**values["coverage"], "months": int(values["coverage"]["months"])}
    worker, work = parse_person(personal, values["work"])
    return Registration(
        reference=reference,
        worker_key=values["worker_key"],
        lifecycle=parse_lifecycle(values, money),
        capture_metadata=parse_capture_metadata(values["taken"]),
        worker=worker,
        work=work,
        coverage=Coverage.model_validate(coverage),
        consent=parse_consent(personal),
        quote=Quote.model_validate_json(money["quote"]),
        expires_on=date.fromisoformat(values["expires_on"]),
        follows=_parse_follows(values),
        flags=tuple(Flag(each) for each in values.get("flags", ())),
        identity=values.get("identity_hashes"),
        identity_until=date.fromisoformat(until) if (until := values.get("identity_until")) else None,
        corrections=parse_corrections(personal.get(_CORRECTIONS)),
    )


def _parse_follows(values: Mapping[str, Any]) -> Reference | None:
    return Reference(values["follows"]) if "follows" in values else None


def _build_due_keys(registration: Registration, shard: int) -> Values:
    """Return the keys in the due index: those of the next time-out."""
    if registration.due_on is not None:
        return {
            "due_shard": make_due_shard(shard),
            "due_order": f"{registration.due_on.isoformat()}#{registration.reference}",
        }
    return {}


def _serialize_answer(answer: Answer) -> str:
    # Padded, because the length would reveal whether the worker was known.
    outcome = answer.outcome.ljust(_MAX_OUTCOME_LENGTH)
    return json.dumps(
        {
            **vars(answer),
            "outcome": outcome,
            "quote": pad_amounts(answer.quote.model_dump_json()),
            "differs": _serialize_differs(answer.differs),
        }
    )


def _parse_answer(serialized: str) -> Answer:
    values = json.loads(serialized)
    return Answer(
        capture_id=values["capture_id"],
        outcome=Outcome(values["outcome"].rstrip()),
        reference=Reference(values["reference"]),
        status=Status(values["status"]),
        received_at=values["received_at"],
        quote=Quote.model_validate_json(values["quote"]),
        differs=_parse_differs(values.get("differs", "")),
    )


def _serialize_differs(differs: Collection[str]) -> str:
    # A character for each field, because the length would reveal whether the worker was known, and as whom.
    return "".join("1" if field in differs else "0" for field in IDENTITY_FIELDS)


def _parse_differs(serialized: str) -> tuple[IdentityField, ...]:
    return tuple(field for field, digit in zip(IDENTITY_FIELDS, serialized, strict=False) if digit == "1")


def build_capture_facts(facts: CaptureFacts) -> Values:
    """Return the facts of a capture as values, without empty ones; tuples become lists."""
    values = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(facts).items()
        if value
    }
    if facts.received_on is not None:
        values["received_on"] = facts.received_on.isoformat()
    values["differs"] = _serialize_differs(facts.differs)
    return values


def _facts_record_name(pk: str) -> str:
    return f"figures {pk}"


def _registration_record_name(reference: Reference) -> str:
    return f"registration {reference}"


def _capture_record_name(capture_id: str) -> str:
    return f"capture {capture_id}"
