"""Captures, workers and registrations in one DynamoDB table, whose stream announces them.

CAPTURE#<capture id>       CAPTURE       what a capture came to; indexed by campaign day for counting
WORKER#<keyed hash>        OPEN          the worker's one open registration
REGISTRATION#<reference>   APPLICATION   the registration; personal fields sealed
"""

import zlib
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.model import Channel
from chalicelib.clock import timestamp
from chalicelib.dynamodb import (
    Item,
    cancellation_reasons,
    condition_failed,
    failed_conditions,
    from_item,
    pages,
    to_item,
)
from chalicelib.privacy.encryption import FieldCipher
from chalicelib.registrations.errors import RegistrationUnknown
from chalicelib.registrations.model import (
    Answer,
    CaptureFacts,
    Consent,
    Coverage,
    Outcome,
    Registration,
    Status,
    Taken,
    Work,
    Worker,
)
from chalicelib.registrations.nik import NIK, Sex
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.reference import Reference
from chalicelib.registrations.service import Capture, CaptureKnown, Contended, WorkerKnown

_BY_CAMPAIGN_DAY = "by_campaign_day"

# One campaign can take 500 captures a second; a partition of the index takes 1,000 writes. Changing the
# number means counting old days over the old number of shards.
DAY_SHARDS = 8

# A refused capture may be mended and sent again; an accepted one never changes.
_CAPTURE_IS_NEW = "attribute_not_exists(pk) OR facts.outcome = :refused"
_NOBODY_STANDS_HERE = "attribute_not_exists(pk)"
_SAME_OPEN_REGISTRATION = "#reference = :reference"


class DynamoRegistrations:
    """Satisfies `service.Registrations`."""

    def __init__(self, client: Any, table: str, cipher: FieldCipher) -> None:
        self._client = client
        self._table = table
        self._cipher = cipher

    def add(self, registration: Registration, capture: Capture, *, worker_key: str) -> None:
        """Store a capture and the registration it makes. Raises CaptureKnown, WorkerKnown or Contended."""
        open_registration = {
            **_worker_key(worker_key),
            "reference": registration.reference,
            "status": registration.status,
        }
        capture_put, worker_put = 0, 1
        try:
            self._client.transact_write_items(
                TransactItems=[
                    self._put_capture(capture),
                    self._put_new(to_item(open_registration)),
                    self._put_new(self._registration_item(registration)),
                ]
            )
        except ClientError as error:
            standing = _standing(error)
            if capture_put in standing:
                raise CaptureKnown(_capture(standing[capture_put])) from None
            if worker_put in standing:
                worker = standing[worker_put]
                raise WorkerKnown(Reference(worker["reference"]), Status(worker["status"])) from None
            # What is left is a reference already in use, or a write of another caller in the same instant.
            raise Contended from error

    def add_repeat(self, capture: Capture, *, worker_key: str) -> None:
        """Store a capture whose worker still has the open registration it names.

        Raises CaptureKnown or Contended.
        """
        if capture.answer is None:
            raise ValueError("a repeat names the registration it found")
        try:
            self._client.transact_write_items(
                TransactItems=[
                    self._put_capture(capture),
                    {
                        "ConditionCheck": {
                            "TableName": self._table,
                            "Key": to_item(_worker_key(worker_key)),
                            "ConditionExpression": _SAME_OPEN_REGISTRATION,
                            "ExpressionAttributeNames": {"#reference": "reference"},
                            "ExpressionAttributeValues": to_item({":reference": capture.answer.reference}),
                        }
                    },
                ]
            )
        except ClientError as error:
            standing = _standing(error)
            if 0 in standing:
                raise CaptureKnown(_capture(standing[0])) from None
            raise Contended from error

    def add_refusal(self, capture: Capture) -> None:
        """Note, without anything personal, that a capture was refused.

        Raises CaptureKnown if it was accepted before.
        """
        try:
            self._client.put_item(**self._put_capture(capture)["Put"])
        except ClientError as error:
            if condition_failed(error):
                standing = from_item(error.response["Item"])  # type: ignore[typeddict-item]
                raise CaptureKnown(_capture(standing)) from None
            raise

    def get(self, reference: Reference) -> Registration:
        """Raises RegistrationUnknown."""
        found = self._client.get_item(
            TableName=self._table, Key=to_item(_registration_key(reference)), ConsistentRead=True
        )
        if "Item" not in found:
            raise RegistrationUnknown("no registration has this reference")
        return self._registration(from_item(found["Item"]))

    def captured_on(self, of: CampaignDay) -> Iterator[CaptureFacts]:
        """Every capture of a campaign day, in no order; read by the index, which may lag by moments."""
        for shard in range(DAY_SHARDS):
            for values in pages(
                self._client,
                TableName=self._table,
                IndexName=_BY_CAMPAIGN_DAY,
                KeyConditionExpression="day_shard = :day_shard",
                ExpressionAttributeValues=to_item({":day_shard": _day_shard(of.campaign_id, of.day, shard)}),
            ):
                yield _facts(values["facts"])

    def _put_capture(self, capture: Capture) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": _capture_item(capture),
                "ConditionExpression": _CAPTURE_IS_NEW,
                "ExpressionAttributeValues": to_item({":refused": Outcome.REFUSED}),
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _put_new(self, item: Item) -> dict[str, Any]:
        return {
            "Put": {
                "TableName": self._table,
                "Item": item,
                "ConditionExpression": _NOBODY_STANDS_HERE,
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }
        }

    def _registration_item(self, registration: Registration) -> Item:
        personal = {
            "nik": registration.worker.nik,
            "name": registration.worker.name,
            "birth_date": registration.worker.birth_date.isoformat(),
            "phone": registration.worker.phone,
            "email": registration.worker.email,
            "address": registration.worker.address,
            "postal_code": registration.worker.postal_code,
            "monthly_income": str(registration.work.monthly_income),
        }
        record = _record(registration.reference)
        return to_item(
            {
                **_registration_key(registration.reference),
                "reference": registration.reference,
                "status": registration.status,
                "version": 1,
                "taken": _taken_values(registration.taken),
                "sealed": {
                    name: self._cipher.seal(value, record=record, field=name)
                    for name, value in personal.items()
                    if value is not None
                },
                "sex": registration.worker.sex,
                "language": registration.worker.language,
                "work": registration.work.model_dump(mode="json", exclude={"monthly_income"}),
                "coverage": registration.coverage.model_dump(mode="json"),
                "consent": registration.consent.model_dump(mode="json"),
            }
        )

    def _registration(self, values: dict[str, Any]) -> Registration:
        record = _record(Reference(values["reference"]))
        personal = {
            name: self._cipher.unseal(sealed, record=record, field=name)
            for name, sealed in values["sealed"].items()
        }
        income = int(personal.pop("monthly_income"))
        return Registration(
            reference=Reference(values["reference"]),
            status=Status(values["status"]),
            taken=_taken(values["taken"]),
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
            ),
            work=Work.model_validate({**values["work"], "monthly_income": income}),
            coverage=Coverage.model_validate(
                {**values["coverage"], "months": int(values["coverage"]["months"])}
            ),
            consent=Consent.model_validate(values["consent"]),
        )


def _standing(error: ClientError) -> dict[int, dict[str, Any]]:
    """What stands where a transaction's conditions failed. Anything but a cancellation rises untouched."""
    reasons = cancellation_reasons(error)
    if not reasons:
        raise error
    expected = {"None", "ConditionalCheckFailed", "TransactionConflict"}
    if any(reason.get("Code", "None") not in expected for reason in reasons):
        raise error
    return dict(failed_conditions(reasons))


def _capture_item(capture: Capture) -> Item:
    taken = capture.taken
    shard = zlib.crc32(taken.capture_id.encode()) % DAY_SHARDS
    return to_item(
        {
            "pk": f"CAPTURE#{taken.capture_id}",
            "sk": "CAPTURE",
            "day_shard": _day_shard(taken.campaign_id, taken.day, shard),
            "day_order": f"{timestamp(taken.captured_at)}#{taken.capture_id}",
            "fingerprint": capture.fingerprint,
            "taken": _taken_values(taken),
            "facts": {**asdict(capture.facts), "occupations": list(capture.facts.occupations)},
            "answer": None if capture.answer is None else asdict(capture.answer),
        }
    )


def _capture(values: dict[str, Any]) -> Capture:
    answer = values.get("answer")
    return Capture(
        taken=_taken(values["taken"]),
        fingerprint=values["fingerprint"],
        facts=_facts(values["facts"]),
        answer=None
        if answer is None
        else Answer(
            capture_id=answer["capture_id"],
            outcome=Outcome(answer["outcome"]),
            reference=Reference(answer["reference"]),
            status=Status(answer["status"]),
            received_at=answer["received_at"],
        ),
    )


def _facts(values: dict[str, Any]) -> CaptureFacts:
    return CaptureFacts(
        outcome=Outcome(values["outcome"]),
        channel=values["channel"],
        client_id=values["client_id"],
        occupations=tuple(values["occupations"]),
    )


def _taken_values(taken: Taken) -> dict[str, Any]:
    values = {
        **asdict(taken),
        "day": taken.day.isoformat(),
        "captured_at": timestamp(taken.captured_at),
        "received_at": timestamp(taken.received_at),
    }
    return {name: value for name, value in values.items() if value is not None}


def _taken(values: dict[str, Any]) -> Taken:
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
    )


def _worker_key(worker_key: str) -> dict[str, str]:
    return {"pk": f"WORKER#{worker_key}", "sk": "OPEN"}


def _registration_key(reference: Reference) -> dict[str, str]:
    return {"pk": f"REGISTRATION#{reference}", "sk": "APPLICATION"}


def _record(reference: Reference) -> str:
    return f"registration {reference}"


def _day_shard(campaign_id: str, day: date, shard: int) -> str:
    return f"{campaign_id}#{day.isoformat()}#{shard}"
