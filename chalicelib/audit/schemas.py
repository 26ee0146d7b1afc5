"""Requests for the audit trail over HTTP, and their answers."""

from typing import Annotated

from pydantic import BaseModel, Field

from chalicelib.audit.model import SUBJECT_FORM, AuditRecord
from chalicelib.clock import to_timestamp
from chalicelib.fields import PageSize
from chalicelib.http.pagination import Page, to_cursor
from chalicelib.models import StrictModel


class ListAuditRecords(StrictModel):
    """Ask for a page of records: those of a subject, or those of what a client did."""

    subject: str | None = Field(
        default=None,
        max_length=100,
        pattern=rf"^(?:{SUBJECT_FORM})$",
        description="`registration:7K4-M2Q-X9P`, `client:van-1`, `campaign:tanah-abang-2024`, or"
        " `campaign_day:tanah-abang-2024/2024-10-09` for lists of its registrations.",
    )
    client_id: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")] | None = Field(
        default=None, description="The client that acted; `operator` or `system` for those."
    )
    cursor: str | None = Field(default=None, max_length=400)
    size: PageSize = 100


class AuditRecordView(BaseModel):
    """One record: the time, the action, the client that acted, and the record that it was done to."""

    occurred_at: str
    subject: str
    action: str
    client_id: str
    correlation_id: str | None
    references: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()

    @classmethod
    def from_record(cls, record: AuditRecord) -> "AuditRecordView":
        return cls(
            occurred_at=to_timestamp(record.occurred_at),
            subject=str(record.subject),
            action=record.action,
            client_id=record.client_id,
            correlation_id=record.correlation_id,
            references=tuple(record.references),
            fields=tuple(record.fields),
        )


class AuditRecordsView(BaseModel):
    """A page of records, oldest first; `cursor` asks for the next one."""

    records: list[AuditRecordView]
    cursor: str | None

    @classmethod
    def from_page(cls, page: Page[AuditRecord]) -> "AuditRecordsView":
        records = [AuditRecordView.from_record(each) for each in page.rows]
        return cls(records=records, cursor=to_cursor(page.next_position))
