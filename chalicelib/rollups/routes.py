"""Summaries over HTTP."""

import re
from datetime import date

from chalice.app import Blueprint, Response

from chalicelib import wiring
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.model import Role
from chalicelib.endpoints import Request, endpoint, json_response
from chalicelib.refusals import CampaignNotYours
from chalicelib.rollups.errors import DayNotInCampaign, SummaryUnknown
from chalicelib.rollups.model import Summary

routes = Blueprint(__name__)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@routes.route("/v1/campaigns/{campaign_id}/summaries/{day}", methods=["GET"], content_types=[])
@endpoint(
    routes,
    Role.MANAGER,
    gives={200: Summary},
    refuses=(CampaignNotYours, CampaignUnknown, DayNotInCampaign, SummaryUnknown),
)
def show_summary(request: Request, campaign_id: str, day: str) -> Response:
    """The newest summary of a campaign day."""
    request.caller.require_campaign(campaign_id)
    return json_response(wiring.rollup().read(_campaign_day(campaign_id, day)))


@routes.route("/v1/campaigns/{campaign_id}/summaries/{day}", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.MANAGER,
    gives={200: Summary},
    refuses=(CampaignNotYours, CampaignUnknown, DayNotInCampaign),
)
def recount_day(request: Request, campaign_id: str, day: str) -> Response:
    """Count a campaign day now."""
    request.caller.require_campaign(campaign_id)
    return json_response(wiring.rollup().recount(_campaign_day(campaign_id, day)).summary)


def _campaign_day(campaign_id: str, day: str) -> CampaignDay:
    # The same day could be written in other ways (20241009, 2024-W41-3), and be another address each time.
    if not _DAY.fullmatch(day):
        raise DayNotInCampaign("not a day")
    try:
        return CampaignDay(campaign_id, date.fromisoformat(day))
    except ValueError:
        raise DayNotInCampaign("not a day") from None
