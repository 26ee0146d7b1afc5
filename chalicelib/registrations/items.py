"""Captures and registrations as items of the table, and back. The only place that knows attribute names.

Personal values of a registration stand sealed under `sealed`, one by one; what was paid stands sealed under
`money`.
"""

import json
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.model import Channel
from chalicelib.clock import timestamp
from chalicelib.contributions.model import Quote
from chalicelib.privacy.encryption import FieldCipher
from chalicelib.registrations.lifecycle import (
    Event,
    Happening,
    Life,
    Payment,
    PaymentCode,
    Status,
    Verification,
)
from chalicelib.registrations.model import (
    Answer,
    CaptureFacts,
    Check,
    Consent,
    Coverage,
    Flag,
    Outcome,
    Registration,
    Taken,
    Work,
    Worker,
)
from chalicelib.registrations.nik import NIK, Sex
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.reference import Reference
from chalicelib.registrations.service import Capture

Values = dict[str, Any]

# One campaign can take 500 captures a second; a partition of an index takes 1,000 writes. Changing the
# number means reading old days over the old number of shards.
SHARDS = 8


def capture_key(capture_id: str) -> Values:
    """Where a capture stands."""
    return {"pk": f"CAPTURE#{capture_id}", "sk": "CAPTURE"}


def worker_key(keyed_hash: str) -> Values:
    """Where a worker's latest registration is named."""
    return {"pk": f"WORKER#{keyed_hash}", "sk": "OPEN"}


def registration_key(reference: Reference) -> Values:
    """Where a registration stands."""
    return {"pk": f"REGISTRATION#{reference}", "sk": "APPLICATION"}


def phone_key(keyed_hash: str, day: date) -> Values:
    """Where the registrations that a phone number was given for on a day are counted."""
    return {"pk": f"PHONE#{keyed_hash}", "sk": f"DAY#{day.isoformat()}"}


def blank_key(reference: Reference) -> Values:
    """Where an item stands that says nothing."""
    return {"pk": f"BLANK#{reference}", "sk": "BLANK"}


def capture_shards(of: CampaignDay) -> list[str]:
    """The partitions of the day index that hold a day's captures."""
    return [f"{of.campaign_id}#{of.day.isoformat()}#{shard}" for shard in range(SHARDS)]


def registration_shards(of: CampaignDay) -> list[str]:
    """The partitions of the day index that hold a day's registrations."""
    return [f"R#{shard}" for shard in capture_shards(of)]


def status_shards(status: Status) -> list[str]:
    """The partitions of the status index that hold the registrations in one status."""
    return [f"{status}#{shard}" for shard in range(SHARDS)]


def due_shards() -> list[str]:
    """The partitions of the index of registrations that time will change."""
    return [f"DUE#{shard}" for shard in range(SHARDS)]


def capture_values(capture: Capture, *, on_campaign_day: bool = True) -> Values:
    """A capture as an item.

    One that was taken outside its campaign's days is not listed under any day.
    """
    taken = capture.taken
    values: Values = {
        **capture_key(taken.capture_id),
        "fingerprint": capture.fingerprint,
        "taken": _taken_values(taken),
        "facts": _facts_values(capture.facts),
        "answer": None
        if capture.answer is None
        else {**asdict(capture.answer), "quote": capture.answer.quote.model_dump_json()},
        "client_id": None if taken.device_sequence is None else taken.client_id,
        "device_sequence": taken.device_sequence,
    }
    if on_campaign_day:
        shard = _shard(taken.capture_id)
        values["day_shard"] = capture_shards(CampaignDay(taken.campaign_id, taken.day))[shard]
        values["day_order"] = f"{timestamp(taken.captured_at)}#{taken.capture_id}"
    return values


def capture_from(values: Mapping[str, Any]) -> Capture:
    """A capture from its item."""
    answer = values.get("answer")
    return Capture(
        taken=_taken_from(values["taken"]),
        fingerprint=values["fingerprint"],
        facts=facts_from(values["facts"]),
        answer=None
        if answer is None
        else Answer(
            capture_id=answer["capture_id"],
            outcome=Outcome(answer["outcome"]),
            reference=Reference(answer["reference"]),
            status=Status(answer["status"]),
            received_at=answer["received_at"],
            quote=Quote.model_validate_json(answer["quote"]),
        ),
    )


def facts_from(values: Mapping[str, Any]) -> CaptureFacts:
    """What counting needs, from an item or the day index."""
    return CaptureFacts(
        outcome=Outcome(values["outcome"]),
        channel=values["channel"],
        client_id=values["client_id"],
        occupations=tuple(values["occupations"]),
        flags=tuple(Flag(each) for each in values.get("flags", ())),
    )


def registration_values(registration: Registration, cipher: FieldCipher) -> Values:
    """A registration as an item, with its places in the indexes."""
    taken, life = registration.taken, registration.life
    record = _record(registration.reference)
    shard = _shard(registration.reference)
    due_on = registration.due_on
    return {
        **registration_key(registration.reference),
        "reference": registration.reference,
        "worker_key": registration.worker_key,
        "follows": registration.follows,
        "status": life.status,
        "since": timestamp(life.since),
        "version": life.version,
        "verification": life.verification,
        "paid_through": life.paid_through,
        "history": [_event_values(event) for event in life.history],
        "money": cipher.seal(_money(life), record=record, field="money"),
        "taken": _taken_values(taken),
        "sealed": {
            name: cipher.seal(value, record=record, field=name)
            for name, value in _personal(registration).items()
            if value is not None
        },
        "sex": registration.worker.sex,
        "language": registration.worker.language,
        "checks": list(registration.worker.checks),
        "flags": list(registration.flags) or None,
        "work": registration.work.model_dump(mode="json", exclude={"monthly_income"}),
        "coverage": registration.coverage.model_dump(mode="json"),
        "consent": registration.consent.model_dump(mode="json", exclude_none=True),
        "quote": registration.quote.model_dump_json(),
        "expires_on": registration.expires_on.isoformat(),
        "day_shard": registration_shards(CampaignDay(taken.campaign_id, taken.day))[shard],
        "day_order": f"{timestamp(taken.captured_at)}#{registration.reference}",
        "status_shard": status_shards(life.status)[shard],
        "status_order": f"{timestamp(life.since)}#{registration.reference}",
        "due_shard": None if due_on is None else due_shards()[shard],
        "due_order": None if due_on is None else f"{due_on.isoformat()}#{registration.reference}",
    }


def registration_from(values: Mapping[str, Any], cipher: FieldCipher) -> Registration:
    """A registration from its item."""
    reference = Reference(values["reference"])
    record = _record(reference)
    personal = {
        name: cipher.unseal(sealed, record=record, field=name) for name, sealed in values["sealed"].items()
    }
    income = int(personal.pop("monthly_income"))
    coverage = {**values["coverage"], "months": int(values["coverage"]["months"])}
    return Registration(
        reference=reference,
        worker_key=values["worker_key"],
        life=_life_from(values, cipher.unseal(values["money"], record=record, field="money")),
        taken=_taken_from(values["taken"]),
        worker=Worker(
            nik=NIK(personal["nik"]),
            name=personal["name"],
            sex=Sex(values["sex"]),
            birth_date=date.fromisoformat(personal["birth_date"]),
            phone=Phone(personal["phone"]),
            email=personal.get("email"),
            address=personal["address"],
            postal_code=personal["postal_code"],
            language=values["language"],
            checks=tuple(Check(each) for each in values["checks"]),
        ),
        work=Work.model_validate({**values["work"], "monthly_income": income}),
        coverage=Coverage.model_validate(coverage),
        consent=Consent.model_validate(values["consent"]),
        quote=Quote.model_validate_json(values["quote"]),
        expires_on=date.fromisoformat(values["expires_on"]),
        follows=Reference(values["follows"]) if "follows" in values else None,
        flags=tuple(Flag(each) for each in values.get("flags", ())),
    )


def blank(values: Any) -> Any:
    """An attribute value of the same form and size that says nothing."""
    ((kind, value),) = values.items()
    match kind:
        case "S":
            return {"S": "-" * len(value.encode())}
        case "B":
            return {"B": bytes(len(value))}
        case "N":
            return {"N": "0"}
        case "L":
            return {"L": [blank(each) for each in value]}
        case "M":
            return {"M": {name: blank(each) for name, each in value.items()}}
    return {kind: value}


def _personal(registration: Registration) -> dict[str, str | None]:
    worker = registration.worker
    return {
        "nik": worker.nik,
        "name": worker.name,
        "birth_date": worker.birth_date.isoformat(),
        "phone": worker.phone,
        "email": worker.email,
        "address": worker.address,
        "postal_code": worker.postal_code,
        "monthly_income": str(registration.work.monthly_income),
    }


def _money(life: Life) -> str:
    code = life.payment_code
    return json.dumps(
        {
            "payment_code": None if code is None else code.model_dump(mode="json"),
            "payments": [payment.model_dump(mode="json") for payment in life.payments],
            "kpj": life.kpj,
        }
    )


def _life_from(values: Mapping[str, Any], money: str) -> Life:
    kept = json.loads(money)
    code = kept["payment_code"]
    return Life(
        status=Status(values["status"]),
        since=datetime.fromisoformat(values["since"]),
        version=int(values["version"]),
        history=tuple(_event_from(event) for event in values["history"]),
        verification=Verification(values["verification"]),
        payment_code=None if code is None else PaymentCode.model_validate(code),
        payments=tuple(Payment.model_validate(payment) for payment in kept["payments"]),
        kpj=kept["kpj"],
        paid_through=values.get("paid_through"),
    )


def _facts_values(facts: CaptureFacts) -> Values:
    values = {**asdict(facts), "occupations": list(facts.occupations)}
    flags = values.pop("flags")
    return {**values, "flags": list(flags)} if flags else values


def _event_values(event: Event) -> Values:
    return {**asdict(event), "at": timestamp(event.at)}


def _event_from(values: Mapping[str, Any]) -> Event:
    detail = {
        name: value if isinstance(value, str) else int(value) for name, value in values["detail"].items()
    }
    return Event(
        happening=Happening(values["happening"]),
        status=Status(values["status"]),
        at=datetime.fromisoformat(values["at"]),
        client_id=values["client_id"],
        detail=detail,
    )


def _taken_values(taken: Taken) -> Values:
    values = {
        **asdict(taken),
        "day": taken.day.isoformat(),
        "captured_at": timestamp(taken.captured_at),
        "received_at": timestamp(taken.received_at),
    }
    return {name: value for name, value in values.items() if value is not None}


def _taken_from(values: Mapping[str, Any]) -> Taken:
    sequence = values.get("device_sequence")
    return Taken(
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


def _shard(name: str) -> int:
    return zlib.crc32(name.encode()) % SHARDS


def _record(reference: Reference) -> str:
    return f"registration {reference}"
