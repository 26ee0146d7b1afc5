"""Reading registrations over HTTP, and the captures that a device has not sent yet."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.callers import Role
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.errors import ClientUnknown
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.http.pagination import CursorInvalid, from_cursor, to_cursor
from chalicelib.refusals import BrokenRule, CampaignNotAllowed, RulesBroken
from chalicelib.registrations.errors import RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.requests import ListGaps, ListRegistrations
from chalicelib.registrations.routes_lifecycle import respond_with_registration
from chalicelib.registrations.schemas import RegistrationsView, RegistrationView
from chalicelib.registrations.schemas_gaps import GapsView

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/registrations", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        Role.CORE,
        query_model=ListRegistrations,
        responses={200: RegistrationsView},
        refusals=(CampaignNotAllowed, CursorInvalid, RulesBroken),
    )
    def list_registrations(request: Request) -> Response:
        """List the registrations of a campaign day, or those in one status."""
        query = request.parse_query(ListRegistrations)
        start_after, settled = from_cursor(query.cursor)
        store = container.reading_store
        resume = None
        if query.campaign_id is not None and query.day is not None:
            request.caller.require_campaign(query.campaign_id)
            campaign_day = CampaignDay(query.campaign_id, query.day)
            page = store.list_by_campaign_day(campaign_day, start_after=start_after, page_size=query.size)
        elif query.campaign_id is None and query.day is None and query.status is not None:
            request.caller.require_every_campaign()
            # A listing of many pages resumes at the position that was settled when its first page was read.
            settled = settled or container.reading.get_settled_position()
            page = store.list_by_status(query.status, start_after=start_after, page_size=query.size)
            resume = container.reading.compute_resume_position(page, start_after=start_after, settled=settled)
        else:
            raise RulesBroken(BrokenRule("day", "campaign_day_or_status"))
        rows = [row for row in page.rows if query.status is None or row.lifecycle.status is query.status]
        container.audit.record_list(
            ((row.capture_metadata.campaign_id, row.capture_metadata.day, row.reference) for row in rows),
            caller=request.caller,
        )
        view = RegistrationsView(
            registrations=[RegistrationView.build(row, caller=request.caller) for row in rows],
            cursor=to_cursor(page.next_position, settled),
            resume=to_cursor(resume),
            unreadable=list(page.unreadable),
        )
        return json_response(view, exclude_defaults=True)

    @routes.route("/v1/registrations/{reference}", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.KIOSK,
        Role.MANAGER,
        Role.CORE,
        responses={200: RegistrationView},
        refusals=(RegistrationUnknown, RegistrationDestroyed),
    )
    def show_registration(request: Request, reference: str) -> Response:
        """Show a registration.

        An officer's device also sees, masked, a registration of another campaign that the answer to one of
        its own captures named: the officer has just met the worker.
        """
        registration = container.reading.look_up(reference, caller=request.caller, includes_met=True)
        return respond_with_registration(container, request, registration, shows_confirmation=True)

    @routes.route("/v1/clients/{client_id}/gaps", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.KIOSK,
        Role.MANAGER,
        Role.ADMIN,
        query_model=ListGaps,
        responses={200: GapsView},
        refusals=(ClientUnknown, CursorInvalid),
    )
    def show_gaps(request: Request, client_id: str) -> Response:
        """List the numbered captures that a device has not sent yet.

        A kiosk may ask for itself, a manager for the devices of the campaigns that the manager works for.
        """
        if request.caller.has_role(Role.ADMIN):
            container.clients.get(client_id)
        elif request.caller.has_role(Role.MANAGER):
            container.clients.require_shared_campaign(client_id, caller=request.caller)
        else:
            request.caller.require_self(client_id)
        query = request.parse_query(ListGaps)
        start_after, _ = from_cursor(query.cursor)
        page = container.reading.list_gaps(client_id, start_after=start_after, page_size=query.size)
        discards = container.discards.list_latest(client_id) if query.cursor is None else []
        return json_response(GapsView.build(client_id, page, discards), exclude_defaults=True)

    return routes
