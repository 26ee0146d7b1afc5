"""A registration from the answers of the form. Pure."""

import json
import re
from collections.abc import Mapping
from typing import Any

from chalicelib.channels.odk.model import OdkSubmission
from chalicelib.registrations.messages import SubmitRegistration

_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,15}", re.ASCII)
_SHORT_OFFSET = re.compile(r"[+-][0-9]{2}$")
_CONSENTED = "OK"
_YES_NO = {"yes": True, "no": False}
# Fields that a registration may leave without a value, but must have.
_NULLABLE = ("phone", "address", "postal_code")


def build_registration(submission: OdkSubmission, *, capture_id: str) -> SubmitRegistration:
    """Return the registration that a submission asks for. Raise pydantic's ValidationError.

    The worker was met when the form was begun: its end moves when a draft is opened again on another day.
    """
    document = json.dumps(_build_document(submission, capture_id))
    return SubmitRegistration.model_validate_json(document, strict=True)


def _build_document(submission: OdkSubmission, capture_id: str) -> dict[str, Any]:
    answers = submission.answers
    worker = _select(answers, "worker", ("nik", "name", "birth_date", "email", "language"))
    worker |= {name: answers.get(f"worker.{name}") for name in _NULLABLE}
    work = _select(answers, "work", ("place", "monthly_income", "employs_others"))
    if "work.occupations" in answers:
        work["occupations"] = answers["work.occupations"].split()
    coverage = _select(answers, "coverage", ("months", "payer", "sponsor_id"))
    if "coverage.programmes" in answers:
        coverage["programmes"] = answers["coverage.programmes"].split("_")
    document = {
        "capture_id": capture_id,
        "campaign_id": submission.form_id,
        "captured_at": _read_instant(answers.get("start")),
        "officer": answers.get("shift.officer"),
        "worker": worker,
        "work": work,
        "coverage": coverage,
        "consent": _read_consent(answers),
    }
    return {name: value for name, value in document.items() if value is not None}


def _select(answers: Mapping[str, str], group: str, names: tuple[str, ...]) -> dict[str, Any]:
    found = {name: answers.get(f"{group}.{name}") for name in names}
    return {name: _read_value(name, text) for name, text in found.items() if text is not None}


def _read_value(name: str, text: str) -> object:
    """Return an answer as JSON has it. One of the wrong form stays as it is, for the model to refuse."""
    if name == "employs_others":
        return _YES_NO.get(text, text)
    if name in {"monthly_income", "months"} and _WHOLE_NUMBER.fullmatch(text):
        return int(text)
    return text


def _read_consent(answers: Mapping[str, str]) -> dict[str, Any] | None:
    if answers.get("consent.agreed") != _CONSENTED:
        return None
    given_at = answers.get("consent.given_at") or answers.get("start")
    consent = {
        "text_version": answers.get("consent.text_version"),
        "given_at": _read_instant(given_at),
        "method": "tick",
    }
    return {name: value for name, value in consent.items() if value is not None}


def _read_instant(text: str | None) -> str | None:
    """Return an instant in the form of RFC 3339, which has minutes in its offset."""
    return f"{text}:00" if text is not None and _SHORT_OFFSET.search(text) and "T" in text else text
