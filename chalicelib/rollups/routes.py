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
from chalicelib.rollups.messages import ShowSummary
from chalicelib.rollups.views import SummariesView, SummaryView

routes = Blueprint(__name__)

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@routes.route("/v1/campaigns/{campaign_id}/summaries", methods=["GET"], content_types=[])
@endpoint(routes, Role.MANAGER, gives={200: SummariesView}, refuses=(CampaignNotYours, CampaignUnknown))
def list_summaries(request: Request, campaign_id: str) -> Response:
    """The days of a campaign that were summarised."""
    request.caller.require_campaign(campaign_id)
    days = wiring.rollup().headlines(campaign_id)
    return json_response(SummariesView(campaign_id=campaign_id, days=days))


@routes.route("/v1/campaigns/{campaign_id}/summaries/{day}", methods=["GET"], content_types=[])
@endpoint(
    routes,
    Role.MANAGER,
    asks=ShowSummary,
    gives={200: SummaryView},
    refuses=(CampaignNotYours, CampaignUnknown, DayNotInCampaign, SummaryUnknown),
)
def show_summary(request: Request, campaign_id: str, day: str) -> Response:
    """The newest summary of a campaign day, or an older version of it."""
    request.caller.require_campaign(campaign_id)
    asked = request.queried(ShowSummary)
    report = wiring.rollup().report(_campaign_day(campaign_id, day), version=asked.version)
    return json_response(SummaryView.of_report(report))


@routes.route("/v1/campaigns/{campaign_id}/summaries/{day}", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.MANAGER,
    gives={200: SummaryView},
    refuses=(CampaignNotYours, CampaignUnknown, DayNotInCampaign),
)
def recount_day(request: Request, campaign_id: str, day: str) -> Response:
    """Count a campaign day now."""
    request.caller.require_campaign(campaign_id)
    of = _campaign_day(campaign_id, day)
    wiring.rollup().recount(of)
    return json_response(SummaryView.of_report(wiring.rollup().report(of)))


def _campaign_day(campaign_id: str, day: str) -> CampaignDay:
    # The same day could be written in other ways (20241009, 2024-W41-3), and be another address each time.
    if not _DAY.fullmatch(day):
        raise DayNotInCampaign("not a day")
    try:
        return CampaignDay(campaign_id, date.fromisoformat(day))
    except ValueError:
        raise DayNotInCampaign("not a day") from None
