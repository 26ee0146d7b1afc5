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

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.model import Channel
from chalicelib.clock import timestamp
from chalicelib.contributions.model import Quote
from chalicelib.pagination import Position
from chalicelib.privacy.encryption import FieldCipher
from chalicelib.registrations.errors import CaptureForgotten, RegistrationDestroyed
from chalicelib.registrations.lifecycle import (
    NEVER_BECAME_MEMBERS,
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
    DayFact,
    Flag,
    Outcome,
    Registration,
    RegistrationFacts,
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

# Not the sort key of a capture itself: whoever listens to the stream must not take one for the other.
LINK = "TOOK#"

# What begins the order of what is left of somebody: after every instant.
_LEFT = "left "

_SUM_DIGITS = 15
_PAYMENT_ID = "payment_id"
_LONGEST_OUTCOME = max(map(len, Outcome))


def capture_key(capture_id: str) -> Values:
    """Where a capture stands."""
    return {"pk": f"CAPTURE#{capture_id}", "sk": "CAPTURE"}


def worker_key(keyed_hash: str) -> Values:
    """Where a worker's latest registration is named."""
    return {"pk": f"WORKER#{keyed_hash}", "sk": "OPEN"}


def link_key(keyed_hash: str, capture_id: str) -> Values:
    """Where a worker's capture is named: beside the latest registration, so that one query finds them all."""
    return {**worker_key(keyed_hash), "sk": f"{LINK}{capture_id}"}


def registration_key(reference: Reference) -> Values:
    """Where a registration stands."""
    return {"pk": f"REGISTRATION#{reference}", "sk": "APPLICATION"}


def phone_key(keyed_hash: str, day: date) -> Values:
    """Where the registrations that a phone number was given for on a day are counted."""
    return {"pk": f"PHONE#{keyed_hash}", "sk": f"DAY#{day.isoformat()}"}


def blank_key(reference: Reference) -> Values:
    """Where an item stands that says nothing."""
    return {"pk": f"BLANK#{reference}", "sk": "BLANK"}


def shard_of(name: str) -> int:
    """The shard that a capture or a registration stands in, by its own id: none gets more than another."""
    return zlib.crc32(name.encode()) % SHARDS


def capture_shards(of: CampaignDay) -> list[str]:
    """The partitions of the day index that hold a day's captures."""
    return [f"{of.campaign_id}#{of.day.isoformat()}#{shard}" for shard in range(SHARDS)]


def counted_shards(of: CampaignDay) -> list[str]:
    """The partitions of the day index that hold all that counts for a day."""
    return [*capture_shards(of), *registration_shards(of), _left_shard(of)]


def registration_shards(of: CampaignDay) -> list[str]:
    """The partitions of the day index that hold a day's registrations."""
    return [f"R#{shard}" for shard in capture_shards(of)]


def status_shards(status: Status) -> list[str]:
    """The partitions of the status index that hold the registrations in one status."""
    return [f"{status}#{shard}" for shard in range(SHARDS)]


def due_shards() -> list[str]:
    """The partitions of the index of registrations that time will change."""
    return [f"DUE#{shard}" for shard in range(SHARDS)]


def ended_shards() -> list[str]:
    """The partitions of the same index that hold what ended unpaid and is to be destroyed."""
    return [f"ENDED#{shard}" for shard in range(SHARDS)]


def capture_values(capture: Capture, cipher: FieldCipher, *, on_campaign_day: bool = True) -> Values:
    """A capture as an item.

    One that was taken outside its campaign's days is not listed under any day.
    """
    taken = capture.taken
    values: Values = {
        **capture_key(taken.capture_id),
        "fingerprint": capture.fingerprint,
        "taken": _taken_values(taken),
        "facts": facts_values(capture.facts),
        # In the clear for the relay, which cannot unseal; beside every answer, so that a capture of a known
        # worker is as long as any other.
        "led_to": None if capture.answer is None else capture.answer.reference,
        "answer": None
        if capture.answer is None
        else cipher.seal(_answer(capture.answer), record=_capture(taken.capture_id), field="answer"),
        "client_id": None if taken.device_sequence is None else taken.client_id,
        "device_sequence": taken.device_sequence,
    }
    if on_campaign_day:
        shard = shard_of(taken.capture_id)
        values["day_shard"] = capture_shards(CampaignDay(taken.campaign_id, taken.day))[shard]
        values["day_order"] = f"{timestamp(taken.captured_at)}#{taken.capture_id}"
    return values


def capture_from(values: Mapping[str, Any], cipher: FieldCipher) -> Capture:
    """A capture from its item. Raises CaptureForgotten where only what is counted is left of it."""
    if "fingerprint" not in values:
        raise CaptureForgotten("its person's data was destroyed")
    taken, sealed = _taken_from(values["taken"]), values.get("answer")
    return Capture(
        taken=taken,
        fingerprint=values["fingerprint"],
        facts=facts_from(values["facts"]),
        answer=None
        if sealed is None
        else _answer_from(cipher.unseal(sealed, record=_capture(taken.capture_id), field="answer")),
    )


def facts_values(facts: CaptureFacts) -> Values:
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


def registration_facts_values(facts: RegistrationFacts, pk: str, cipher: FieldCipher) -> Values:
    """What counting needs of a registration, as it is kept under a key: sums sealed."""
    # As long whatever the sums are: their size would say something of the income.
    sums = f"{facts.quoted:0{_SUM_DIGITS}d} {facts.paid:0{_SUM_DIGITS}d}"
    return {"status": facts.status, "figures": cipher.seal(sums, record=_figures(pk), field="figures")}


def facts_from(values: Mapping[str, Any]) -> CaptureFacts:
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


def listed_capture_shards(of: CampaignDay) -> list[str]:
    """The partitions of the day index that hold a day's captures, and what is left of some."""
    return [*capture_shards(of), _left_shard(of)]


def is_of_a_capture(row: Mapping[str, Any]) -> bool:
    """Whether a row of the day index counts a capture, and not a registration."""
    return "figures" not in row["facts"]


def has_facts(row: Mapping[str, Any]) -> bool:
    """Whether a row of the day index counts at all.

    A registration that an earlier release wrote does not until its next change gives it facts.
    """
    return "facts" in row


def day_fact_from(row: Mapping[str, Any], cipher: FieldCipher) -> DayFact:
    """What counts for a day, from a row of the day index that has facts."""
    facts, order = row["facts"], row["day_order"]
    # What an earlier release forgot goes by its id alone, as what is left by this one does.
    moment, has_moment, _ = order.partition("#")
    return DayFact(
        position=Position(order),
        facts=facts_from(facts)
        if is_of_a_capture(row)
        else _registration_facts_from(facts, row["pk"], cipher),
        captured_at=datetime.fromisoformat(moment) if has_moment else None,
    )


def left_of_capture(values: Mapping[str, Any], left_id: str) -> Values:
    """What is counted of a capture, under an id that leads nowhere."""
    taken, facts = values["taken"], values["facts"]
    kept = {name: value for name, value in facts.items() if name != "neighbours"}
    return {**_left_values(taken, left_id), "facts": kept}


def left_of_registration(values: Mapping[str, Any], left_id: str, cipher: FieldCipher) -> Values:
    """What is counted of a registration, under an id that leads nowhere."""
    left = _left_values(values["taken"], left_id)
    facts = _registration_facts_from(values["facts"], values["pk"], cipher)
    return {**left, "facts": registration_facts_values(facts, left["pk"], cipher)}


def resealed(values: Mapping[str, Any], cipher: FieldCipher) -> Values:
    """The attributes of an item with values under an older key, sealed anew under the current one."""

    def anew(record: str, name: str, sealed: bytes) -> bytes:
        return cipher.resealed(sealed, record=record, field=name) or sealed

    changed: Values = {}
    if "answer" in values:
        changed["answer"] = anew(_capture(values["taken"]["capture_id"]), "answer", values["answer"])
    if "sealed" in values:
        record = _record(Reference(values["reference"]))
        changed["sealed"] = {name: anew(record, name, sealed) for name, sealed in values["sealed"].items()}
        changed["money"] = anew(record, "money", values["money"])
    if "figures" in values.get("facts", {}):
        facts = values["facts"]
        changed["facts"] = {**facts, "figures": anew(_figures(values["pk"]), "figures", facts["figures"])}
    return {name: value for name, value in changed.items() if value != values[name]}


def registration_values(registration: Registration, cipher: FieldCipher) -> Values:
    """A registration as an item, with its places in the indexes."""
    taken, life, key = registration.taken, registration.life, registration_key(registration.reference)
    record = _record(registration.reference)
    shard = shard_of(registration.reference)
    return {
        **key,
        "reference": registration.reference,
        "facts": registration_facts_values(registration.facts, key["pk"], cipher),
        "worker_key": registration.worker_key,
        "follows": registration.follows,
        "status": life.status,
        "since": timestamp(life.since),
        "version": life.version,
        "verification": life.verification,
        "paid_through": life.paid_through,
        "history": [_event_values(event) for event in life.history],
        "money": cipher.seal(_money(registration), record=record, field="money"),
        "taken": _taken_values(taken),
        "sealed": {
            name: cipher.seal(value, record=record, field=name)
            for name, value in _personal(registration).items()
            if value is not None
        },
        "flags": list(registration.flags) or None,
        "work": registration.work.model_dump(mode="json", exclude={"monthly_income", "place"}),
        "coverage": registration.coverage.model_dump(mode="json"),
        "expires_on": registration.expires_on.isoformat(),
        "day_shard": registration_shards(CampaignDay(taken.campaign_id, taken.day))[shard],
        "day_order": f"{timestamp(taken.captured_at)}#{registration.reference}",
        "status_shard": status_shards(life.status)[shard],
        "status_order": f"{timestamp(life.since)}#{registration.reference}",
        **_due_values(registration, shard),
    }


def registration_from(values: Mapping[str, Any], cipher: FieldCipher) -> Registration:
    """A registration from its item. Raises RegistrationDestroyed where nothing personal is left of it."""
    reference = Reference(values["reference"])
    if "sealed" not in values:
        raise RegistrationDestroyed(
            reference, campaign_id=values["taken"]["campaign_id"], follows=_follows(values)
        )
    record = _record(reference)
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
        life=_life_from(values, money),
        taken=_taken_from(values["taken"]),
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
        follows=_follows(values),
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


def _follows(values: Mapping[str, Any]) -> Reference | None:
    return Reference(values["follows"]) if "follows" in values else None


def _due_values(registration: Registration, shard: int) -> Values:
    """What time will do to a registration next: change its status or, where it ended unpaid, destroy it."""
    if registration.due_on is not None:
        return {
            "due_shard": due_shards()[shard],
            "due_order": f"{registration.due_on.isoformat()}#{registration.reference}",
        }
    if registration.life.status in NEVER_BECAME_MEMBERS:
        return {
            "due_shard": ended_shards()[shard],
            "due_order": f"{timestamp(registration.life.since)}#{registration.reference}",
        }
    return {}


def _personal(registration: Registration) -> dict[str, str | None]:
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


def _money(registration: Registration) -> str:
    life = registration.life
    code = life.payment_code
    return json.dumps(
        {
            "quote": registration.quote.model_dump_json(),
            "payment_code": None if code is None else code.model_dump(mode="json"),
            "payments": [payment.model_dump(mode="json") for payment in life.payments],
            "kpj": life.kpj,
        }
    )


def _life_from(values: Mapping[str, Any], money: Mapping[str, Any]) -> Life:
    code = money["payment_code"]
    payments = tuple(Payment.model_validate(payment) for payment in money["payments"])
    return Life(
        status=Status(values["status"]),
        since=datetime.fromisoformat(values["since"]),
        version=int(values["version"]),
        history=tuple(_events_from(values["history"], payments)),
        verification=Verification(values["verification"]),
        payment_code=None if code is None else PaymentCode.model_validate(code),
        payments=payments,
        kpj=money["kpj"],
        paid_through=values.get("paid_through"),
    )


def _registration_facts_from(values: Mapping[str, Any], pk: str, cipher: FieldCipher) -> RegistrationFacts:
    quoted, paid = cipher.unseal(values["figures"], record=_figures(pk), field="figures").split()
    return RegistrationFacts(Status(values["status"]), quoted=int(quoted), paid=int(paid))


def _left_values(taken: Mapping[str, Any], left_id: str) -> Values:
    of = CampaignDay(taken["campaign_id"], date.fromisoformat(taken["day"]))
    return {
        "pk": f"LEFT#{left_id}",
        "sk": "LEFT",
        "day_shard": _left_shard(of),
        "day_order": f"{_LEFT}{left_id}",
    }


def _left_shard(of: CampaignDay) -> str:
    # Few are forgotten, and one at a time: a single partition takes them all.
    return f"L#{of.campaign_id}#{of.day.isoformat()}"


def _answer(answer: Answer) -> str:
    # As long whatever it came to: its size must not tell whether the worker was known.
    outcome = answer.outcome.ljust(_LONGEST_OUTCOME)
    return json.dumps({**vars(answer), "outcome": outcome, "quote": answer.quote.model_dump_json()})


def _answer_from(text: str) -> Answer:
    kept = json.loads(text)
    return Answer(
        capture_id=kept["capture_id"],
        outcome=Outcome(kept["outcome"].rstrip()),
        reference=Reference(kept["reference"]),
        status=Status(kept["status"]),
        received_at=kept["received_at"],
        quote=Quote.model_validate_json(kept["quote"]),
    )


def _event_values(event: Event) -> Values:
    # A payment's id is the core system's own and could be made of a card number: it stands with the payment.
    detail = {name: value for name, value in event.detail.items() if name != _PAYMENT_ID}
    return {**vars(event), "detail": detail, "at": timestamp(event.at)}


def _events_from(history: Iterable[Mapping[str, Any]], payments: Iterable[Payment]) -> Iterator[Event]:
    # Each payment made one event, in the same order.
    payment_ids = iter(payment.payment_id for payment in payments)
    for values in history:
        happening = Happening(values["happening"])
        detail: dict[str, str | int] = {_PAYMENT_ID: next(payment_ids)} if happening is Happening.PAID else {}
        for name, value in values["detail"].items():
            detail[name] = value if isinstance(value, str) else int(value)
        yield Event(
            happening=happening,
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


def _figures(pk: str) -> str:
    return f"figures {pk}"


def _record(reference: Reference) -> str:
    return f"registration {reference}"


def _capture(capture_id: str) -> str:
    return f"capture {capture_id}"
