"""Summaries and marks in DynamoDB.

CAMPAIGN#<id>   DAY#<day>#<version>     one version of a day's summary
CAMPAIGN#<id>   HEADLINE#<day>          what a list of days says of the newest version
CAMPAIGN#<id>   COUNT#<day>             a count of a day that was laid aside, to be gone on with
CAMPAIGN#<id>   PURPOSE_BY_EVENT_TYPE#<day>              the version of a final day that managers were last told
MARKS           <day>#<campaign id>     a day that changed since it was last counted
FOR#<reader>    <day>#<campaign id>     a day that waits for a reader
"""

import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.dynamodb import get_cancellation_reasons, is_condition_failure, iter_query_items
from chalicelib.aws.items import from_item, to_item
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import to_timestamp
from chalicelib.http.pagination import Position
from chalicelib.rollups.model import Headline, Summary, SummaryState
from chalicelib.rollups.outbox import Consumer, OutboxEntry
from chalicelib.rollups.service import Checkpoint, DirtyDay, VersionExists

_DIRTY_DAYS_PK = "MARKS"
_HEADLINE_PREFIX = "HEADLINE#"

# Of a count that is laid aside. A count in another format is begun anew.
_CHECKPOINT_FORMAT = 1

_CONFLICT_CODES = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class DynamoSummaries:
    """Satisfies `service.Summaries`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, summary: Summary) -> None:
        """Store a new version, its line in the list of days, and who waits for it. Raises VersionExists."""
        version = {
            **_version_key(summary.campaign_day, summary.version),
            "summary": summary.model_dump_json(),
        }
        headline = {**_headline_key(summary.campaign_day), "headline": summary.headline.model_dump_json()}
        try:
            self._client.transact_write_items(
                TransactItems=[
                    {
                        "Put": {
                            "TableName": self._table,
                            "Item": to_item(version),
                            "ConditionExpression": "attribute_not_exists(pk)",
                        }
                    },
                    # Whoever writes a version has read the one before it, so headlines come in order too.
                    {"Put": {"TableName": self._table, "Item": to_item(headline)}},
                    *(
                        {"Put": {"TableName": self._table, "Item": to_item(each)}}
                        for each in _build_entry_items(summary)
                    ),
                ]
            )
        except ClientError as error:
            # Another count that is writing this very moment is as good as one that has written.
            if any(reason.get("Code") in _CONFLICT_CODES for reason in get_cancellation_reasons(error)):
                raise VersionExists from None
            raise

    def find_latest(self, campaign_day: CampaignDay) -> Summary | None:
        """The newest version of a day."""
        newest = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :campaign AND begins_with(sk, :day)",
            ExpressionAttributeValues=to_item(
                {
                    ":campaign": _campaign_pk(campaign_day.campaign_id),
                    ":day": _version_prefix(campaign_day.day),
                }
            ),
            ScanIndexForward=False,
            Limit=1,
            ConsistentRead=True,
        )["Items"]
        return Summary.model_validate_json(from_item(newest[0])["summary"]) if newest else None

    def find_version(self, campaign_day: CampaignDay, version: int) -> Summary | None:
        """One version of a day, however old."""
        values = self._get(_version_key(campaign_day, version))
        return None if values is None else Summary.model_validate_json(values["summary"])

    def iter_headlines(self, campaign_id: str) -> Iterator[Headline]:
        """What a list of a campaign's days says of each that was summarised, by day."""
        for values in iter_query_items(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :campaign AND begins_with(sk, :headline)",
            ExpressionAttributeValues=to_item(
                {":campaign": _campaign_pk(campaign_id), ":headline": _HEADLINE_PREFIX}
            ),
            ConsistentRead=True,
        ):
            yield Headline.model_validate_json(values["headline"])

    def enqueue(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Let a day wait for a reader, once more if it does already."""
        self._client.put_item(TableName=self._table, Item=to_item(_build_entry_item(consumer, entry)))

    def mark_dirty(self, campaign_day: CampaignDay, *, occurred_at: datetime) -> None:
        """Ask for a day to be counted again."""
        self._client.update_item(
            TableName=self._table,
            Key=to_item(_dirty_day_key(campaign_day)),
            UpdateExpression="SET campaign_id = :campaign_id, #day = :day, marked_at = :at ADD marks :one",
            ExpressionAttributeNames={"#day": "day"},
            ExpressionAttributeValues=to_item(
                {
                    ":campaign_id": campaign_day.campaign_id,
                    ":day": campaign_day.day.isoformat(),
                    ":at": to_timestamp(occurred_at),
                    ":one": 1,
                }
            ),
        )

    def iter_dirty_days(self) -> Iterator[DirtyDay]:
        """Every day that is marked."""
        for values in iter_query_items(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :marks",
            ExpressionAttributeValues=to_item({":marks": _DIRTY_DAYS_PK}),
            ConsistentRead=True,
        ):
            yield _parse_dirty_day(values)

    def find_dirty_day(self, campaign_day: CampaignDay) -> DirtyDay | None:
        """The mark of a day, if it is marked."""
        values = self._get(_dirty_day_key(campaign_day))
        return None if values is None else _parse_dirty_day(values)

    def clear_dirty(self, dirty_day: DirtyDay) -> None:
        """Take a mark away, unless the day was marked once more since it was read."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=to_item(_dirty_day_key(dirty_day.campaign_day)),
                ConditionExpression="attribute_not_exists(pk) OR marks = :marks",
                ExpressionAttributeValues=to_item({":marks": dirty_day.generation}),
            )
        except ClientError as error:
            if not is_condition_failure(error):
                raise

    def save_checkpoint(self, campaign_day: CampaignDay, checkpoint: Checkpoint | None) -> None:
        """Keep a count that is not done, in place of the one kept before; None to keep none.

        It is put and never deleted: counting needs no right to take anything of a day away.
        """
        kept: dict[str, Any] = {}
        if checkpoint is not None:
            kept = {
                "format": _CHECKPOINT_FORMAT,
                "began_at": to_timestamp(checkpoint.started_at),
                "stood": checkpoint.etag,
                "after": checkpoint.position,
                "count": zlib.compress(checkpoint.counter_state.encode()),
            }
        self._client.put_item(TableName=self._table, Item=to_item({**_checkpoint_key(campaign_day), **kept}))

    def find_checkpoint(self, campaign_day: CampaignDay) -> Checkpoint | None:
        """The count of a day that was laid aside last."""
        values = self._get(_checkpoint_key(campaign_day))
        if values is None or values.get("format") != _CHECKPOINT_FORMAT:
            return None
        return Checkpoint(
            started_at=datetime.fromisoformat(values["began_at"]),
            etag=values["stood"],
            position=Position(values["after"]),
            counter_state=zlib.decompress(values["count"]).decode(),
        )

    def _get(self, key: dict[str, str]) -> dict[str, Any] | None:
        found = self._client.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
        return from_item(found["Item"]) if "Item" in found else None


def _parse_dirty_day(item: Mapping[str, Any]) -> DirtyDay:
    return DirtyDay(
        campaign_day=CampaignDay(item["campaign_id"], date.fromisoformat(item["day"])),
        generation=int(item["marks"]),
        marked_at=datetime.fromisoformat(item["marked_at"]),
    )


class DynamoOutbox:
    """The days that readers wait for, in the same table: satisfies `deliveries.service.Outbox`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def iter_entries(self, consumer: Consumer) -> Iterator[OutboxEntry]:
        """Every day that waits for a reader."""
        for values in iter_query_items(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :reader",
            ExpressionAttributeValues=to_item({":reader": _consumer_pk(consumer)}),
            ConsistentRead=True,
        ):
            yield OutboxEntry(
                campaign_day=CampaignDay(values["campaign_id"], date.fromisoformat(values["day"])),
                version=int(values["version"]),
                enqueued_at=datetime.fromisoformat(values["asked_at"]),
                tried_at=datetime.fromisoformat(values["tried_at"]) if "tried_at" in values else None,
            )

    def record_attempt(self, consumer: Consumer, entry: OutboxEntry, attempted_at: datetime) -> None:
        """Keep when a day was begun, unless it was asked for once more since it was read."""
        self._try_write(
            self._client.update_item,
            Key=to_item(_entry_key(consumer, entry.campaign_day)),
            UpdateExpression="SET tried_at = :at",
            ConditionExpression="asked_at = :asked_at",
            ExpressionAttributeValues=to_item(
                {":at": to_timestamp(attempted_at), ":asked_at": to_timestamp(entry.enqueued_at)}
            ),
        )

    def acquire_lease(self, consumer: Consumer, now: datetime, expires_at: datetime) -> bool:
        """Whether nobody else is at a reader's days; if so, nobody else will be before that time."""
        return self._try_write(
            self._client.update_item,
            Key=to_item(_lease_key(consumer)),
            UpdateExpression="SET ends_at = :until",
            ConditionExpression="attribute_not_exists(pk) OR ends_at <= :now",
            ExpressionAttributeValues=to_item(
                {":until": to_timestamp(expires_at), ":now": to_timestamp(now)}
            ),
        )

    def release_lease(self, consumer: Consumer, expires_at: datetime) -> None:
        """Let others be at a reader's days again."""
        self._try_write(
            self._client.delete_item,
            Key=to_item(_lease_key(consumer)),
            ConditionExpression="ends_at = :until",
            ExpressionAttributeValues=to_item({":until": to_timestamp(expires_at)}),
        )

    def _try_write(self, write: Callable[..., Any], **request: Any) -> bool:
        """Whether the condition of a write held."""
        try:
            write(TableName=self._table, **request)
        except ClientError as error:
            if is_condition_failure(error):
                return False
            raise
        return True

    def remove(self, consumer: Consumer, entry: OutboxEntry) -> None:
        """Let a day wait no longer, unless it was asked for once more since it was read."""
        self._try_write(
            self._client.delete_item,
            Key=to_item(_entry_key(consumer, entry.campaign_day)),
            ConditionExpression="attribute_not_exists(pk) OR asked_at = :asked_at",
            ExpressionAttributeValues=to_item({":asked_at": to_timestamp(entry.enqueued_at)}),
        )

    def find_notified_version(self, campaign_day: CampaignDay) -> int | None:
        """The version of a final day that managers were last told; None before its final report."""
        found = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :campaign AND sk = :told",
            ExpressionAttributeValues=to_item(
                {":campaign": _campaign_pk(campaign_day.campaign_id), ":told": _notified_sk(campaign_day)}
            ),
            ConsistentRead=True,
        )["Items"]
        return int(from_item(found[0])["version"]) if found else None

    def record_notified_version(self, campaign_day: CampaignDay, version: int) -> None:
        """Keep which version managers were told."""
        item = {
            "pk": _campaign_pk(campaign_day.campaign_id),
            "sk": _notified_sk(campaign_day),
            "version": version,
        }
        self._client.put_item(TableName=self._table, Item=to_item(item))


def _campaign_pk(campaign_id: str) -> str:
    return f"CAMPAIGN#{campaign_id}"


def _version_prefix(day: date) -> str:
    return f"DAY#{day.isoformat()}#"


def _version_key(campaign_day: CampaignDay, version: int) -> dict[str, str]:
    return {
        "pk": _campaign_pk(campaign_day.campaign_id),
        "sk": f"{_version_prefix(campaign_day.day)}{version:06d}",
    }


def _headline_key(campaign_day: CampaignDay) -> dict[str, str]:
    return {
        "pk": _campaign_pk(campaign_day.campaign_id),
        "sk": f"{_HEADLINE_PREFIX}{campaign_day.day.isoformat()}",
    }


def _checkpoint_key(campaign_day: CampaignDay) -> dict[str, str]:
    return {"pk": _campaign_pk(campaign_day.campaign_id), "sk": f"COUNT#{campaign_day.day.isoformat()}"}


def _dirty_day_key(campaign_day: CampaignDay) -> dict[str, str]:
    return {"pk": _DIRTY_DAYS_PK, "sk": f"{campaign_day.day.isoformat()}#{campaign_day.campaign_id}"}


def _notified_sk(campaign_day: CampaignDay) -> str:
    return f"TOLD#{campaign_day.day.isoformat()}"


def _consumer_pk(consumer: Consumer) -> str:
    return f"FOR#{consumer}"


def _entry_key(consumer: Consumer, campaign_day: CampaignDay) -> dict[str, str]:
    return {"pk": _consumer_pk(consumer), "sk": f"{campaign_day.day.isoformat()}#{campaign_day.campaign_id}"}


def _lease_key(consumer: Consumer) -> dict[str, str]:
    return {"pk": f"TURN#{consumer}", "sk": "TURN"}


def _build_entry_items(summary: Summary) -> list[dict[str, Any]]:
    """Who waits for a new version: managers always, analysts once the day is final."""
    waiting = OutboxEntry(summary.campaign_day, summary.version, datetime.fromisoformat(summary.counted_at))
    readers = [Consumer.MANAGERS] + [Consumer.ANALYSTS] * (summary.state is SummaryState.FINAL)
    return [_build_entry_item(reader, waiting) for reader in readers]


def _build_entry_item(consumer: Consumer, entry: OutboxEntry) -> dict[str, Any]:
    return {
        **_entry_key(consumer, entry.campaign_day),
        "campaign_id": entry.campaign_day.campaign_id,
        "day": entry.campaign_day.day.isoformat(),
        "version": entry.version,
        "asked_at": to_timestamp(entry.enqueued_at),
    }
