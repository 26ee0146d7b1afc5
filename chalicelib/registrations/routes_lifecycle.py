"""Registrations after intake over HTTP: payment codes, payments, verification, cancellation."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.callers import Role
from chalicelib.http.endpoints import Request, endpoint, json_response
from chalicelib.refusals import RulesBroken
from chalicelib.registrations.errors import (
    HistoryFull,
    PaymentReused,
    RegistrationDestroyed,
    RegistrationSuperseded,
    RegistrationUnknown,
    TransitionNotAllowed,
)
from chalicelib.registrations.model import Registration
from chalicelib.registrations.reported_events import Cancellation, Payment, PaymentCode, VerificationResult
from chalicelib.registrations.schemas import RegistrationView

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)

    @routes.route("/v1/registrations/{reference}/payment-code", methods=["PUT"], content_types=[])
    @endpoint(
        routes,
        Role.CORE,
        body_model=PaymentCode,
        responses={200: RegistrationView},
        refusals=(RegistrationUnknown, RegistrationDestroyed, TransitionNotAllowed, HistoryFull, RulesBroken),
    )
    def issue_payment_code(request: Request, reference: str) -> Response:
        """Store the payment code of a registration; the same code again changes nothing."""
        code = request.parse_body(PaymentCode)
        return respond_with_registration(
            container, request, container.lifecycle.issue_payment_code(reference, code, caller=request.caller)
        )

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
            HistoryFull,
            RegistrationSuperseded,
            RulesBroken,
        ),
    )
    def take_payment(request: Request, reference: str) -> Response:
        """Record a payment; a payment_id is counted once."""
        payment = request.parse_body(Payment)
        return respond_with_registration(
            container, request, container.lifecycle.record_payment(reference, payment, caller=request.caller)
        )

    @routes.route("/v1/registrations/{reference}/verification", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.CORE,
        body_model=VerificationResult,
        responses={200: RegistrationView},
        refusals=(RegistrationUnknown, RegistrationDestroyed, TransitionNotAllowed, HistoryFull),
    )
    def verify_registration(request: Request, reference: str) -> Response:
        """Store the civil registry's result."""
        result = request.parse_body(VerificationResult)
        return respond_with_registration(
            container,
            request,
            container.lifecycle.record_verification(reference, result, caller=request.caller),
        )

    @routes.route("/v1/registrations/{reference}/cancellation", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.KIOSK,
        Role.MANAGER,
        Role.CORE,
        body_model=Cancellation,
        responses={200: RegistrationView},
        refusals=(
            RegistrationUnknown,
            RegistrationDestroyed,
            RegistrationSuperseded,
            TransitionNotAllowed,
        ),
    )
    def cancel_registration(request: Request, reference: str) -> Response:
        """Cancel an application that was not paid yet, or end a registration because the worker died."""
        cancellation = request.parse_body(Cancellation)
        return respond_with_registration(
            container, request, container.lifecycle.cancel(reference, cancellation, caller=request.caller)
        )

    return routes


def respond_with_registration(
    container: "Container",
    request: Request,
    registration: Registration,
    *,
    shows_confirmation: bool = False,
) -> Response:
    """Answer with a registration as its caller may see it, and record that it was read."""
    container.audit.record_read(registration.reference, caller=request.caller)
    view = RegistrationView.build(registration, caller=request.caller)
    if shows_confirmation:
        view.confirmation = container.confirmations.find_for(
            request.caller,
            registration.reference,
            phone_corrected_at=registration.lifecycle.phone_corrected_at,
        )
    return json_response(view, exclude_defaults=True)
