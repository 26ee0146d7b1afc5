"""A capture with cleaned texts and numbers: cleaned and parsed once, then compared and judged. Pure."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from chalicelib.registrations import names, nik, phone
from chalicelib.registrations.errors import InvalidValue
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.nik import NIK, NIKDetails
from chalicelib.registrations.phone import Phone
from chalicelib.typed import clean_number, clean_text
from chalicelib.values import Value

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Parsed = TypeVar("Parsed")


class CleanedCapture(Value):
    """A capture that may still break rules. `nik`, `phone` and `name` are values or why there are none."""

    command: SubmitRegistration
    nik: tuple[NIK, NIKDetails] | InvalidValue
    phone: Phone | InvalidValue | None
    name: str | InvalidValue

    @classmethod
    def from_command(cls, command: SubmitRegistration) -> "CleanedCapture":
        """Clean and parse what was typed."""
        worker, work, consent = command.worker, command.work, command.consent
        cleaned = worker.model_copy(
            update={
                "nik": clean_number(worker.nik),
                "name": clean_text(worker.name),
                "phone": None if worker.phone is None else clean_number(worker.phone),
                "email": None if worker.email is None else clean_text(worker.email),
                "address": None if worker.address is None else clean_text(worker.address),
                "postal_code": None if worker.postal_code is None else clean_number(worker.postal_code),
            }
        )
        return cls(
            command=command.model_copy(
                update={
                    "worker": cleaned,
                    "work": work.model_copy(update={"place": clean_text(work.place)}),
                    "consent": consent.model_copy(update={"text_version": clean_text(consent.text_version)}),
                }
            ),
            nik=_parse(lambda: nik.parse(cleaned.nik, capture_day=command.captured_at.date())),
            phone=None if cleaned.phone is None else _parse_phone(cleaned.phone),
            name=_parse(lambda: names.parse(cleaned.name)),
        )

    def serialize_content(self) -> str:
        """Return the content that two requests with one capture must share, however it is spelled.

        Instants are equal in every zone, programmes in every order, NIKs and phones in every grouping. Empty
        fields are left out, so that a field added to the contract later does not make an old capture look
        new.
        """
        content = self.command.model_dump(mode="json", exclude_none=True)
        if not isinstance(self.nik, InvalidValue):
            content["worker"]["nik"] = self.nik[0]
        if self.phone is not None and not isinstance(self.phone, InvalidValue):
            content["worker"]["phone"] = self.phone
        content["coverage"]["programmes"] = sorted(self.command.coverage.programmes)
        content["captured_at"] = _count_microseconds(self.command.captured_at)
        content["consent"]["given_at"] = _count_microseconds(self.command.consent.given_at)
        return json.dumps(content, sort_keys=True)


def _parse_phone(cleaned: str) -> Phone | InvalidValue:
    return _parse(lambda: phone.parse(cleaned))


def _parse(parse: Callable[[], Parsed]) -> Parsed | InvalidValue:
    try:
        return parse()
    except InvalidValue as invalid:
        return invalid


def _count_microseconds(instant: datetime) -> int:
    # Unlike a conversion to UTC it works for every instant, also in the years 1 and 9999.
    return (instant - _EPOCH) // timedelta(microseconds=1)
