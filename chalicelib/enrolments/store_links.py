"""Links in DynamoDB, in the table of clients.

LINK#<code hash>    LINK      what the link is good for; expires
PHONE#<link id>     CAPTURE   the link by which a phone came, and the capture that it registered; expires
"""

from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import ConditionFailed, Table
from chalicelib.clients.errors import LinkUsed
from chalicelib.clock import to_expiry, to_timestamp
from chalicelib.enrolments.errors import EnrolmentCodeUnknown
from chalicelib.enrolments.links import Link

_IF_NEW = "attribute_not_exists(pk)"
_IF_UNUSED = "attribute_exists(pk) AND (attribute_not_exists(used_by) OR used_by = :by)"
_IF_UNCLAIMED = "attribute_not_exists(capture_id) OR capture_id = :id"

# A token by a link lives a day.
_CLAIM_RETENTION = timedelta(days=3)


class DynamoLinks:
    """Satisfies `links.Links`."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def add(self, code_hash: str, link: Link) -> None:
        values = {
            **_make_link_key(code_hash),
            "client_id": link.client_id,
            "is_reusable": link.is_reusable,
            "ends_at": to_timestamp(link.expires_at),
            "expires_at": to_expiry(link.expires_at),
        }
        self._table.run(self._table.put(values, _IF_NEW))

    def find(self, code_hash: str, *, now: datetime) -> Link:
        values = self._table.get(_make_link_key(code_hash))
        if values is None or values["ends_at"] <= to_timestamp(now):
            raise EnrolmentCodeUnknown("no link has it")
        return Link(
            client_id=values["client_id"],
            is_reusable=values["is_reusable"],
            expires_at=datetime.fromisoformat(values["ends_at"]),
        )

    def mark_used(self, code_hash: str, used_by: str) -> None:
        used = self._table.update(
            _make_link_key(code_hash), "SET used_by = :by", _IF_UNUSED, compared={":by": used_by}
        )
        if not self._table.try_run(used):
            raise EnrolmentCodeUnknown("used before")

    def add_phone(self, link_id: str, code_hash: str, *, now: datetime) -> None:
        write = self._table.update(
            _make_phone_key(link_id),
            "SET code_hash = :code_hash, expires_at = :expires_at",
            compared={":code_hash": code_hash, ":expires_at": to_expiry(now + _CLAIM_RETENTION)},
        )
        self._table.run(write)

    def find_code_hash(self, link_id: str) -> str | None:
        return (self._table.get(_make_phone_key(link_id)) or {}).get("code_hash")

    def claim(self, link_id: str, capture_id: str, *, now: datetime) -> bool:
        claimed = self._table.update(
            _make_phone_key(link_id),
            "SET capture_id = :id, expires_at = :expires_at",
            _IF_UNCLAIMED,
            compared={":id": capture_id, ":expires_at": to_expiry(now + _CLAIM_RETENTION)},
        )
        try:
            return "capture_id" not in self._table.run(claimed, returns="ALL_OLD")
        except ConditionFailed:
            raise LinkUsed("for another capture") from None

    def release(self, link_id: str, capture_id: str) -> None:
        self._table.try_run(
            self._table.update(
                _make_phone_key(link_id),
                "REMOVE capture_id",
                "capture_id = :id",
                compared={":id": capture_id},
            )
        )


def _make_link_key(code_hash: str) -> Values:
    return {"pk": f"LINK#{code_hash}", "sk": "LINK"}


def _make_phone_key(link_id: str) -> Values:
    return {"pk": f"PHONE#{link_id}", "sk": "CAPTURE"}
