"""Registrations over HTTP."""

from chalice.app import Blueprint, Response

from chalicelib import observability, wiring
from chalicelib.clients.model import Role
from chalicelib.endpoints import Request, endpoint, json_response
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import Outcome
from chalicelib.registrations.service import Submitted
from chalicelib.registrations.views import AnswerView, NeutralAnswerView, RegistrationView

routes = Blueprint(__name__)

_STATUS = {Outcome.CREATED: 201, Outcome.ALREADY_REGISTERED: 200}


@routes.route("/v1/registrations", methods=["POST"], content_types=[])
@endpoint(routes, Role.KIOSK, Role.BOT)
def submit_registration(request: Request) -> Response:
    """Register a worker from one capture."""
    command = request.parsed(SubmitRegistration)
    submitted = wiring.registrar().submit(command, by=request.caller, correlation_id=request.correlation_id)
    observability.count("Registrations", outcome=_counted_outcome(submitted))
    return _answered(request, submitted)


@routes.route("/v1/registrations/{reference}", methods=["GET"])
@endpoint(routes, Role.KIOSK, Role.MANAGER)
def show_registration(request: Request, reference: str) -> Response:
    """One registration, masked."""
    return json_response(RegistrationView.of(wiring.registrar().look_up(reference, by=request.caller)))


def _answered(request: Request, submitted: Submitted) -> Response:
    replayed = {"Idempotent-Replayed": "true"} if submitted.replayed else {}
    if not request.caller.has(Role.KIOSK):
        # A bot speaks with strangers: neither the answer nor this header may tell that a worker is known.
        return json_response(NeutralAnswerView(capture_id=submitted.answer.capture_id), 202, **replayed)
    return json_response(AnswerView.of(submitted.answer), _STATUS[submitted.answer.outcome], **replayed)


def _counted_outcome(submitted: Submitted) -> str:
    return "replayed" if submitted.replayed else submitted.answer.outcome
