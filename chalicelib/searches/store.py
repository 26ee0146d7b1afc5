"""Lookups in DynamoDB, in the table of review items.

PHONE#<keyed hash>     <reference>    a registration with a phone number
PERSON#<keyed hash>    <reference>    a registration of a person, by name, birth date and phone number
CODE#<receipt code>    <capture id>   a capture
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table
from chalicelib.searches.lookups import LookupEntry, LookupKind


class DynamoLookups:
    """Satisfies `lookups.Lookups`. Reads are strongly consistent."""

    def __init__(self, client: Any, table_name: str) -> None:
        self._table = Table(client, table_name)

    def add(self, kind: LookupKind, keyed_hash: str, entry: LookupEntry) -> None:
        values = {
            **_make_key(kind, keyed_hash, entry.reference),
            "campaign_id": entry.campaign_id,
            "day": entry.day.isoformat(),
            "worker_key": entry.worker_key,
        }
        self._table.run(self._table.put(values))

    def remove(self, kind: LookupKind, keyed_hash: str, reference: str) -> None:
        self._table.run(self._table.delete(_make_key(kind, keyed_hash, reference)))

    def iter_entries(self, kind: LookupKind, keyed_hash: str) -> Iterator[LookupEntry]:
        for row in self._table.query("pk = :pk", {":pk": _make_key(kind, keyed_hash, "")["pk"]}):
            yield LookupEntry(
                row["sk"], row["campaign_id"], date.fromisoformat(row["day"]), row["worker_key"]
            )

    def add_capture(self, receipt_code: str, capture_id: str) -> None:
        self._table.run(self._table.put(_make_code_key(receipt_code, capture_id)))

    def remove_capture(self, receipt_code: str, capture_id: str) -> None:
        self._table.run(self._table.delete(_make_code_key(receipt_code, capture_id)))

    def iter_captures(self, receipt_code: str) -> Iterator[str]:
        for row in self._table.query("pk = :pk", {":pk": _make_code_key(receipt_code, "")["pk"]}):
            yield row["sk"]


def _make_key(kind: LookupKind, keyed_hash: str, reference: str) -> Values:
    return {"pk": f"{kind.upper()}#{keyed_hash}", "sk": reference}


def _make_code_key(receipt_code: str, capture_id: str) -> Values:
    return {"pk": f"CODE#{receipt_code}", "sk": capture_id}
