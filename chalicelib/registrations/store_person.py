"""The personal fields of a registration as texts to be sealed, and back."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from chalicelib.registrations.model import Registration
from chalicelib.registrations.nik import NIK, Sex
from chalicelib.registrations.phone import Phone
from chalicelib.registrations.worker import Check, Consent, Recipient, RetainedWork, Work, Worker

_PARTICULARS = "particulars"


def list_personal_fields(registration: Registration) -> dict[str, str | None]:
    """Return the personal fields by name; without those of the identity after it was deleted."""
    worker, work = registration.worker, registration.work
    # Fields that the contract names are sealed one by one; the others are only read together.
    particulars: dict[str, Any] = {
        "sex": worker.sex,
        "postal_code": worker.postal_code,
        "language": worker.language,
        "checks": worker.checks,
        "place": work.place,
        "consent": registration.consent.model_dump(mode="json"),
    }
    personal = {"name": worker.name, "phone": worker.phone}
    if isinstance(worker, Worker) and isinstance(work, Work):
        particulars["birth_date"] = worker.birth_date.isoformat()
        personal |= {
            "nik": worker.nik,
            "email": worker.email,
            "address": worker.address,
            "monthly_income": str(work.monthly_income),
        }
    return {**personal, _PARTICULARS: json.dumps(particulars)}


def parse_person(
    personal: Mapping[str, str], work: Mapping[str, Any]
) -> tuple[Recipient, Work | RetainedWork]:
    """Return worker and work from the personal fields and the stored part of the work."""
    particulars = json.loads(personal[_PARTICULARS])
    work = {**work, "place": particulars["place"]}
    recipient = Recipient(
        name=personal["name"],
        sex=Sex(particulars["sex"]),
        phone=Phone(personal["phone"]) if "phone" in personal else None,
        postal_code=particulars["postal_code"],
        language=particulars["language"],
        checks=tuple(Check(each) for each in particulars["checks"]),
    )
    if "nik" not in personal:
        return recipient, RetainedWork(tuple(work["occupations"]), work["place"], work["employs_others"])
    worker = Worker(
        **vars(recipient),
        nik=NIK(personal["nik"]),
        birth_date=date.fromisoformat(particulars["birth_date"]),
        email=personal.get("email"),
        address=personal.get("address"),
    )
    return worker, Work.model_validate({**work, "monthly_income": int(personal["monthly_income"])})


def parse_consent(personal: Mapping[str, str]) -> Consent:
    return Consent.model_validate(json.loads(personal[_PARTICULARS])["consent"])
