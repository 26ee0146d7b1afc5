"""Records of the audit trail: who did what, on which record, and when. They hold no values.

A record is added and never changed. One of a change is stored in the transaction of that change.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum

from chalicelib.values import Value

OPERATOR = "operator"
"""Stands for the id of a client where a person with rights in the account acted."""

SYSTEM = "system"
"""Stands for the id of a client where a schedule acted."""

SUBJECT_FORM = (
    r"registration:[0-9A-Z]{3}-[0-9A-Z]{3}-[0-9A-Z]{3}"
    r"|(?:client|campaign):[a-z0-9-]{1,64}"
    r"|review_item:[0-9a-f]{32}"
    r"|campaign_day:[a-z0-9-]{1,64}/[0-9]{4}-[0-9]{2}-[0-9]{2}"
)


class Action(StrEnum):
    """An act of the trail. The types of a registration's events are the others."""

    READ = "read"
    LISTED = "listed"
    ENROLLED = "enrolled"
    ROTATED = "rotated"
    REVOKED = "revoked"
    OPENED = "opened"
    CHANGED = "changed"
    ANSWERED = "answered"
    RECOUNTED = "recounted"
    CODE_MADE = "enrolment_code_made"
    RESCUED = "rescue_taken_in"
    SMS_RELEASED = "held_sms_released"
    PERSONAL_FIELDS_DELETED = "personal_fields_deleted"


class Subject(Value):
    """The record that something was done to. A campaign day stands for the registrations captured on it."""

    text: str

    @classmethod
    def registration(cls, reference: str) -> "Subject":
        return cls(f"registration:{reference}")

    @classmethod
    def client(cls, client_id: str) -> "Subject":
        return cls(f"client:{client_id}")

    @classmethod
    def campaign(cls, campaign_id: str) -> "Subject":
        return cls(f"campaign:{campaign_id}")

    @classmethod
    def review_item(cls, item_id: str) -> "Subject":
        return cls(f"review_item:{item_id}")

    @classmethod
    def campaign_day(cls, campaign_id: str, day: date) -> "Subject":
        return cls(f"campaign_day:{campaign_id}/{day.isoformat()}")

    def __str__(self) -> str:
        return self.text


class AuditRecord(Value):
    """One record. `client_id` is the client that acted, or OPERATOR or SYSTEM.

    `references` are the registrations that a list showed, `fields` the names of the fields that changed.
    `correlation_id` is that of the request, filled in when the record is stored.
    """

    subject: Subject
    action: str
    client_id: str
    occurred_at: datetime
    references: Sequence[str] = ()
    fields: Sequence[str] = ()
    correlation_id: str | None = None
