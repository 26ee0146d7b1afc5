"""Campaigns over HTTP."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response
from pydantic import BaseModel

from chalicelib.callers import Role
from chalicelib.campaigns.errors import CampaignExists, CampaignUnknown
from chalicelib.campaigns.model import Campaign
from chalicelib.campaigns.schemas import ChangeCampaign, ListCampaigns, RetentionView
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.http.pagination import CursorInvalid, from_cursor, to_cursor
from chalicelib.refusals import CampaignNotAllowed, RulesBroken

if TYPE_CHECKING:
    from chalicelib.container import Container


class CampaignsView(BaseModel):
    """A page of campaigns, by last day; `cursor` asks for the next one."""

    campaigns: list[Campaign]
    cursor: str | None


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/campaigns", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        body_model=Campaign,
        responses={201: Campaign, 200: Campaign},
        refusals=(CampaignNotAllowed, CampaignExists, RulesBroken),
    )
    def open_campaign(request: Request) -> Response:
        """Open a campaign; sending the very same one again changes nothing."""
        campaign = request.parse_body(Campaign)
        request.caller.require_campaign(campaign.campaign_id)
        is_new = container.campaigns.open(campaign, opened_by=request.caller.client_id)
        stored = container.campaigns.get_current(campaign.campaign_id)
        return json_response(stored, 201 if is_new else 200)

    @routes.route("/v1/campaigns", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        query_model=ListCampaigns,
        responses={200: CampaignsView},
        refusals=(CursorInvalid,),
    )
    def list_campaigns(request: Request) -> Response:
        """List the campaigns that the caller works for, by last day."""
        query = request.parse_query(ListCampaigns)
        start_after, _ = from_cursor(query.cursor)
        page = container.campaigns.list_for_caller(
            caller=request.caller, start_after=start_after, page_size=query.size
        )
        return json_response(CampaignsView(campaigns=list(page.rows), cursor=to_cursor(page.next_position)))

    @routes.route("/v1/campaigns/{campaign_id}", methods=["GET"], content_types=[])
    @endpoint(routes, Role.MANAGER, responses={200: Campaign}, refusals=(CampaignNotAllowed, CampaignUnknown))
    def show_campaign(request: Request, campaign_id: str) -> Response:
        """Show a campaign."""
        request.caller.require_campaign(campaign_id)
        return json_response(container.campaigns.get_current(campaign_id))

    @routes.route("/v1/campaigns/{campaign_id}/retention", methods=["GET"], content_types=[])
    @endpoint(
        routes, Role.MANAGER, responses={200: RetentionView}, refusals=(CampaignNotAllowed, CampaignUnknown)
    )
    def show_retention(request: Request, campaign_id: str) -> Response:
        """Show how long the data of a campaign's workers is kept, and how much was deleted by that."""
        request.caller.require_campaign(campaign_id)
        container.campaigns.get(campaign_id)
        deletions, settings = container.reading.count_deletions(campaign_id), container.settings
        view = RetentionView(
            ended_days=settings.retention_period.days,
            paid_identity_days=settings.identity_retention.days,
            lapsed_days=settings.lapsed_retention.days,
            deleted_registrations=deletions.registrations,
            deleted_identities=deletions.identities,
        )
        return json_response(view)

    @routes.route("/v1/campaigns/{campaign_id}", methods=["PATCH"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        body_model=ChangeCampaign,
        responses={200: Campaign},
        refusals=(CampaignNotAllowed, CampaignUnknown, RulesBroken),
    )
    def change_campaign(request: Request, campaign_id: str) -> Response:
        """Change some fields of a campaign; the same change again changes nothing.

        Captures and counts see the change within a minute. Of two changes at once each keeps what it alone
        names.
        """
        request.caller.require_campaign(campaign_id)
        changes = request.parse_body(ChangeCampaign).changes
        changed = container.campaigns.change(campaign_id, changes, changed_by=request.caller.client_id)
        return json_response(changed)

    return routes
