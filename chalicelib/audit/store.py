"""The audit trail in DynamoDB.

<subject>   <time>#<random id>   a record; indexed by the client that acted; expires

Records are added and never changed or deleted: the functions have no permission to.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from chalicelib.audit.model import AuditRecord, Subject
from chalicelib.aws.items import Values
from chalicelib.aws.table import Table, Write
from chalicelib.clock import to_expiry, to_timestamp
from chalicelib.http.pagination import Page, Position, cut_page

_BY_CLIENT = "by_client"
_IF_NEW = "attribute_not_exists(subject)"


class DynamoAuditTrail:
    """Satisfies `service.AuditStore`, and makes the write of a record for the transaction of a change."""

    def __init__(
        self,
        client: Any,
        table_name: str,
        *,
        retention_period: timedelta,
        new_id: Callable[[], str],
        get_correlation_id: Callable[[], str | None],
    ) -> None:
        self._table = Table(client, table_name)
        self._retention_period = retention_period
        self._new_id = new_id
        self._get_correlation_id = get_correlation_id

    def build_append(self, record: AuditRecord) -> Write:
        """Return the write that stores a record."""
        return self._table.put(self._build_item(record), _IF_NEW)

    def append(self, record: AuditRecord) -> None:
        # If the condition fails, the SDK has repeated this write, whose answer was lost: its key is random.
        self._table.try_run(self.build_append(record))

    def list_by_subject(
        self, subject: Subject, *, start_after: Position | None, page_size: int
    ) -> Page[AuditRecord]:
        return self._query_page("subject", str(subject), start_after, page_size)

    def list_by_client(
        self, client_id: str, *, start_after: Position | None, page_size: int
    ) -> Page[AuditRecord]:
        return self._query_page("client_id", client_id, start_after, page_size, index=_BY_CLIENT)

    def iter_by_subject(self, subject: Subject) -> Iterator[AuditRecord]:
        return map(_to_record, self._table.query("subject = :subject", {":subject": str(subject)}))

    def _query_page(
        self, key: str, value: str, start_after: Position | None, page_size: int, *, index: str | None = None
    ) -> Page[AuditRecord]:
        found = self._table.query(
            f"{key} = :key AND record_key > :after",
            {":key": value, ":after": start_after or " "},
            index=index,
            page_size=page_size + 1,
        )
        page = cut_page(
            found, page_size, start_after=start_after, get_position=lambda row: str(row["record_key"])
        )
        return Page(list(map(_to_record, page.rows)), page.last_position, page.has_more)

    def _build_item(self, record: AuditRecord) -> Values:
        return {
            "subject": str(record.subject),
            "record_key": f"{to_timestamp(record.occurred_at)}#{self._new_id()}",
            "action": str(record.action),
            "client_id": record.client_id,
            "correlation_id": record.correlation_id or self._get_correlation_id(),
            "references": list(record.references) or None,
            "fields": list(record.fields) or None,
            "expires_at": to_expiry(record.occurred_at + self._retention_period),
        }


def _to_record(values: Values) -> AuditRecord:
    return AuditRecord(
        subject=Subject(values["subject"]),
        action=values["action"],
        client_id=values["client_id"],
        occurred_at=datetime.fromisoformat(values["record_key"].partition("#")[0]),
        references=tuple(values.get("references", ())),
        fields=tuple(values.get("fields", ())),
        correlation_id=values.get("correlation_id"),
    )
