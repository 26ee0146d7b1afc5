"""Captures and registrations as items of the table, and back. The only place that knows attribute names.

Personal values of a registration stand sealed under `sealed`; what is to be paid and was paid, which gives
the income away, under `money`, and its sums once more under `facts`, for counting. What a capture was told
stands sealed whole. In the clear stand circumstances.
"""

import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from chalicelib.callers import Channel
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.contributions.model import Quote
from chalicelib.crypto.encryption import FieldCipher
from chalicelib.http.pagination import Position
from chalicelib.registrations.errors import CaptureErased, RegistrationDestroyed
from chalicelib.registrations.intake import Capture
from chalicelib.registrations.model import (
    Answer,
    CaptureFacts,
    CaptureMetadata,
    Check,
    Consent,
    Coverage,
    DayFact,
    Flag,
    Outcome,
    Registration,
    RegistrationFacts,
    Work,
    Worker,
)
from chalicelib.registrations.nik import NIK, Sex
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.references import Reference
from chalicelib.registrations.states import (
    ENDED_UNPAID_STATUSES,
    EventType,
    LifecycleEvent,
    LifecycleState,
    Payment,
    PaymentCode,
    Status,
    Verification,
)

Values = dict[str, Any]

# One campaign can take 500 captures a second; a partition of an index takes 1,000 writes. Changing the
# number means reading old days over the old number of shards.
SHARD_COUNT = 8

# Not the sort key of a capture itself: whoever listens to the stream must not take one for the other.
LINK_PREFIX = "TOOK#"

# What begins the order of what is left of somebody: after every instant.
_REMNANT_ORDER_PREFIX = "left "

_AMOUNT_DIGITS = 15
_PAYMENT_ID = "payment_id"
_MAX_OUTCOME_LENGTH = max(map(len, Outcome))


def capture_key(capture_id: str) -> Values:
    """Where a capture stands."""
    return {"pk": f"CAPTURE#{capture_id}", "sk": "CAPTURE"}


def worker_key(keyed_hash: str) -> Values:
    """Where a worker's latest registration is named."""
    return {"pk": f"WORKER#{keyed_hash}", "sk": "OPEN"}


def link_key(keyed_hash: str, capture_id: str) -> Values:
    """Where a worker's capture is named: beside the latest registration, so that one query finds them all."""
    return {**worker_key(keyed_hash), "sk": f"{LINK_PREFIX}{capture_id}"}


def registration_key(reference: Reference) -> Values:
    """Where a registration stands."""
    return {"pk": f"REGISTRATION#{reference}", "sk": "APPLICATION"}


def phone_key(keyed_hash: str, day: date) -> Values:
    """Where the registrations that a phone number was given for on a day are counted."""
    return {"pk": f"PHONE#{keyed_hash}", "sk": f"DAY#{day.isoformat()}"}


def decoy_key(reference: Reference) -> Values:
    """Where an item stands that says nothing."""
    return {"pk": f"DECOY#{reference}", "sk": "DECOY"}


def find_shard(record_id: str) -> int:
    """The shard that a capture or a registration stands in, by its own id: none gets more than another."""
    return zlib.crc32(record_id.encode()) % SHARD_COUNT


def capture_shards(campaign_day: CampaignDay) -> list[str]:
    """The partitions of the day index that hold a day's captures."""
    return [
        f"{campaign_day.campaign_id}#{campaign_day.day.isoformat()}#{shard}" for shard in range(SHARD_COUNT)
    ]


def counted_shards(campaign_day: CampaignDay) -> list[str]:
    """The partitions of the day index that hold all that counts for a day."""
    return [*capture_shards(campaign_day), *registration_shards(campaign_day), _remnant_shard(campaign_day)]


def registration_shards(campaign_day: CampaignDay) -> list[str]:
    """The partitions of the day index that hold a day's registrations."""
    return [f"R#{shard}" for shard in capture_shards(campaign_day)]


def status_shards(status: Status) -> list[str]:
    """The partitions of the status index that hold the registrations in one status."""
    return [f"{status}#{shard}" for shard in range(SHARD_COUNT)]


def due_shards() -> list[str]:
    """The partitions of the index of registrations that time will change."""
    return [f"DUE#{shard}" for shard in range(SHARD_COUNT)]


def ended_shards() -> list[str]:
    """The partitions of the same index that hold what ended unpaid and is to be destroyed."""
    return [f"ENDED#{shard}" for shard in range(SHARD_COUNT)]


def build_capture(capture: Capture, cipher: FieldCipher, *, on_campaign_day: bool = True) -> Values:
    """A capture as an item.

    One that was taken outside its campaign's days is not listed under any day.
    """
    taken = capture.capture_metadata
    values: Values = {
        **capture_key(taken.capture_id),
        "fingerprint": capture.fingerprint,
        "taken": _build_capture_metadata(taken),
        "facts": build_capture_facts(capture.facts),
        # In the clear for the relay, which cannot unseal; beside every answer, so that a capture of a known
        # worker is as long as any other.
        "reference": None if capture.answer is None else capture.answer.reference,
        "answer": None
        if capture.answer is None
        else cipher.seal(
            _serialize_answer(capture.answer), record=_capture_record_name(taken.capture_id), field="answer"
        ),
        "client_id": None if taken.device_sequence is None else taken.client_id,
        "device_sequence": taken.device_sequence,
    }
    if on_campaign_day:
        shard = find_shard(taken.capture_id)
        values["day_shard"] = capture_shards(CampaignDay(taken.campaign_id, taken.day))[shard]
        values["day_order"] = f"{to_timestamp(taken.captured_at)}#{taken.capture_id}"
    return values


def parse_capture(values: Mapping[str, Any], cipher: FieldCipher) -> Capture:
    """A capture from its item. Raises CaptureErased where only what is counted is left of it."""
    if "fingerprint" not in values:
        raise CaptureErased("its person's data was destroyed")
    taken, sealed = _parse_capture_metadata(values["taken"]), values.get("answer")
    return Capture(
        capture_metadata=taken,
        fingerprint=values["fingerprint"],
        facts=parse_capture_facts(values["facts"]),
        answer=None
        if sealed is None
        else _parse_answer(
            cipher.unseal(sealed, record=_capture_record_name(taken.capture_id), field="answer")
        ),
    )


def build_capture_facts(facts: CaptureFacts) -> Values:
    """What counting needs of a capture, as it is kept."""
    # What is not known, or none, is left out; what is several becomes a list.
    values = {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in vars(facts).items()
        if value
    }
    if facts.received_on is not None:
        values["received_on"] = facts.received_on.isoformat()
    return values


def build_registration_facts(facts: RegistrationFacts, pk: str, cipher: FieldCipher) -> Values:
    """What counting needs of a registration, as it is kept under a key: sums sealed."""
    # As long whatever the sums are: their size would say something of the income.
    sums = f"{facts.quoted:0{_AMOUNT_DIGITS}d} {facts.paid:0{_AMOUNT_DIGITS}d}"
    return {
        "status": facts.status,
        "figures": cipher.seal(sums, record=_facts_record_name(pk), field="figures"),
    }


def parse_capture_facts(values: Mapping[str, Any]) -> CaptureFacts:
    """What counting needs of a capture."""
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
        received_on=None if received_on is None else date.fromisoformat(received_on),
        reasons=tuple(values.get("reasons", ())),
        neighbours=tuple(values.get("neighbours", ())),
    )


def capture_and_remnant_shards(campaign_day: CampaignDay) -> list[str]:
    """The partitions of the day index that hold a day's captures, and what is left of some."""
    return [*capture_shards(campaign_day), _remnant_shard(campaign_day)]


def is_capture_row(row: Mapping[str, Any]) -> bool:
    """Whether a row of the day index counts a capture, and not a registration."""
    return "figures" not in row["facts"]


def has_facts(row: Mapping[str, Any]) -> bool:
    """Whether a row of the day index counts at all.

    A registration that an earlier release wrote does not until its next change gives it facts.
    """
    return "facts" in row


def parse_day_fact(row: Mapping[str, Any], cipher: FieldCipher) -> DayFact:
    """What counts for a day, from a row of the day index that has facts."""
    facts, order = row["facts"], row["day_order"]
    # What an earlier release forgot goes by its id alone, as what is left by this one does.
    moment, has_moment, _ = order.partition("#")
    return DayFact(
        position=Position(order),
        facts=parse_capture_facts(facts)
        if is_capture_row(row)
        else _parse_registration_facts(facts, row["pk"], cipher),
        captured_at=datetime.fromisoformat(moment) if has_moment else None,
    )


def build_capture_remnant(values: Mapping[str, Any], remnant_id: str) -> Values:
    """What is counted of a capture, under an id that leads nowhere."""
    taken, facts = values["taken"], values["facts"]
    kept = {name: value for name, value in facts.items() if name != "neighbours"}
    return {**_build_remnant_keys(taken, remnant_id), "facts": kept}


def build_registration_remnant(values: Mapping[str, Any], remnant_id: str, cipher: FieldCipher) -> Values:
    """What is counted of a registration, under an id that leads nowhere."""
    left = _build_remnant_keys(values["taken"], remnant_id)
    facts = _parse_registration_facts(values["facts"], values["pk"], cipher)
    return {**left, "facts": build_registration_facts(facts, left["pk"], cipher)}


def reseal(values: Mapping[str, Any], cipher: FieldCipher) -> Values:
    """The attributes of an item with values under an older key, sealed anew under the current one."""

    def anew(record: str, name: str, sealed: bytes) -> bytes:
        return cipher.reseal(sealed, record=record, field=name) or sealed

    changed: Values = {}
    if "answer" in values:
        changed["answer"] = anew(
            _capture_record_name(values["taken"]["capture_id"]), "answer", values["answer"]
        )
    if "sealed" in values:
        record = _registration_record_name(Reference(values["reference"]))
        changed["sealed"] = {name: anew(record, name, sealed) for name, sealed in values["sealed"].items()}
        changed["money"] = anew(record, "money", values["money"])
    if "figures" in values.get("facts", {}):
        facts = values["facts"]
        changed["facts"] = {
            **facts,
            "figures": anew(_facts_record_name(values["pk"]), "figures", facts["figures"]),
        }
    return {name: value for name, value in changed.items() if value != values[name]}


def build_registration(registration: Registration, cipher: FieldCipher) -> Values:
    """A registration as an item, with its places in the indexes."""
    taken, life, key = (
        registration.capture_metadata,
        registration.lifecycle,
        registration_key(registration.reference),
    )
    record = _registration_record_name(registration.reference)
    shard = find_shard(registration.reference)
    return {
        **key,
        "reference": registration.reference,
        "facts": build_registration_facts(registration.facts, key["pk"], cipher),
        "worker_key": registration.worker_key,
        "follows": registration.follows,
        "status": life.status,
        "since": to_timestamp(life.status_since),
        "version": life.version,
        "verification": life.verification,
        "paid_through": life.paid_through,
        "history": [_build_event(event) for event in life.history],
        "money": cipher.seal(_serialize_money(registration), record=record, field="money"),
        "taken": _build_capture_metadata(taken),
        "sealed": {
            name: cipher.seal(value, record=record, field=name)
            for name, value in _list_personal_fields(registration).items()
            if value is not None
        },
        "flags": list(registration.flags) or None,
        "work": registration.work.model_dump(mode="json", exclude={"monthly_income", "place"}),
        "coverage": registration.coverage.model_dump(mode="json"),
        "expires_on": registration.expires_on.isoformat(),
        "day_shard": registration_shards(CampaignDay(taken.campaign_id, taken.day))[shard],
        "day_order": f"{to_timestamp(taken.captured_at)}#{registration.reference}",
        "status_shard": status_shards(life.status)[shard],
        "status_order": f"{to_timestamp(life.status_since)}#{registration.reference}",
        **_build_due_keys(registration, shard),
    }


def parse_registration(values: Mapping[str, Any], cipher: FieldCipher) -> Registration:
    """A registration from its item. Raises RegistrationDestroyed where nothing personal is left of it."""
    reference = Reference(values["reference"])
    if "sealed" not in values:
        raise RegistrationDestroyed(
            reference, campaign_id=values["taken"]["campaign_id"], follows=_parse_follows(values)
        )
    record = _registration_record_name(reference)
    personal = {
        name: cipher.unseal(sealed, record=record, field=name) for name, sealed in values["sealed"].items()
    }
    particulars = json.loads(personal["particulars"])
    money = json.loads(cipher.unseal(values["money"], record=record, field="money"))
    coverage = {**values["coverage"], "months": int(values["coverage"]["months"])}
    work = {
        **values["work"],
        "place": particulars["place"],
        "monthly_income": int(personal["monthly_income"]),
    }
    return Registration(
        reference=reference,
        worker_key=values["worker_key"],
        lifecycle=_parse_lifecycle(values, money),
        capture_metadata=_parse_capture_metadata(values["taken"]),
        worker=Worker(
            nik=NIK(personal["nik"]),
            name=personal["name"],
            sex=Sex(particulars["sex"]),
            birth_date=date.fromisoformat(particulars["birth_date"]),
            phone=Phone(personal["phone"]),
            email=personal.get("email"),
            address=personal["address"],
            postal_code=particulars["postal_code"],
            language=particulars["language"],
            checks=tuple(Check(each) for each in particulars["checks"]),
        ),
        work=Work.model_validate(work),
        coverage=Coverage.model_validate(coverage),
        consent=Consent.model_validate(particulars["consent"]),
        quote=Quote.model_validate_json(money["quote"]),
        expires_on=date.fromisoformat(values["expires_on"]),
        follows=_parse_follows(values),
        flags=tuple(Flag(each) for each in values.get("flags", ())),
    )


def build_decoy_value(attribute_value: Any) -> Any:
    """An attribute value of the same form and size that says nothing."""
    ((kind, value),) = attribute_value.items()
    match kind:
        case "S":
            return {"S": "-" * len(value.encode())}
        case "B":
            return {"B": bytes(len(value))}
        case "N":
            return {"N": "0"}
        case "L":
            return {"L": [build_decoy_value(each) for each in value]}
        case "M":
            return {"M": {name: build_decoy_value(each) for name, each in value.items()}}
    return {kind: value}


def _parse_follows(values: Mapping[str, Any]) -> Reference | None:
    return Reference(values["follows"]) if "follows" in values else None


def _build_due_keys(registration: Registration, shard: int) -> Values:
    """What time will do to a registration next: change its status or, where it ended unpaid, destroy it."""
    if registration.due_on is not None:
        return {
            "due_shard": due_shards()[shard],
            "due_order": f"{registration.due_on.isoformat()}#{registration.reference}",
        }
    if registration.lifecycle.status in ENDED_UNPAID_STATUSES:
        return {
            "due_shard": ended_shards()[shard],
            "due_order": f"{to_timestamp(registration.lifecycle.status_since)}#{registration.reference}",
        }
    return {}


def _list_personal_fields(registration: Registration) -> dict[str, str | None]:
    worker = registration.worker
    # Each on its own what the contract names; together what is only ever read with the rest.
    particulars = {
        "birth_date": worker.birth_date.isoformat(),
        "sex": worker.sex,
        "postal_code": worker.postal_code,
        "language": worker.language,
        "checks": worker.checks,
        "place": registration.work.place,
        "consent": registration.consent.model_dump(mode="json"),
    }
    return {
        "nik": worker.nik,
        "name": worker.name,
        "phone": worker.phone,
        "email": worker.email,
        "address": worker.address,
        "monthly_income": str(registration.work.monthly_income),
        "particulars": json.dumps(particulars),
    }


def _serialize_money(registration: Registration) -> str:
    life = registration.lifecycle
    code = life.payment_code
    return json.dumps(
        {
            "quote": registration.quote.model_dump_json(),
            "payment_code": None if code is None else code.model_dump(mode="json"),
            "payments": [payment.model_dump(mode="json") for payment in life.payments],
            "kpj": life.kpj,
        }
    )


def _parse_lifecycle(values: Mapping[str, Any], money: Mapping[str, Any]) -> LifecycleState:
    code = money["payment_code"]
    payments = tuple(Payment.model_validate(payment) for payment in money["payments"])
    return LifecycleState(
        status=Status(values["status"]),
        status_since=datetime.fromisoformat(values["since"]),
        version=int(values["version"]),
        history=tuple(_parse_events(values["history"], payments)),
        verification=Verification(values["verification"]),
        payment_code=None if code is None else PaymentCode.model_validate(code),
        payments=payments,
        kpj=money["kpj"],
        paid_through=values.get("paid_through"),
    )


def _parse_registration_facts(values: Mapping[str, Any], pk: str, cipher: FieldCipher) -> RegistrationFacts:
    quoted, paid = cipher.unseal(values["figures"], record=_facts_record_name(pk), field="figures").split()
    return RegistrationFacts(Status(values["status"]), quoted=int(quoted), paid=int(paid))


def _build_remnant_keys(capture_metadata: Mapping[str, Any], remnant_id: str) -> Values:
    of = CampaignDay(capture_metadata["campaign_id"], date.fromisoformat(capture_metadata["day"]))
    return {
        "pk": f"LEFT#{remnant_id}",
        "sk": "LEFT",
        "day_shard": _remnant_shard(of),
        "day_order": f"{_REMNANT_ORDER_PREFIX}{remnant_id}",
    }


def _remnant_shard(campaign_day: CampaignDay) -> str:
    # Few are forgotten, and one at a time: a single partition takes them all.
    return f"L#{campaign_day.campaign_id}#{campaign_day.day.isoformat()}"


def _serialize_answer(answer: Answer) -> str:
    # As long whatever it came to: its size must not tell whether the worker was known.
    outcome = answer.outcome.ljust(_MAX_OUTCOME_LENGTH)
    return json.dumps({**vars(answer), "outcome": outcome, "quote": answer.quote.model_dump_json()})


def _parse_answer(serialized: str) -> Answer:
    kept = json.loads(serialized)
    return Answer(
        capture_id=kept["capture_id"],
        outcome=Outcome(kept["outcome"].rstrip()),
        reference=Reference(kept["reference"]),
        status=Status(kept["status"]),
        received_at=kept["received_at"],
        quote=Quote.model_validate_json(kept["quote"]),
    )


def _build_event(event: LifecycleEvent) -> Values:
    # A payment's id is the core system's own and could be made of a card number: it stands with the payment.
    detail = {name: value for name, value in event.detail.items() if name != _PAYMENT_ID}
    return {
        "event_type": event.event_type,
        "status": event.status,
        "at": to_timestamp(event.occurred_at),
        "client_id": event.client_id,
        "detail": detail,
    }


def _parse_events(
    history: Iterable[Mapping[str, Any]], payments: Iterable[Payment]
) -> Iterator[LifecycleEvent]:
    # Each payment made one event, in the same order.
    payment_ids = iter(payment.payment_id for payment in payments)
    for values in history:
        event_type = EventType(values["event_type"])
        detail: dict[str, str | int] = (
            {_PAYMENT_ID: next(payment_ids)} if event_type is EventType.PAID else {}
        )
        for name, value in values["detail"].items():
            detail[name] = value if isinstance(value, str) else int(value)
        yield LifecycleEvent(
            event_type=event_type,
            status=Status(values["status"]),
            occurred_at=datetime.fromisoformat(values["at"]),
            client_id=values["client_id"],
            detail=detail,
        )


def _build_capture_metadata(capture_metadata: CaptureMetadata) -> Values:
    values = {
        **asdict(capture_metadata),
        "day": capture_metadata.day.isoformat(),
        "captured_at": to_timestamp(capture_metadata.captured_at),
        "received_at": to_timestamp(capture_metadata.received_at),
    }
    return {name: value for name, value in values.items() if value is not None}


def _parse_capture_metadata(values: Mapping[str, Any]) -> CaptureMetadata:
    sequence = values.get("device_sequence")
    return CaptureMetadata(
        capture_id=values["capture_id"],
        campaign_id=values["campaign_id"],
        day=date.fromisoformat(values["day"]),
        captured_at=datetime.fromisoformat(values["captured_at"]),
        received_at=datetime.fromisoformat(values["received_at"]),
        client_id=values["client_id"],
        channel=Channel(values["channel"]),
        officer=values.get("officer"),
        correlation_id=values["correlation_id"],
        device_sequence=None if sequence is None else int(sequence),
    )


def _facts_record_name(pk: str) -> str:
    return f"figures {pk}"


def _registration_record_name(reference: Reference) -> str:
    return f"registration {reference}"


def _capture_record_name(capture_id: str) -> str:
    return f"capture {capture_id}"
