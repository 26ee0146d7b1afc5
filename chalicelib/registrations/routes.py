"""Registrations over HTTP."""

import json
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

from chalice.app import Blueprint, Response

from chalicelib import observability, problems, wiring
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.campaigns.model import CampaignDay
from chalicelib.clients.errors import ClientCapReached, ClientUnknown
from chalicelib.clients.model import Role
from chalicelib.endpoints import Request, endpoint, json_response
from chalicelib.pagination import CursorInvalid, from_cursor, to_cursor
from chalicelib.refusals import BrokenRule, CampaignNotYours, RulesBroken, TryAgain
from chalicelib.registrations import batch
from chalicelib.registrations.errors import (
    CaptureForgotten,
    CaptureReused,
    PaymentReused,
    PhoneCapReached,
    RegistrationDestroyed,
    RegistrationUnknown,
    Superseded,
    TransitionNotAllowed,
)
from chalicelib.registrations.lifecycle import (
    Cancellation,
    Payment,
    PaymentCode,
    VerificationResult,
)
from chalicelib.registrations.messages import ListRegistrations, SubmitRegistration
from chalicelib.registrations.model import Outcome, Registration
from chalicelib.registrations.rules import quote_asked
from chalicelib.registrations.service import Submitted
from chalicelib.registrations.views import (
    AnswerView,
    GapsView,
    NeutralAnswerView,
    RegistrationsView,
    RegistrationView,
    VerdictsView,
    VerdictView,
)

routes = Blueprint(__name__)

_STATUS = {Outcome.CREATED: 201, Outcome.REACTIVATED: 201, Outcome.ALREADY_REGISTERED: 200}

# What a batch's item came to when it was not taken in, by the code of its problem; anything else is
# `invalid`.
_REFUSED_AS = {
    "capture_reused": "conflict",
    "try_again": "try_again",
    "internal_error": "try_again",
    "client_cap_reached": "capped",
    "phone_cap_reached": "capped",
}

# A batch stops taking items here and asks for the rest again, well before the gateway gives up at 29
# seconds.
_BATCH_TAKES = timedelta(seconds=18)


@routes.route("/v1/registrations", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.KIOSK,
    Role.BOT,
    takes=SubmitRegistration,
    gives={201: AnswerView, 200: AnswerView, 202: NeutralAnswerView},
    refuses=(
        CampaignNotYours,
        CampaignUnknown,
        CaptureForgotten,
        CaptureReused,
        ClientCapReached,
        PhoneCapReached,
        RulesBroken,
    ),
    headers=("Idempotent-Replayed",),
)
def submit_registration(request: Request) -> Response:
    """Register a worker from one capture."""
    command = request.parsed(SubmitRegistration)
    try:
        submitted = wiring.registrar().submit(
            command, by=request.caller, correlation_id=request.correlation_id
        )
    except CaptureForgotten:
        if not request.caller.speaks_with_strangers:
            raise
        # That somebody's data was destroyed is no stranger's business either.
        quote = wiring.quoting().quote(quote_asked(command))
        neutral = NeutralAnswerView(capture_id=str(command.capture_id), quote=quote)
        return json_response(neutral, 202, headers={"Idempotent-Replayed": "true"})
    observability.count("Registrations", outcome=_counted_outcome(submitted))
    replayed = {"Idempotent-Replayed": "true"} if submitted.replayed else {}
    answer = submitted.answer
    if request.caller.speaks_with_strangers:
        # Neither the answer nor this header may tell that a worker is known.
        neutral = NeutralAnswerView(capture_id=answer.capture_id, quote=answer.quote)
        return json_response(neutral, 202, headers=replayed)
    return json_response(AnswerView.of(answer), _STATUS[answer.outcome], headers=replayed)


@routes.route("/v1/registrations/batch", methods=["POST"], content_types=[])
@endpoint(routes, Role.KIOSK, takes=batch.SubmitBatch, gives={200: VerdictsView})
def submit_batch(request: Request) -> Response:
    """Register workers from up to 200 captures; each is answered for itself, in order."""
    items = request.parsed_loosely(batch.SubmitBatch, at_most=batch.MAX_BODY_BYTES).items
    # Built before the threads start: each of them would build another one.
    registrar = wiring.registrar()
    give_up_at = wiring.now() + _BATCH_TAKES

    def take(item: Any) -> tuple[VerdictView, str]:
        try:
            if wiring.now() > give_up_at:
                raise TryAgain("the batch took too long")
            command = SubmitRegistration.model_validate_json(json.dumps(item), strict=True)
            submitted = registrar.submit(command, by=request.caller, correlation_id=request.correlation_id)
        except Exception as error:  # noqa: BLE001 - one item's failure, whatever it is, is that item's answer
            verdict = _refused(item, error, request)
            return verdict, verdict.outcome
        verdict = VerdictView.model_validate(AnswerView.of(submitted.answer).model_dump())
        return verdict, _counted_outcome(submitted)

    verdicts, outcomes = zip(*batch.take_each(items, take), strict=True)
    for outcome, number in sorted(Counter(outcomes).items()):
        observability.count("Registrations", number, outcome=outcome)
    return json_response(VerdictsView(results=list(verdicts)), leave_out_defaults=True)


@routes.route("/v1/registrations", methods=["GET"], content_types=[])
@endpoint(
    routes,
    Role.MANAGER,
    Role.CORE,
    asks=ListRegistrations,
    gives={200: RegistrationsView},
    refuses=(CampaignNotYours, CursorInvalid, RulesBroken),
)
def list_registrations(request: Request) -> Response:
    """A page of a campaign day's registrations, or of those in one status."""
    asked = request.queried(ListRegistrations)
    after, settled = from_cursor(asked.cursor)
    casework = wiring.casework()
    resume = None
    if asked.campaign_id is not None and asked.day is not None:
        request.caller.require_campaign(asked.campaign_id)
        of = CampaignDay(asked.campaign_id, asked.day)
        page = casework.registered_on(of, after=after, size=asked.size)
    elif asked.campaign_id is None and asked.day is None and asked.status is not None:
        request.caller.require_every_campaign()
        # A pull of many pages resumes where it was settled when its first page was read.
        settled = settled or casework.settled()
        page = casework.in_status(asked.status, after=after, size=asked.size)
        resume = casework.resume_from(page, after=after, settled=settled)
    else:
        raise RulesBroken(BrokenRule("day", "campaign_day_or_status"))
    rows = [row for row in page.rows if asked.status is None or row.life.status is asked.status]
    view = RegistrationsView(
        registrations=[_view(request, row) for row in rows],
        cursor=to_cursor(page.next, settled),
        resume=to_cursor(resume),
    )
    return json_response(view, leave_out_defaults=True)


@routes.route("/v1/registrations/{reference}", methods=["GET"], content_types=[])
@endpoint(
    routes,
    Role.KIOSK,
    Role.MANAGER,
    Role.CORE,
    gives={200: RegistrationView},
    refuses=(
        RegistrationUnknown,
        RegistrationDestroyed,
    ),
)
def show_registration(request: Request, reference: str) -> Response:
    """One registration."""
    return _shown(request, wiring.casework().look_up(reference, by=request.caller))


@routes.route("/v1/registrations/{reference}/payment-code", methods=["PUT"], content_types=[])
@endpoint(
    routes,
    Role.CORE,
    takes=PaymentCode,
    gives={200: RegistrationView},
    refuses=(RegistrationUnknown, RegistrationDestroyed, TransitionNotAllowed),
)
def issue_payment_code(request: Request, reference: str) -> Response:
    """What the worker is asked to pay; the same code again changes nothing."""
    code = request.parsed(PaymentCode)
    return _shown(request, wiring.casework().issue_payment_code(reference, code, by=request.caller))


@routes.route("/v1/registrations/{reference}/payments", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.CORE,
    takes=Payment,
    gives={200: RegistrationView},
    refuses=(RegistrationUnknown, RegistrationDestroyed, PaymentReused, TransitionNotAllowed, Superseded),
)
def take_payment(request: Request, reference: str) -> Response:
    """A contribution was paid; counted once by its payment_id."""
    payment = request.parsed(Payment)
    return _shown(request, wiring.casework().take_payment(reference, payment, by=request.caller))


@routes.route("/v1/registrations/{reference}/verification", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.CORE,
    takes=VerificationResult,
    gives={200: RegistrationView},
    refuses=(RegistrationUnknown, RegistrationDestroyed, TransitionNotAllowed),
)
def verify_registration(request: Request, reference: str) -> Response:
    """What the civil registry said."""
    result = request.parsed(VerificationResult)
    return _shown(request, wiring.casework().verify(reference, result, by=request.caller))


@routes.route("/v1/registrations/{reference}/cancellation", methods=["POST"], content_types=[])
@endpoint(
    routes,
    Role.KIOSK,
    Role.MANAGER,
    takes=Cancellation,
    gives={200: RegistrationView},
    refuses=(RegistrationUnknown, RegistrationDestroyed, TransitionNotAllowed),
)
def cancel_registration(request: Request, reference: str) -> Response:
    """Withdraw an application that was not paid yet."""
    cancellation = request.parsed(Cancellation)
    return _shown(request, wiring.casework().cancel(reference, cancellation, by=request.caller))


@routes.route("/v1/clients/{client_id}/gaps", methods=["GET"], content_types=[])
@endpoint(routes, Role.KIOSK, Role.MANAGER, Role.ADMIN, gives={200: GapsView}, refuses=(ClientUnknown,))
def show_gaps(request: Request, client_id: str) -> Response:
    """Which numbered captures a device still owes.

    A kiosk may ask for itself, a manager for the devices of the campaigns that the manager works for.
    """
    if request.caller.has(Role.ADMIN):
        wiring.registry().get(client_id)
    elif request.caller.has(Role.MANAGER):
        wiring.registry().require_within_reach(client_id, of=request.caller)
    else:
        request.caller.require_self(client_id)
    return json_response(GapsView.of(client_id, wiring.casework().gaps(client_id)))


def _shown(request: Request, registration: Registration) -> Response:
    return json_response(_view(request, registration), leave_out_defaults=True)


def _view(request: Request, registration: Registration) -> RegistrationView:
    if request.caller.has(Role.CORE):
        return RegistrationView.whole(registration)
    return RegistrationView.masked(registration)


def _refused(item: Any, error: Exception, request: Request) -> VerdictView:
    response = problems.answer(error, request.language)
    if response is None:
        observability.log_unforeseen(error, "item of a batch failed", {"route": request.route})
        response = problems.respond("internal_error", request.language)
    problem: dict[str, Any] = response.body
    return VerdictView(
        capture_id=_capture_id_of(item),
        outcome=_REFUSED_AS.get(problem["code"], "invalid"),
        problem=problem,
    )


def _capture_id_of(item: Any) -> str | None:
    # Only what is a capture id is said back; anything else could be someone's data in the wrong place.
    given = item.get("capture_id") if isinstance(item, dict) else None
    try:
        return str(UUID(given)) if isinstance(given, str) else None
    except ValueError:
        return None


def _counted_outcome(submitted: Submitted) -> str:
    return "replayed" if submitted.replayed else submitted.answer.outcome
