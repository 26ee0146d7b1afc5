"""Routes for devices: captures, checks and the bundle of a campaign; and the devices of one, for managers."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.callers import ROLES_AT_WORK, Role
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.devices.bundle_schemas import BundleView
from chalicelib.devices.schemas import CheckFields, ChecksView, FieldFindingView, ListDevices
from chalicelib.devices.schemas_states import DeviceStatesView
from chalicelib.http import problems
from chalicelib.http.endpoints import Request, endpoint, json_response, respond_unless_known
from chalicelib.http.pagination import CursorInvalid, from_cursor
from chalicelib.refusals import CampaignNotAllowed
from chalicelib.registrations.errors import CaptureErased, CaptureUnknown
from chalicelib.registrations.requests import ReportDiscards
from chalicelib.registrations.schemas import CaptureReportView

if TYPE_CHECKING:
    from chalicelib.container import Container


# Devices may keep it, and must ask whether it is still the newest. It holds no personal data.
_BUNDLE_CACHE_CONTROL = "private, no-cache"


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/captures/{capture_id}", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.KIOSK,
        Role.BOT,
        Role.MANAGER,
        responses={200: CaptureReportView},
        refusals=(CaptureUnknown, CaptureErased),
    )
    def show_capture(request: Request, capture_id: str) -> Response:
        """Show the verdict on a capture, and the registration as it is now.

        For the client that sent it, and managers of its campaign. A capture of others is answered like one
        that does not exist.
        """
        report = container.reading.look_up_capture(capture_id, caller=request.caller)
        view = CaptureReportView.build(report, caller=request.caller)
        if report.registration is not None:
            container.audit.record_read(report.registration.reference, caller=request.caller)
        if report.registration is not None and view.registration is not None:
            view.registration.confirmation = container.confirmations.find_for(
                request.caller,
                report.registration.reference,
                phone_corrected_at=report.registration.lifecycle.phone_corrected_at,
            )
        return json_response(view, exclude_defaults=True)

    @routes.route("/v1/campaigns/{campaign_id}/bundle", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.KIOSK,
        Role.BOT,
        Role.MANAGER,
        responses={200: BundleView, 304: None},
        refusals=(CampaignNotAllowed, CampaignUnknown),
        headers=("ETag",),
    )
    def show_bundle(request: Request, campaign_id: str) -> Response:
        """Show all that a device needs to register workers of a campaign while it is offline.

        The ETag leaves `server_time` out: `If-None-Match` gets 304 until anything else changes.
        """
        request.caller.require_campaign(campaign_id)
        bundle = container.bundles.build(campaign_id)
        return respond_unless_known(
            request,
            bundle.model_dump_json(exclude_defaults=True),
            {"Content-Type": "application/json"},
            etag=f'W/"{bundle.version}"',
            cache_control=_BUNDLE_CACHE_CONTROL,
        )

    @routes.route("/v1/campaigns/{campaign_id}/devices", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        query_model=ListDevices,
        responses={200: DeviceStatesView},
        refusals=(CampaignNotAllowed, CampaignUnknown, CursorInvalid),
    )
    def list_devices(request: Request, campaign_id: str) -> Response:
        """List the devices of a campaign: when each was seen, what it runs and owes, and if it is silent."""
        request.caller.require_campaign(campaign_id)
        campaign = container.campaigns.get(campaign_id)
        query = request.parse_query(ListDevices)
        start_after, _ = from_cursor(query.cursor)
        page = container.device_states.list_page(campaign, start_after=start_after, page_size=query.size)
        return json_response(DeviceStatesView.build(page, caller=request.caller))

    @routes.route("/v1/device/discards", methods=["POST"], content_types=[])
    @endpoint(routes, Role.KIOSK, body_model=ReportDiscards, responses={204: None})
    def report_discards(request: Request) -> Response:
        """Report captures that were discarded on a device, so that nobody waits for their numbers.

        To repeat it changes nothing.
        """
        command = request.parse_body(ReportDiscards)
        discarded = [(each.device_sequence, each.reason) for each in command.discards]
        container.discards.record(request.caller.client_id, discarded)
        return Response("", {}, 204)

    @routes.route("/v1/checks", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        *ROLES_AT_WORK,
        body_model=CheckFields,
        responses={200: ChecksView},
        refusals=(CampaignNotAllowed, CampaignUnknown),
    )
    def check_fields(request: Request) -> Response:
        """Check some fields before they are registered.

        The rules are those of a registration. Nothing is stored, and nothing is said about who is registered.
        With a `campaign_id`, which must be the caller's own, the campaign's days are checked too; without
        `captured_at` the fields are judged as of now.
        """
        fields = request.parse_body(CheckFields).model_extra or {}
        result = container.checks.check(fields, caller=request.caller)
        errors, warnings = (
            [
                FieldFindingView(**problems.describe_rule(rule, request.language))
                for rule in found[: problems.MAX_FIELD_ERRORS]
            ]
            for found in (result.errors, result.warnings)
        )
        view = ChecksView(errors=errors, warnings=warnings)
        return json_response(view)

    return routes
