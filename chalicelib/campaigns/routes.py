"""Campaigns over HTTP."""

from datetime import date

from chalice.app import Blueprint, Response
from pydantic import BaseModel

from chalicelib import wiring
from chalicelib.campaigns.model import Campaign
from chalicelib.clients.model import Role
from chalicelib.endpoints import Request, endpoint, json_response

routes = Blueprint(__name__)


class CampaignsView(BaseModel):
    """Campaigns, by last day."""

    campaigns: list[Campaign]


@routes.route("/v1/campaigns", methods=["POST"], content_types=[])
@endpoint(routes, Role.MANAGER)
def open_campaign(request: Request) -> Response:
    """Open a campaign; sending the very same one again changes nothing."""
    campaign = request.parsed(Campaign)
    request.caller.require_campaign(campaign.campaign_id)
    is_new = wiring.campaign_office().open(campaign)
    return json_response(campaign, 201 if is_new else 200)


@routes.route("/v1/campaigns", methods=["GET"])
@endpoint(routes, Role.MANAGER)
def list_campaigns(request: Request) -> Response:
    """The campaigns that the caller works for, by last day."""
    every = wiring.campaign_office().ending_since(date.min)
    return json_response(
        CampaignsView(campaigns=[each for each in every if request.caller.works_for(each.campaign_id)])
    )


@routes.route("/v1/campaigns/{campaign_id}", methods=["GET"])
@endpoint(routes, Role.MANAGER)
def show_campaign(request: Request, campaign_id: str) -> Response:
    """One campaign."""
    request.caller.require_campaign(campaign_id)
    return json_response(wiring.campaign_office().get(campaign_id))
