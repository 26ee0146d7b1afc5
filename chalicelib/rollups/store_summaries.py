"""Summaries of campaign days in the summaries table.

CAMPAIGN#<id>   DAY#<day>#<version>     one version of a day's summary
CAMPAIGN#<id>   HEADLINE#<day>          the day's line in the list of days, of its newest version
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from chalicelib.aws.items import Values
from chalicelib.aws.table import Table, TransactionFailed
from chalicelib.campaigns.model import CampaignDay
from chalicelib.records import iter_readable, record_parser
from chalicelib.rollups.model import Headline, Summary, SummaryState
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.service import VersionExists
from chalicelib.rollups.store_outbox import build_entry_write

_HEADLINE_PREFIX = "HEADLINE#"

# In characters. A larger summary, of very many devices and officers, is compressed to fit into an item.
_MAX_PLAIN_SIZE = 100_000


class DynamoSummaries:
    """Satisfies `service.SummaryWriter` and `reporting.SummaryReader`."""

    def __init__(self, client: Any, table: str) -> None:
        self._table = Table(client, table)

    def add(self, summary: Summary) -> None:
        version = {
            **_version_key(summary.campaign_day, summary.version),
            **_serialize_summary(summary),
        }
        headline = {
            "pk": _campaign_pk(summary.campaign_id),
            "sk": f"{_HEADLINE_PREFIX}{summary.day.isoformat()}",
            "headline": summary.headline.model_dump_json(),
        }
        entry = OutboxEntry(summary.campaign_day, summary.version, datetime.fromisoformat(summary.counted_at))
        consumers = [Consumer.MANAGERS] + [Consumer.ANALYSTS] * (summary.state is SummaryState.FINAL)
        try:
            self._table.transact(
                [
                    self._table.put(version, "attribute_not_exists(pk)"),
                    # Each version's writer has read the version before, so headlines are stored in order.
                    self._table.put(headline),
                    *(build_entry_write(self._table, consumer, entry) for consumer in consumers),
                ]
            )
        except TransactionFailed:
            # A concurrent count that has not committed yet is treated as one that has.
            raise VersionExists from None

    def enqueue(self, consumer: Consumer, entry: OutboxEntry) -> None:
        self._table.run(build_entry_write(self._table, consumer, entry))

    def find_latest(self, campaign_day: CampaignDay) -> Summary | None:
        newest_first = self._table.query(
            "pk = :campaign AND begins_with(sk, :day)",
            {":campaign": _campaign_pk(campaign_day.campaign_id), ":day": _version_prefix(campaign_day)},
            page_size=1,
            is_descending=True,
        )
        return next(map(_parse_summary, newest_first), None)

    def find_version(self, campaign_day: CampaignDay, version: int) -> Summary | None:
        values = self._table.get(_version_key(campaign_day, version))
        return None if values is None else _parse_summary(values)

    def iter_headlines(self, campaign_id: str) -> Iterator[Headline]:
        rows = self._table.query(
            "pk = :campaign AND begins_with(sk, :headline)",
            {":campaign": _campaign_pk(campaign_id), ":headline": _HEADLINE_PREFIX},
        )
        return iter_readable(lambda values: self._parse_headline(campaign_id, values), rows)

    def _parse_headline(self, campaign_id: str, values: Mapping[str, Any]) -> Headline:
        stored = json.loads(values["headline"])
        if "registered" not in stored:
            # A headline of an earlier release: its summary says more.
            campaign_day = CampaignDay(campaign_id, date.fromisoformat(stored["day"]))
            summary = self.find_version(campaign_day, stored["version"])
            stored["registered"] = summary.counts.registered if summary else stored["created"]
        return Headline.model_validate(stored)


@record_parser
def _parse_summary(values: Values) -> Summary:
    stored = json.loads(_read_serialized(values))
    counts = stored["counts"]
    if "registered" not in counts:
        # A summary of an earlier release, whose breakdowns are of all that were created.
        cancelled = stored.get("funnel", {}).get("cancelled", 0)
        counts["registered"] = counts["created"] + counts["reactivated"] - cancelled
        for arrivals in stored.get("arrivals", ()):
            arrivals["registered"] = arrivals["created"]
    return Summary.model_validate(stored)


def _read_serialized(values: Values) -> str:
    if "compressed_summary" in values:
        return zlib.decompress(values["compressed_summary"]).decode()
    return str(values["summary"])


def _serialize_summary(summary: Summary) -> Values:
    serialized = summary.model_dump_json()
    if len(serialized) <= _MAX_PLAIN_SIZE:
        return {"summary": serialized}
    return {"compressed_summary": zlib.compress(serialized.encode())}


def _campaign_pk(campaign_id: str) -> str:
    return f"CAMPAIGN#{campaign_id}"


def _version_prefix(campaign_day: CampaignDay) -> str:
    return f"DAY#{campaign_day.day.isoformat()}#"


def _version_key(campaign_day: CampaignDay, version: int) -> Values:
    return {
        "pk": _campaign_pk(campaign_day.campaign_id),
        "sk": f"{_version_prefix(campaign_day)}{version:06d}",
    }
