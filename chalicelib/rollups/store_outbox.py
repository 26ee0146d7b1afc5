"""The outbox and what managers were sent, in the summaries table.

OUTBOX#<consumer>   <day>#<campaign id>     a campaign day that a consumer is still to process
LEASE#<consumer>    LEASE                   the end of the run that processes a consumer's entries
CAMPAIGN#<id>       NOTIFIED#<day>          the version of a final day that managers were sent last
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table, Write
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import from_optional_timestamp, to_timestamp
from chalicelib.records import iter_readable
from chalicelib.rollups.outbox import Consumer, OutboxEntry


class DynamoOutbox:
    """Satisfies `deliveries.service.Outbox` and `exports.service.Outbox`."""

    def __init__(self, client: Any, table: str) -> None:
        self._table = Table(client, table)

    def iter_entries(self, consumer: Consumer) -> Iterator[OutboxEntry]:
        return iter_readable(
            _parse_entry, self._table.query("pk = :consumer", {":consumer": _outbox_pk(consumer)})
        )

    def record_attempt(self, consumer: Consumer, entry: OutboxEntry, attempted_at: datetime) -> None:
        self._table.try_run(
            self._table.update(
                _entry_key(consumer, entry.campaign_day),
                "SET attempted_at = :at",
                "enqueued_at = :enqueued_at",
                compared={":at": to_timestamp(attempted_at), ":enqueued_at": to_timestamp(entry.enqueued_at)},
            )
        )

    def remove(self, consumer: Consumer, entry: OutboxEntry) -> None:
        self._table.try_run(
            self._table.delete(
                _entry_key(consumer, entry.campaign_day),
                "attribute_not_exists(pk) OR enqueued_at = :enqueued_at",
                compared={":enqueued_at": to_timestamp(entry.enqueued_at)},
            )
        )

    def acquire_lease(self, consumer: Consumer, now: datetime, expires_at: datetime) -> bool:
        return self._table.try_run(
            self._table.update(
                _lease_key(consumer),
                "SET expires_at = :expires_at",
                "attribute_not_exists(pk) OR expires_at <= :now",
                compared={":expires_at": to_timestamp(expires_at), ":now": to_timestamp(now)},
            )
        )

    def release_lease(self, consumer: Consumer, expires_at: datetime) -> None:
        self._table.try_run(
            self._table.delete(
                _lease_key(consumer),
                "expires_at = :expires_at",
                compared={":expires_at": to_timestamp(expires_at)},
            )
        )

    def find_notified_version(self, campaign_day: CampaignDay) -> int | None:
        key = _notified_key(campaign_day)
        found = self._table.query("pk = :pk AND sk = :sk", {":pk": key["pk"], ":sk": key["sk"]})
        return next((int(values["version"]) for values in found), None)

    def record_notified_version(self, campaign_day: CampaignDay, version: int) -> None:
        self._table.run(self._table.put({**_notified_key(campaign_day), "version": version}))


def build_entry_write(table: Table, consumer: Consumer, entry: OutboxEntry) -> Write:
    return table.put(
        {
            **_entry_key(consumer, entry.campaign_day),
            "campaign_id": entry.campaign_day.campaign_id,
            "day": entry.campaign_day.day.isoformat(),
            "version": entry.version,
            "enqueued_at": to_timestamp(entry.enqueued_at),
        }
    )


def _parse_entry(values: Mapping[str, Any]) -> OutboxEntry:
    return OutboxEntry(
        campaign_day=CampaignDay(values["campaign_id"], date.fromisoformat(values["day"])),
        version=int(values["version"]),
        enqueued_at=datetime.fromisoformat(values["enqueued_at"]),
        attempted_at=from_optional_timestamp(values.get("attempted_at")),
    )


def _outbox_pk(consumer: Consumer) -> str:
    return f"OUTBOX#{consumer}"


def _entry_key(consumer: Consumer, campaign_day: CampaignDay) -> Values:
    return {"pk": _outbox_pk(consumer), "sk": f"{campaign_day.day.isoformat()}#{campaign_day.campaign_id}"}


def _lease_key(consumer: Consumer) -> Values:
    return {"pk": f"LEASE#{consumer}", "sk": "LEASE"}


def _notified_key(campaign_day: CampaignDay) -> Values:
    return {
        "pk": f"CAMPAIGN#{campaign_day.campaign_id}",
        "sk": f"NOTIFIED#{campaign_day.day.isoformat()}",
    }
