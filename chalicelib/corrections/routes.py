"""Corrections over HTTP."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import observability
from chalicelib.callers import Role
from chalicelib.clients.errors import ClientCapReached
from chalicelib.clock import to_timestamp
from chalicelib.corrections.errors import (
    CorrectionDecided,
    CorrectionNotAllowed,
    CorrectionPending,
    CorrectionReused,
    CorrectionsFull,
    CorrectionUnknown,
    NikRegistered,
)
from chalicelib.corrections.schemas import (
    CorrectedRegistrationView,
    CorrectionsView,
    CorrectionView,
    DecideCorrection,
    ListOpenCorrections,
    OpenCorrectionsView,
    SubmitCorrection,
)
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.http.pagination import CursorInvalid, from_cursor
from chalicelib.refusals import RulesBroken
from chalicelib.registrations.errors import (
    PhoneCapReached,
    RegistrationDestroyed,
    RegistrationSuperseded,
    RegistrationUnknown,
    TransitionNotAllowed,
)

if TYPE_CHECKING:
    from chalicelib.container import Container
    from chalicelib.corrections.service import CorrectionResult

UNCHANGED = "unchanged"
"""The state of a correction of what was recorded so already: nothing is stored of it."""


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)
    _add_writing_routes(routes, container)
    _add_reading_routes(routes, container)
    return routes


def _add_writing_routes(routes: Blueprint, container: "Container") -> None:
    @routes.route("/v1/registrations/{reference}/corrections", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.KIOSK,
        Role.MANAGER,
        Role.CORE,
        body_model=SubmitCorrection,
        responses={200: CorrectedRegistrationView, 202: CorrectedRegistrationView},
        refusals=(
            RegistrationUnknown,
            RegistrationDestroyed,
            RegistrationSuperseded,
            TransitionNotAllowed,
            CorrectionNotAllowed,
            CorrectionReused,
            CorrectionPending,
            CorrectionsFull,
            NikRegistered,
            PhoneCapReached,
            ClientCapReached,
            RulesBroken,
        ),
        headers=("Idempotent-Replayed",),
    )
    def correct_registration(request: Request, reference: str) -> Response:
        """Correct what was recorded of a worker. After payment a manager only requests it: 202."""
        command = request.parse_body(SubmitCorrection)
        result = container.corrections.correct(reference, command, caller=request.caller)
        correction = result.correction
        view = (
            CorrectionView(
                correction_id=str(command.correction_id),
                state=UNCHANGED,
                fields=(),
                reason=command.reason,
                client_id=request.caller.client_id,
                at=to_timestamp(container.clock()),
            )
            if correction is None
            else CorrectionView.build(correction, caller=request.caller)
        )
        return _respond(container, request, result, view)

    @routes.route(
        "/v1/registrations/{reference}/corrections/{correction_id}/decision",
        methods=["POST"],
        content_types=[],
    )
    @endpoint(
        routes,
        Role.CORE,
        body_model=DecideCorrection,
        responses={200: CorrectedRegistrationView},
        refusals=(
            RegistrationUnknown,
            RegistrationDestroyed,
            RegistrationSuperseded,
            TransitionNotAllowed,
            CorrectionUnknown,
            CorrectionDecided,
            NikRegistered,
            RulesBroken,
        ),
        headers=("Idempotent-Replayed",),
    )
    def decide_correction(request: Request, reference: str, correction_id: str) -> Response:
        """Apply or decline the correction that a manager requested after payment."""
        decision = request.parse_body(DecideCorrection).decision
        result = container.corrections.decide(
            reference, correction_id, confirms=decision == "confirmed", caller=request.caller
        )
        if result.correction is None:
            raise CorrectionUnknown("no such correction")
        view = CorrectionView.build(result.correction, caller=request.caller)
        return _respond(container, request, result, view)


def _add_reading_routes(routes: Blueprint, container: "Container") -> None:
    @routes.route("/v1/registrations/{reference}/corrections", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        Role.CORE,
        responses={200: CorrectionsView},
        refusals=(RegistrationUnknown, RegistrationDestroyed),
    )
    def list_corrections(request: Request, reference: str) -> Response:
        """List the corrections of a registration, oldest first, without the values before."""
        registration = container.reading.look_up(reference, caller=request.caller)
        container.audit.record_read(registration.reference, caller=request.caller)
        views = [CorrectionView.build(each, caller=request.caller) for each in registration.corrections]
        return json_response(CorrectionsView(corrections=views), exclude_defaults=True)

    @routes.route("/v1/corrections", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.CORE,
        query_model=ListOpenCorrections,
        responses={200: OpenCorrectionsView},
        refusals=(CursorInvalid,),
    )
    def list_open_corrections(request: Request) -> Response:
        """List the corrections that wait for a decision, in the caller's campaigns, oldest first."""
        query = request.parse_query(ListOpenCorrections)
        start_after, _ = from_cursor(query.cursor)
        page = container.corrections.list_open(
            caller=request.caller, start_after=start_after, page_size=query.size
        )
        container.audit.record_list(
            (
                (each.capture_metadata.campaign_id, each.capture_metadata.day, each.reference)
                for each in page.rows
            ),
            caller=request.caller,
        )
        return json_response(OpenCorrectionsView.build(page, caller=request.caller), exclude_defaults=True)


def _respond(
    container: "Container", request: Request, result: "CorrectionResult", view: CorrectionView
) -> Response:
    registration = result.registration
    container.audit.record_read(registration.reference, caller=request.caller)
    if not result.is_replay:
        observability.count("Corrections", state=view.state)
    status = 202 if view.state == "requested" else 200
    headers = {"Idempotent-Replayed": "true"} if result.is_replay else {}
    answer = CorrectedRegistrationView.build_corrected(registration, view, caller=request.caller)
    return json_response(answer, status, headers=headers, exclude_defaults=True)
