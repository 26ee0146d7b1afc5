"""Routes for devices: captures, checks and the bundle of a campaign."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.callers import Role
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.registrations.errors import CaptureErased, CaptureUnknown
from chalicelib.registrations.schemas import CaptureView

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/captures/{capture_id}", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.KIOSK,
        Role.BOT,
        Role.MANAGER,
        responses={200: CaptureView},
        refusals=(CaptureUnknown, CaptureErased),
    )
    def show_capture(request: Request, capture_id: str) -> Response:
        """The verdict on a capture, and the registration as it is now.

        For the client that sent it, and managers of its campaign. A capture of others is answered like one
        that does not exist.
        """
        report = container.reading.look_up_capture(capture_id, caller=request.caller)
        return json_response(CaptureView.build(report, caller=request.caller), exclude_defaults=True)

    return routes
