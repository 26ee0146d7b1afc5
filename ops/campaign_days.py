"""Look up campaigns of a stage, for commands that work on its tables."""

from collections.abc import Collection, Iterator
from datetime import date

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import CampaignDay
from chalicelib.campaigns.store import DynamoCampaigns, find_days
from chalicelib.crypto.encryption import FieldCipher, FieldKeys
from ops.deploy.stages import Stage
from ops.errors import OperationError


def find_campaign_days(stage: Stage, campaign_id: str) -> tuple[date, date]:
    """Return the first and the last day of a campaign. Raise OperationError if no campaign has this id."""
    try:
        return find_days(stage.aws_client("dynamodb"), stage.outputs["CampaignsTableName"], campaign_id)
    except CampaignUnknown:
        raise OperationError(f"no campaign has the id {campaign_id}", code=CampaignUnknown.code) from None


def iter_campaign_days(stage: Stage, days: Collection[date]) -> Iterator[CampaignDay]:
    """Yield these days of each campaign that has them. No key is needed, because no name is read."""
    dynamodb, table = stage.aws_client("dynamodb"), stage.outputs["CampaignsTableName"]
    no_keys = FieldCipher(lambda: FieldKeys("", {}))
    for _, campaign_id in DynamoCampaigns(
        dynamodb, table, no_keys, build_audit_write=None
    ).iter_ids_ending_since(min(days)):
        first_day, last_day = find_days(dynamodb, table, campaign_id)
        yield from (CampaignDay(campaign_id, day) for day in days if first_day <= day <= last_day)
