"""Status callbacks of gateways, and requests for SMS, over HTTP."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import observability
from chalicelib.callers import Role
from chalicelib.http.content_encoding import BodyTooLarge, require_size
from chalicelib.http.endpoints import (
    MAX_BODY_BYTES,
    AnonymousRequest,
    Request,
    endpoint,
    json_response,
    public_endpoint,
)
from chalicelib.messaging import twilio_callbacks
from chalicelib.messaging.errors import SignatureInvalid
from chalicelib.notifications.errors import (
    SmsNotApplicable,
    SmsRequestCapReached,
    SmsRequestsExhausted,
    WorkerOptedOut,
    WorkerWithoutPhone,
)
from chalicelib.notifications.schemas import RequestSms
from chalicelib.registrations.errors import RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.schemas import RegistrationView

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)
    _add_receipt_routes(routes, container)
    _add_request_routes(routes, container)
    return routes


def _add_request_routes(routes: Blueprint, container: "Container") -> None:
    @routes.route("/v1/registrations/{reference}/sms", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.KIOSK,
        Role.MANAGER,
        body_model=RequestSms,
        responses={202: RegistrationView},
        refusals=(
            RegistrationUnknown,
            RegistrationDestroyed,
            WorkerWithoutPhone,
            WorkerOptedOut,
            SmsNotApplicable,
            SmsRequestCapReached,
            SmsRequestsExhausted,
        ),
        headers=("Idempotent-Replayed",),
    )
    def request_sms(request: Request, reference: str) -> Response:
        """Send the worker an SMS once more; the same request within ten minutes is a repeat."""
        from chalicelib.sms_purposes import Purpose  # noqa: PLC0415 - not for the cold start

        purpose = Purpose(request.parse_body(RequestSms).purpose)
        registration, is_repeat = container.sms_requests.request(reference, purpose, caller=request.caller)
        container.audit.record_read(registration.reference, caller=request.caller)
        headers = {"Idempotent-Replayed": "true"} if is_repeat else {}
        view = RegistrationView.build(registration, caller=request.caller)
        return json_response(view, 202, headers=headers, exclude_defaults=True)


def _add_receipt_routes(routes: Blueprint, container: "Container") -> None:
    @routes.route(twilio_callbacks.PATH, methods=["POST"], content_types=[])
    @public_endpoint(routes, responses={204: None}, refusals=(BodyTooLarge, SignatureInvalid))
    def take_twilio_receipt(request: AnonymousRequest) -> Response:
        """Store a delivery report of Twilio: a form, with its signature in `X-Twilio-Signature`.

        Whatever is signed is answered 204, also what says nothing: Twilio would not send it again in any
        case.
        """
        require_size(request.body, MAX_BODY_BYTES)
        sms_id = twilio_callbacks.parse_sms_id(request.query)
        form = twilio_callbacks.parse_form(request.body)
        public_url = container.settings.twilio_public_url
        if sms_id is None or form is None or not public_url:
            raise SignatureInvalid("not a callback URL")
        url = twilio_callbacks.build_callback_url(public_url, sms_id)
        signature = request.headers.get("x-twilio-signature", "")
        if not twilio_callbacks.is_signed(url, form, signature, container.twilio_account.token):
            raise SignatureInvalid("wrong signature")
        receipt = twilio_callbacks.parse_receipt(sms_id, form, container.clock())
        if receipt is not None:
            container.receipt_sink.record_receipt(receipt)
            observability.count("Receipts", state=receipt.state)
        return Response("", {}, 204)
