"""Summaries and marks in DynamoDB.

CAMPAIGN#<id>   DAY#<day>#<version>     one version of a day's summary
MARKS           <day>#<campaign id>     a day that changed since it was last counted
"""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.campaigns.model import CampaignDay
from chalicelib.clock import timestamp
from chalicelib.dynamodb import condition_failed, from_item, pages, to_item
from chalicelib.rollups.model import Summary
from chalicelib.rollups.service import AlreadyWritten, Mark

_MARKS = "MARKS"


class DynamoSummaries:
    """Satisfies `service.Summaries`."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def add(self, summary: Summary) -> None:
        """Store a new version. Raises AlreadyWritten."""
        item = {
            "pk": _campaign(summary.campaign_id),
            "sk": f"{_day(summary.day)}{summary.version:06d}",
            "summary": summary.model_dump_json(),
        }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=to_item(item),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if condition_failed(error):
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
            yield Mark(
                of=CampaignDay(values["campaign_id"], date.fromisoformat(values["day"])),
                marks=int(values["marks"]),
                marked_at=datetime.fromisoformat(values["marked_at"]),
            )

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


def _campaign(campaign_id: str) -> str:
    return f"CAMPAIGN#{campaign_id}"


def _day(day: date) -> str:
    return f"DAY#{day.isoformat()}#"


def _mark_key(of: CampaignDay) -> dict[str, str]:
    return {"pk": _MARKS, "sk": f"{of.day.isoformat()}#{of.campaign_id}"}
