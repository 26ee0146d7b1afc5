"""Summaries and marks in DynamoDB.

CAMPAIGN#<id>   DAY#<day>#<version>     one version of a day's summary
CAMPAIGN#<id>   HEADLINE#<day>          what a list of days says of the newest version
CAMPAIGN#<id>   COUNT#<day>             a count of a day that was laid aside, to be gone on with
CAMPAIGN#<id>   TOLD#<day>              the version of a final day that managers were last told
MARKS           <day>#<campaign id>     a day that changed since it was last counted
FOR#<reader>    <day>#<campaign id>     a day that waits for a reader
"""

import zlib
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import timestamp
from chalicelib.dynamodb import cancellation_reasons, condition_failed, from_item, pages, to_item
from chalicelib.pagination import Position
from chalicelib.rollups.model import Headline, State, Summary
from chalicelib.rollups.outbox import Reader, Waiting
from chalicelib.rollups.service import AlreadyWritten, LaidAside, Mark

_MARKS = "MARKS"
_HEADLINE = "HEADLINE#"

# Of a count that is laid aside. A count in another format is begun anew.
_FORMAT = 1

_OVERTAKEN = frozenset({"ConditionalCheckFailed", "TransactionConflict"})


class DynamoSummaries:
    """Satisfies `service.Summaries`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, summary: Summary) -> None:
        """Store a new version, its line in the list of days, and who waits for it. Raises AlreadyWritten."""
        version = {**_version_key(summary.of, summary.version), "summary": summary.model_dump_json()}
        headline = {**_headline_key(summary.of), "headline": summary.headline.model_dump_json()}
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
                        for each in _wait_for(summary)
                    ),
                ]
            )
        except ClientError as error:
            # Another count that is writing this very moment is as good as one that has written.
            if any(reason.get("Code") in _OVERTAKEN for reason in cancellation_reasons(error)):
                raise AlreadyWritten from None
            raise

    def latest(self, of: CampaignDay) -> Summary | None:
        """The newest version of a day."""
        newest = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :campaign AND begins_with(sk, :day)",
            ExpressionAttributeValues=to_item({":campaign": _campaign(of.campaign_id), ":day": _day(of.day)}),
            ScanIndexForward=False,
            Limit=1,
            ConsistentRead=True,
        )["Items"]
        return Summary.model_validate_json(from_item(newest[0])["summary"]) if newest else None

    def find(self, of: CampaignDay, version: int) -> Summary | None:
        """One version of a day, however old."""
        values = self._get(_version_key(of, version))
        return None if values is None else Summary.model_validate_json(values["summary"])

    def headlines(self, campaign_id: str) -> Iterator[Headline]:
        """What a list of a campaign's days says of each that was summarised, by day."""
        for values in pages(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :campaign AND begins_with(sk, :headline)",
            ExpressionAttributeValues=to_item({":campaign": _campaign(campaign_id), ":headline": _HEADLINE}),
            ConsistentRead=True,
        ):
            yield Headline.model_validate_json(values["headline"])

    def ask(self, reader: Reader, waiting: Waiting) -> None:
        """Let a day wait for a reader, once more if it does already."""
        self._client.put_item(TableName=self._table, Item=to_item(_waiting_values(reader, waiting)))

    def mark(self, of: CampaignDay, *, at: datetime) -> None:
        """Ask for a day to be counted again."""
        self._client.update_item(
            TableName=self._table,
            Key=to_item(_mark_key(of)),
            UpdateExpression="SET campaign_id = :campaign_id, #day = :day, marked_at = :at ADD marks :one",
            ExpressionAttributeNames={"#day": "day"},
            ExpressionAttributeValues=to_item(
                {
                    ":campaign_id": of.campaign_id,
                    ":day": of.day.isoformat(),
                    ":at": timestamp(at),
                    ":one": 1,
                }
            ),
        )

    def marks(self) -> Iterator[Mark]:
        """Every day that is marked."""
        for values in pages(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :marks",
            ExpressionAttributeValues=to_item({":marks": _MARKS}),
            ConsistentRead=True,
        ):
            yield _mark_from(values)

    def find_mark(self, of: CampaignDay) -> Mark | None:
        """The mark of a day, if it is marked."""
        values = self._get(_mark_key(of))
        return None if values is None else _mark_from(values)

    def unmark(self, mark: Mark) -> None:
        """Take a mark away, unless the day was marked once more since it was read."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=to_item(_mark_key(mark.of)),
                ConditionExpression="attribute_not_exists(pk) OR marks = :marks",
                ExpressionAttributeValues=to_item({":marks": mark.marks}),
            )
        except ClientError as error:
            if not condition_failed(error):
                raise

    def lay_aside(self, of: CampaignDay, count: LaidAside | None) -> None:
        """Keep a count that is not done, in place of the one kept before; None to keep none.

        It is put and never deleted: counting needs no right to take anything of a day away.
        """
        kept: dict[str, Any] = {}
        if count is not None:
            kept = {
                "format": _FORMAT,
                "began_at": timestamp(count.began_at),
                "stood": count.stood,
                "after": count.after,
                "count": zlib.compress(count.count.encode()),
            }
        self._client.put_item(TableName=self._table, Item=to_item({**_count_key(of), **kept}))

    def find_laid_aside(self, of: CampaignDay) -> LaidAside | None:
        """The count of a day that was laid aside last."""
        values = self._get(_count_key(of))
        if values is None or values.get("format") != _FORMAT:
            return None
        return LaidAside(
            began_at=datetime.fromisoformat(values["began_at"]),
            stood=values["stood"],
            after=Position(values["after"]),
            count=zlib.decompress(values["count"]).decode(),
        )

    def _get(self, key: dict[str, str]) -> dict[str, Any] | None:
        found = self._client.get_item(TableName=self._table, Key=to_item(key), ConsistentRead=True)
        return from_item(found["Item"]) if "Item" in found else None


def _mark_from(values: Mapping[str, Any]) -> Mark:
    return Mark(
        of=CampaignDay(values["campaign_id"], date.fromisoformat(values["day"])),
        marks=int(values["marks"]),
        marked_at=datetime.fromisoformat(values["marked_at"]),
    )


class DynamoOutbox:
    """The days that readers wait for, in the same table: satisfies `deliveries.service.Outbox`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def waiting(self, reader: Reader) -> Iterator[Waiting]:
        """Every day that waits for a reader."""
        for values in pages(
            self._client,
            TableName=self._table,
            KeyConditionExpression="pk = :reader",
            ExpressionAttributeValues=to_item({":reader": _reader(reader)}),
            ConsistentRead=True,
        ):
            yield Waiting(
                of=CampaignDay(values["campaign_id"], date.fromisoformat(values["day"])),
                version=int(values["version"]),
                asked_at=datetime.fromisoformat(values["asked_at"]),
                tried_at=datetime.fromisoformat(values["tried_at"]) if "tried_at" in values else None,
            )

    def begin(self, reader: Reader, waiting: Waiting, at: datetime) -> None:
        """Keep when a day was begun, unless it was asked for once more since it was read."""
        self._unless_refused(
            self._client.update_item,
            Key=to_item(_waiting_key(reader, waiting.of)),
            UpdateExpression="SET tried_at = :at",
            ConditionExpression="asked_at = :asked_at",
            ExpressionAttributeValues=to_item(
                {":at": timestamp(at), ":asked_at": timestamp(waiting.asked_at)}
            ),
        )

    def take_turn(self, reader: Reader, now: datetime, until: datetime) -> bool:
        """Whether nobody else is at a reader's days; if so, nobody else will be before that time."""
        return self._unless_refused(
            self._client.update_item,
            Key=to_item(_turn_key(reader)),
            UpdateExpression="SET ends_at = :until",
            ConditionExpression="attribute_not_exists(pk) OR ends_at <= :now",
            ExpressionAttributeValues=to_item({":until": timestamp(until), ":now": timestamp(now)}),
        )

    def end_turn(self, reader: Reader, until: datetime) -> None:
        """Let others be at a reader's days again."""
        self._unless_refused(
            self._client.delete_item,
            Key=to_item(_turn_key(reader)),
            ConditionExpression="ends_at = :until",
            ExpressionAttributeValues=to_item({":until": timestamp(until)}),
        )

    def _unless_refused(self, write: Callable[..., Any], **request: Any) -> bool:
        """Whether the condition of a write held."""
        try:
            write(TableName=self._table, **request)
        except ClientError as error:
            if condition_failed(error):
                return False
            raise
        return True

    def done(self, reader: Reader, waiting: Waiting) -> None:
        """Let a day wait no longer, unless it was asked for once more since it was read."""
        self._unless_refused(
            self._client.delete_item,
            Key=to_item(_waiting_key(reader, waiting.of)),
            ConditionExpression="attribute_not_exists(pk) OR asked_at = :asked_at",
            ExpressionAttributeValues=to_item({":asked_at": timestamp(waiting.asked_at)}),
        )

    def told(self, of: CampaignDay) -> int | None:
        """The version of a final day that managers were last told; None before its final report."""
        found = self._client.query(
            TableName=self._table,
            KeyConditionExpression="pk = :campaign AND sk = :told",
            ExpressionAttributeValues=to_item({":campaign": _campaign(of.campaign_id), ":told": _told(of)}),
            ConsistentRead=True,
        )["Items"]
        return int(from_item(found[0])["version"]) if found else None

    def note_told(self, of: CampaignDay, version: int) -> None:
        """Keep which version managers were told."""
        item = {"pk": _campaign(of.campaign_id), "sk": _told(of), "version": version}
        self._client.put_item(TableName=self._table, Item=to_item(item))


def _campaign(campaign_id: str) -> str:
    return f"CAMPAIGN#{campaign_id}"


def _day(day: date) -> str:
    return f"DAY#{day.isoformat()}#"


def _version_key(of: CampaignDay, version: int) -> dict[str, str]:
    return {"pk": _campaign(of.campaign_id), "sk": f"{_day(of.day)}{version:06d}"}


def _headline_key(of: CampaignDay) -> dict[str, str]:
    return {"pk": _campaign(of.campaign_id), "sk": f"{_HEADLINE}{of.day.isoformat()}"}


def _count_key(of: CampaignDay) -> dict[str, str]:
    return {"pk": _campaign(of.campaign_id), "sk": f"COUNT#{of.day.isoformat()}"}


def _mark_key(of: CampaignDay) -> dict[str, str]:
    return {"pk": _MARKS, "sk": f"{of.day.isoformat()}#{of.campaign_id}"}


def _told(of: CampaignDay) -> str:
    return f"TOLD#{of.day.isoformat()}"


def _reader(reader: Reader) -> str:
    return f"FOR#{reader}"


def _waiting_key(reader: Reader, of: CampaignDay) -> dict[str, str]:
    return {"pk": _reader(reader), "sk": f"{of.day.isoformat()}#{of.campaign_id}"}


def _turn_key(reader: Reader) -> dict[str, str]:
    return {"pk": f"TURN#{reader}", "sk": "TURN"}


def _wait_for(summary: Summary) -> list[dict[str, Any]]:
    """Who waits for a new version: managers always, analysts once the day is final."""
    waiting = Waiting(summary.of, summary.version, datetime.fromisoformat(summary.counted_at))
    readers = [Reader.MANAGERS] + [Reader.ANALYSTS] * (summary.state is State.FINAL)
    return [_waiting_values(reader, waiting) for reader in readers]


def _waiting_values(reader: Reader, waiting: Waiting) -> dict[str, Any]:
    return {
        **_waiting_key(reader, waiting.of),
        "campaign_id": waiting.of.campaign_id,
        "day": waiting.of.day.isoformat(),
        "version": waiting.version,
        "asked_at": timestamp(waiting.asked_at),
    }
