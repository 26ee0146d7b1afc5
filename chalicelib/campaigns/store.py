"""Campaigns in DynamoDB."""

import json
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.dynamodb import MAX_ID_LENGTH, is_condition_failure, iter_query_items
from chalicelib.aws.items import Item, from_item, to_item
from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.service import CampaignWriteConflict
from chalicelib.crypto.encryption import FieldCipher

_BY_LAST_DAY = "by_last_day"
_LISTING_KEY = "campaigns"
_DAYS_ARE_UNCHANGED = "first_day = :first_day AND last_day = :last_day AND accepts_until = :accepts_until"


class DynamoCampaigns:
    """Satisfies `service.Campaigns`.

    The managers' names and addresses are sealed; the rest says nothing of a person.
    """

    def __init__(self, client: Any, table: str, cipher: FieldCipher) -> None:
        self._client = client
        self._table = table
        self._cipher = cipher

    def add(self, campaign: Campaign) -> None:
        """Store a new campaign. Raises CampaignExists if its id is taken."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item=self._build_item(campaign),
                ConditionExpression="attribute_not_exists(pk)",
            )
        except ClientError as error:
            if is_condition_failure(error):
                raise CampaignExists(campaign.campaign_id) from None
            raise

    def get(self, campaign_id: str) -> Campaign:
        """Raises CampaignUnknown."""
        # What a path says may be longer than any key; DynamoDB would call that an error of ours.
        if len(campaign_id) > MAX_ID_LENGTH:
            raise CampaignUnknown("longer than any id")
        found = self._client.get_item(
            TableName=self._table, Key=to_item(_build_key(campaign_id)), ConsistentRead=True
        )
        if "Item" not in found:
            raise CampaignUnknown(campaign_id)
        return self._parse_item(from_item(found["Item"]))

    def replace(self, campaign: Campaign, *, previous: Campaign) -> None:
        """Store the fields that differ, and no other. Raises CampaignWriteConflict."""
        before = dict(previous)
        differing = {name for name, value in campaign if value != before[name]}
        values = {name: value for name, value in self._build_values(campaign).items() if name in differing}
        days = previous.model_dump(mode="json", include={"first_day", "last_day", "accepts_until"})
        try:
            self._client.update_item(
                TableName=self._table,
                Key=to_item(_build_key(campaign.campaign_id)),
                UpdateExpression="SET " + ", ".join(f"#{name} = :new_{name}" for name in values),
                ConditionExpression=_DAYS_ARE_UNCHANGED,
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues=to_item(
                    {f":{name}": day for name, day in days.items()}
                    | {f":new_{name}": value for name, value in values.items()}
                ),
            )
        except ClientError as error:
            if is_condition_failure(error):
                raise CampaignWriteConflict(campaign.campaign_id) from None
            raise

    def iter_ending_since(self, first_last_day: date) -> Iterator[Campaign]:
        """The campaigns whose last day is this one or later, by last day."""
        for values in iter_query_items(
            self._client,
            TableName=self._table,
            IndexName=_BY_LAST_DAY,
            KeyConditionExpression="listing = :listing AND last_day >= :day",
            ExpressionAttributeValues=to_item({":listing": _LISTING_KEY, ":day": first_last_day.isoformat()}),
        ):
            yield self._parse_item(values)

    def _build_item(self, campaign: Campaign) -> Item:
        return to_item(
            {**_build_key(campaign.campaign_id), **self._build_values(campaign), "listing": _LISTING_KEY}
        )

    def _build_values(self, campaign: Campaign) -> dict[str, Any]:
        managers = campaign.model_dump_json(include={"managers"})
        return {
            **campaign.model_dump(mode="json", exclude={"managers"}),
            "managers": self._cipher.seal(
                managers, record=_record_name(campaign.campaign_id), field="managers"
            ),
        }

    def _parse_item(self, values: dict[str, Any]) -> Campaign:
        managers = self._cipher.unseal(
            values["managers"], record=_record_name(values["campaign_id"]), field="managers"
        )
        own = {name: values[name] for name in Campaign.model_fields if name in values and name != "managers"}
        return Campaign.model_validate({**own, **json.loads(managers)})


def reseal(values: Mapping[str, Any], cipher: FieldCipher) -> dict[str, Any]:
    """The attributes of an item with values under an older key, sealed anew under the current one."""
    record = _record_name(values["campaign_id"])
    anew = cipher.reseal(values["managers"], record=record, field="managers")
    return {} if anew is None else {"managers": anew}


def _build_key(campaign_id: str) -> dict[str, str]:
    return {"pk": f"CAMPAIGN#{campaign_id}", "sk": "CAMPAIGN"}


def _record_name(campaign_id: str) -> str:
    return f"campaign {campaign_id}"
