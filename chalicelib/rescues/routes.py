"""Rescue files over HTTP, for managers."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response
from pydantic import ValidationError

from chalicelib.audit.model import Action, Subject
from chalicelib.callers import Role
from chalicelib.clients.errors import ClientUnknown
from chalicelib.http.endpoints import (
    JSONMalformed,
    Request,
    endpoint,
    json_response,
    parse_document,
)
from chalicelib.refusals import FieldsRepeated
from chalicelib.registrations import batch
from chalicelib.registrations.device_report import DeviceReport
from chalicelib.registrations.routes_batch import submit_items
from chalicelib.rescues.errors import RescueUnreadable
from chalicelib.rescues.schemas import (
    MAX_FILE_BYTES,
    RescueContent,
    RescueFile,
    RescueView,
    TakeInRescue,
)
from chalicelib.strict_json import cut_out_items

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/rescues", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        body_model=RescueFile,
        query_model=TakeInRescue,
        responses={200: RescueView},
        refusals=(ClientUnknown, RescueUnreadable),
    )
    def take_in_rescue(request: Request) -> Response:
        """Take in what a device could not send, from the file that it has sealed.

        Each capture keeps its device, officer, number and time, and gets its own verdict, as in a batch. A
        file may be taken in again at any time. The device may be revoked.
        """
        start = request.parse_query(TakeInRescue).start
        file = request.parse_body(RescueFile, max_bytes=MAX_FILE_BYTES)
        content, items = _read_content(container.rescues.open(file))
        device = container.rescues.get_device(content.client_id, caller=request.caller)
        container.audit.record_request(
            Subject.client(content.client_id), Action.RESCUED, caller=request.caller
        )
        end = start + batch.MAX_ITEMS
        report = DeviceReport.from_values(content.clock_skew_seconds, content.app_version)
        verdicts = submit_items(
            container,
            request,
            items[start:end],
            caller=device,
            device_report=report.as_rescued_by(request.caller.client_id),
        )
        view = RescueView(
            client_id=content.client_id,
            captures=len(items),
            results=verdicts,
            next_start=end if end < len(items) else None,
        )
        return json_response(view, exclude_defaults=True)

    return routes


def _read_content(document: bytes) -> tuple[RescueContent, list[bytes]]:
    """Return the content of a file, and its captures, unread. Raise RescueUnreadable."""
    envelope, items = cut_out_items(document)
    try:
        content = parse_document(envelope, RescueContent)
    except (JSONMalformed, FieldsRepeated, ValidationError):
        raise RescueUnreadable("not the content of a rescue file") from None
    if len(content.captures) != len(items):
        raise RescueUnreadable("lists elsewhere")
    return content, items
