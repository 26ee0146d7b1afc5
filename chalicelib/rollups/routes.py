"""Summaries over HTTP."""

from datetime import date

from chalice.app import Blueprint, Response

from chalicelib import wiring
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.model import Role
from chalicelib.endpoints import Request, endpoint, json_response
from chalicelib.rollups.errors import DayNotInCampaign

routes = Blueprint(__name__)


@routes.route("/v1/campaigns/{campaign_id}/summaries/{day}", methods=["GET"])
@endpoint(routes, Role.MANAGER)
def show_summary(request: Request, campaign_id: str, day: str) -> Response:
    """The newest summary of a campaign day."""
    request.caller.require_campaign(campaign_id)
    return json_response(wiring.rollup().read(_campaign_day(campaign_id, day)))


@routes.route("/v1/campaigns/{campaign_id}/summaries/{day}", methods=["POST"], content_types=[])
@endpoint(routes, Role.MANAGER)
def recount_day(request: Request, campaign_id: str, day: str) -> Response:
    """Count a campaign day now."""
    request.caller.require_campaign(campaign_id)
    return json_response(wiring.rollup().recount(_campaign_day(campaign_id, day)).summary)


def _campaign_day(campaign_id: str, day: str) -> CampaignDay:
    try:
        return CampaignDay(campaign_id, date.fromisoformat(day))
    except ValueError:
        raise DayNotInCampaign("not a day") from None
