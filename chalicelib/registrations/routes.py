"""Captures over HTTP. A cold start imports this module's routes alone."""

from contextlib import nullcontext
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import observability
from chalicelib.callers import Disclosure, Role
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.clients.errors import ClientCapReached, KioskCapReached, LinkUsed
from chalicelib.http.endpoints import (
    Request,
    endpoint,
    json_response,
)
from chalicelib.refusals import CampaignNotAllowed, RulesBroken
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.device_report import DeviceReport
from chalicelib.registrations.errors import (
    CaptureErased,
    CaptureReused,
    PhoneCapReached,
    WorkerCapturesReached,
)
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.rules import build_quote_request
from chalicelib.registrations.schemas_answers import AnswerView, NeutralAnswerView
from chalicelib.registrations.submission import SubmissionResult

if TYPE_CHECKING:
    from chalicelib.container import Container

_STATUS_CODES = {Outcome.CREATED: 201, Outcome.REACTIVATED: 201, Outcome.ALREADY_REGISTERED: 200}


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/registrations", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.KIOSK,
        Role.BOT,
        body_model=SubmitRegistration,
        responses={201: AnswerView, 200: AnswerView, 202: NeutralAnswerView},
        refusals=(
            CampaignNotAllowed,
            CampaignUnknown,
            CaptureErased,
            CaptureReused,
            ClientCapReached,
            KioskCapReached,
            LinkUsed,
            PhoneCapReached,
            RulesBroken,
            WorkerCapturesReached,
        ),
        headers=("Idempotent-Replayed",),
    )
    def submit_registration(request: Request) -> Response:
        """Register a worker from one capture."""
        command = request.parse_body(SubmitRegistration)
        container.kiosk_cap.require(request.caller)
        try:
            link_id = request.caller.link_id
            with nullcontext() if link_id is None else container.links.hold(link_id, command.capture_id):
                result = container.intake.submit(
                    command,
                    caller=request.caller,
                    correlation_id=request.correlation_id,
                    device_report=DeviceReport.from_headers(request.headers),
                )
            if link_id is not None:
                container.linked_captures.follow(link_id, command.capture_id, command.worker.nik)
        except (CaptureErased, WorkerCapturesReached) as refusal:
            if request.caller.disclosure is Disclosure.OFFICER:
                raise
            # Nor may the public learn that a worker's data was erased, or that a worker is known too well.
            capture_day = container.campaigns.get(command.campaign_id).local_day(command.captured_at)
            quote = container.quotes.quote(build_quote_request(command, capture_day))
            view = NeutralAnswerView(capture_id=str(command.capture_id), quote=quote)
            headers = {"Idempotent-Replayed": "true"} if isinstance(refusal, CaptureErased) else {}
            return json_response(view, 202, headers=headers)
        observability.count("Registrations", outcome=result.outcome_label)
        return _respond_to_submission(request, result)

    return routes


def _respond_to_submission(request: Request, result: SubmissionResult) -> Response:
    headers = {"Idempotent-Replayed": "true"} if result.is_replay else {}
    answer = result.answer
    if request.caller.disclosure is Disclosure.PUBLIC:
        # Neither the answer nor the status may reveal that a worker is known.
        view = NeutralAnswerView(capture_id=answer.capture_id, quote=answer.quote)
        return json_response(view, 202, headers=headers)
    return json_response(
        AnswerView.from_answer(answer),
        _STATUS_CODES[answer.outcome],
        headers=headers,
        exclude_defaults=True,
    )
