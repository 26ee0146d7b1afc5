"""Look up a campaign of a stage, for commands that work on its tables."""

from datetime import date

from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.store import find_days
from ops.deploy.stages import Stage
from ops.errors import OperationError


def find_campaign_days(stage: Stage, campaign_id: str) -> tuple[date, date]:
    """Return the first and the last day of a campaign. Raise OperationError if no campaign has this id."""
    try:
        return find_days(stage.aws_client("dynamodb"), stage.outputs["CampaignsTableName"], campaign_id)
    except CampaignUnknown:
        raise OperationError(f"no campaign has the id {campaign_id}", code=CampaignUnknown.code) from None
