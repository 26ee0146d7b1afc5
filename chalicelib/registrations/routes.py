"""Registrations over HTTP."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

from chalice.app import Blueprint, Response

from chalicelib import observability, wiring
from chalicelib.callers import Disclosure, Role
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.errors import ClientCapReached, ClientUnknown
from chalicelib.http import problems
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.http.pagination import CursorInvalid, from_cursor, to_cursor
from chalicelib.refusals import BrokenRule, CampaignNotAllowed, RulesBroken, TryAgain
from chalicelib.registrations import batch
from chalicelib.registrations.captures import Outcome
from chalicelib.registrations.errors import (
    CaptureErased,
    CaptureReused,
    PaymentReused,
    PhoneCapReached,
    RegistrationDestroyed,
    RegistrationSuperseded,
    RegistrationUnknown,
    TransitionNotAllowed,
)
from chalicelib.registrations.intake import SubmissionResult
from chalicelib.registrations.messages import ListRegistrations, SubmitRegistration
from chalicelib.registrations.model import (
    Cancellation,
    Payment,
    PaymentCode,
    Registration,
    VerificationResult,
)
from chalicelib.registrations.rules import build_quote_request
from chalicelib.registrations.schemas import (
    AnswerView,
    GapsView,
    NeutralAnswerView,
    RegistrationsView,
    RegistrationView,
    VerdictsView,
    VerdictView,
)

routes = Blueprint(__name__)

_STATUS_CODES = {Outcome.CREATED: 201, Outcome.REACTIVATED: 201, Outcome.ALREADY_REGISTERED: 200}

# What a batch's item came to when it was not taken in, by the code of its problem; anything else is
# `invalid`.
_ITEM_OUTCOMES = {
    "capture_reused": "conflict",
    "try_again": "try_again",
    "internal_error": "try_again",
    "client_cap_reached": "capped",
    "phone_cap_reached": "capped",
}

# A batch stops taking items here and asks for the rest again, well before the gateway gives up at 29
# seconds.
_BATCH_TIME_LIMIT = timedelta(seconds=18)


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
        PhoneCapReached,
        RulesBroken,
    ),
    headers=("Idempotent-Replayed",),
)
def submit_registration(request: Request) -> Response:
    """Register a worker from one capture."""
    command = request.parse_body(SubmitRegistration)
    try:
        submitted = wiring.registrar().submit(
            command, caller=request.caller, correlation_id=request.correlation_id
        )
    except CaptureErased:
        if request.caller.disclosure is Disclosure.OFFICER:
            raise
        # That somebody's data was destroyed is no stranger's business either.
        quote = wiring.quoting().quote(build_quote_request(command))
        neutral = NeutralAnswerView(capture_id=str(command.capture_id), quote=quote)
        return json_response(neutral, 202, headers={"Idempotent-Replayed": "true"})
    observability.count("Registrations", outcome=_outcome_label(submitted))
    replayed = {"Idempotent-Replayed": "true"} if submitted.is_replay else {}
    answer = submitted.answer
    if request.caller.disclosure is Disclosure.PUBLIC:
        # Neither the answer nor this header may tell that a worker is known.
        neutral = NeutralAnswerView(capture_id=answer.capture_id, quote=answer.quote)
        return json_response(neutral, 202, headers=replayed)
    return json_response(AnswerView.from_answer(answer), _STATUS_CODES[answer.outcome], headers=replayed)


@routes.route("/v1/registrations/batch", methods=["POST"], content_types=[])
@endpoint(routes, Role.KIOSK, body_model=batch.SubmitBatch, responses={200: VerdictsView})
def submit_batch(request: Request) -> Response:
    """Register workers from up to 200 captures; each is answered for itself, in order."""
    items = request.parse_body_leniently(batch.SubmitBatch, max_bytes=batch.MAX_BODY_BYTES).items
    # Built before the threads start: each of them would build another one.
    registrar = wiring.registrar()
    give_up_at = wiring.utc_now() + _BATCH_TIME_LIMIT

    def take(item: Any) -> tuple[VerdictView, str]:
        try:
            if wiring.utc_now() > give_up_at:
                raise TryAgain("the batch took too long")
            command = SubmitRegistration.model_validate_json(json.dumps(item), strict=True)
            submitted = registrar.submit(
                command, caller=request.caller, correlation_id=request.correlation_id
            )
        except Exception as error:  # noqa: BLE001 - one item's failure, whatever it is, is that item's answer
            verdict = _build_failed_item(item, error, request)
            return verdict, verdict.outcome
        verdict = VerdictView.model_validate(AnswerView.from_answer(submitted.answer).model_dump())
        return verdict, _outcome_label(submitted)

    verdicts, outcomes = zip(*batch.process_items(items, take), strict=True)
    for outcome, number in sorted(Counter(outcomes).items()):
        observability.count("Registrations", number, outcome=outcome)
    return json_response(VerdictsView(results=list(verdicts)), exclude_defaults=True)


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
    """A page of a campaign day's registrations, or of those in one status."""
    asked = request.parse_query(ListRegistrations)
    after, settled = from_cursor(asked.cursor)
    reading = wiring.reading()
    resume = None
    if asked.campaign_id is not None and asked.day is not None:
        request.caller.require_campaign(asked.campaign_id)
        of = CampaignDay(asked.campaign_id, asked.day)
        page = reading.list_by_campaign_day(of, start_after=after, page_size=asked.size)
    elif asked.campaign_id is None and asked.day is None and asked.status is not None:
        request.caller.require_every_campaign()
        # A pull of many pages resumes where it was settled when its first page was read.
        settled = settled or reading.get_settled_position()
        page = reading.list_by_status(asked.status, start_after=after, page_size=asked.size)
        resume = reading.compute_resume_position(page, start_after=after, settled=settled)
    else:
        raise RulesBroken(BrokenRule("day", "campaign_day_or_status"))
    rows = [row for row in page.rows if asked.status is None or row.lifecycle.status is asked.status]
    view = RegistrationsView(
        registrations=[_build_view(request, row) for row in rows],
        cursor=to_cursor(page.next_position, settled),
        resume=to_cursor(resume),
    )
    return json_response(view, exclude_defaults=True)


@routes.route("/v1/registrations/{reference}", methods=["GET"], content_types=[])
@endpoint(
    routes,
    Role.KIOSK,
    Role.MANAGER,
    Role.CORE,
    responses={200: RegistrationView},
    refusals=(
        RegistrationUnknown,
        RegistrationDestroyed,
    ),
)
def show_registration(request: Request, reference: str) -> Response:
    """One registration."""
    return _respond(request, wiring.reading().look_up(reference, caller=request.caller))


@routes.route("/v1/registrations/{reference}/payment-code", methods=["PUT"], content_types=[])
@endpoint(
    routes,
    Role.CORE,
    body_model=PaymentCode,
    responses={200: RegistrationView},
    refusals=(RegistrationUnknown, RegistrationDestroyed, TransitionNotAllowed),
)
def issue_payment_code(request: Request, reference: str) -> Response:
    """What the worker is asked to pay; the same code again changes nothing."""
    code = request.parse_body(PaymentCode)
    return _respond(request, wiring.casework().issue_payment_code(reference, code, caller=request.caller))


@routes.route("/v1/registrations/{reference}/payments", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.CORE,
    body_model=Payment,
    responses={200: RegistrationView},
    refusals=(
        RegistrationUnknown,
        RegistrationDestroyed,
        PaymentReused,
        TransitionNotAllowed,
        RegistrationSuperseded,
    ),
)
def take_payment(request: Request, reference: str) -> Response:
    """A contribution was paid; counted once by its payment_id."""
    payment = request.parse_body(Payment)
    return _respond(request, wiring.casework().record_payment(reference, payment, caller=request.caller))


@routes.route("/v1/registrations/{reference}/verification", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.CORE,
    body_model=VerificationResult,
    responses={200: RegistrationView},
    refusals=(RegistrationUnknown, RegistrationDestroyed, TransitionNotAllowed),
)
def verify_registration(request: Request, reference: str) -> Response:
    """What the civil registry said."""
    result = request.parse_body(VerificationResult)
    return _respond(request, wiring.casework().record_verification(reference, result, caller=request.caller))


@routes.route("/v1/registrations/{reference}/cancellation", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.KIOSK,
    Role.MANAGER,
    body_model=Cancellation,
    responses={200: RegistrationView},
    refusals=(RegistrationUnknown, RegistrationDestroyed, TransitionNotAllowed),
)
def cancel_registration(request: Request, reference: str) -> Response:
    """Withdraw an application that was not paid yet."""
    cancellation = request.parse_body(Cancellation)
    return _respond(request, wiring.casework().cancel(reference, cancellation, caller=request.caller))


@routes.route("/v1/clients/{client_id}/gaps", methods=["GET"], content_types=[])
@endpoint(routes, Role.KIOSK, Role.MANAGER, Role.ADMIN, responses={200: GapsView}, refusals=(ClientUnknown,))
def show_gaps(request: Request, client_id: str) -> Response:
    """Which numbered captures a device still owes.

    A kiosk may ask for itself, a manager for the devices of the campaigns that the manager works for.
    """
    if request.caller.has_role(Role.ADMIN):
        wiring.registry().get(client_id)
    elif request.caller.has_role(Role.MANAGER):
        wiring.registry().require_shared_campaign(client_id, caller=request.caller)
    else:
        request.caller.require_self(client_id)
    return json_response(GapsView.from_gaps(client_id, wiring.reading().find_gaps(client_id)))


def _respond(request: Request, registration: Registration) -> Response:
    return json_response(_build_view(request, registration), exclude_defaults=True)


def _build_view(request: Request, registration: Registration) -> RegistrationView:
    if request.caller.has_role(Role.CORE):
        return RegistrationView.build_full(registration)
    return RegistrationView.build_masked(registration)


def _build_failed_item(item: Any, error: Exception, request: Request) -> VerdictView:
    response = problems.respond_to_error(error, request.language)
    if response is None:
        observability.log_exception(error, "item of a batch failed", {"route": request.route})
        response = problems.respond("internal_error", request.language)
    problem: dict[str, Any] = response.body
    return VerdictView(
        capture_id=_read_capture_id(item),
        outcome=_ITEM_OUTCOMES.get(problem["code"], "invalid"),
        problem=problem,
    )


def _read_capture_id(item: Any) -> str | None:
    # Only what is a capture id is said back; anything else could be someone's data in the wrong place.
    given = item.get("capture_id") if isinstance(item, dict) else None
    try:
        return str(UUID(given)) if isinstance(given, str) else None
    except ValueError:
        return None


def _outcome_label(result: SubmissionResult) -> str:
    return "replayed" if result.is_replay else result.answer.outcome
