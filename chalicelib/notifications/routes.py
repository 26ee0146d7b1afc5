"""Status callbacks of gateways, and requests for SMS, over HTTP."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import observability
from chalicelib.audit.model import Action, Subject
from chalicelib.callers import Role
from chalicelib.campaigns.errors import CampaignUnknown
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
from chalicelib.notifications.schemas import HeldSmsView, ReleaseView, RequestSms, SmsListView
from chalicelib.refusals import CampaignNotAllowed
from chalicelib.registrations.errors import RegistrationDestroyed, RegistrationUnknown
from chalicelib.registrations.schemas import RegistrationView

if TYPE_CHECKING:
    from chalicelib.container import Container


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)
    _add_receipt_routes(routes, container)
    _add_request_routes(routes, container)
    _add_held_sms_routes(routes, container)
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

    @routes.route("/v1/registrations/{reference}/sms", methods=["GET"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        Role.CORE,
        responses={200: SmsListView},
        refusals=(RegistrationUnknown, RegistrationDestroyed),
    )
    def list_sms(request: Request, reference: str) -> Response:
        """List the SMS of a registration with their states, and why one was not sent."""
        registration = container.reading.look_up(reference, caller=request.caller)
        container.audit.record_read(registration.reference, caller=request.caller)
        found = container.sms_history.iter_by_reference(registration.reference)
        return json_response(SmsListView.build(found))


def _add_held_sms_routes(routes: Blueprint, container: "Container") -> None:
    @routes.route("/v1/campaigns/{campaign_id}/held-sms", methods=["GET"], content_types=[])
    @endpoint(
        routes, Role.MANAGER, responses={200: HeldSmsView}, refusals=(CampaignNotAllowed, CampaignUnknown)
    )
    def count_held_sms(request: Request, campaign_id: str) -> Response:
        """Count the SMS of a campaign that wait for a person to decide, and show the budget of its today."""
        request.caller.require_campaign(campaign_id)
        found = container.held_sms.count(campaign_id)
        view = HeldSmsView(
            campaign_id=campaign_id,
            held=dict(found.counts),
            budget_day=found.day,
            budget=found.budget,
            committed=found.committed,
        )
        return json_response(view)

    @routes.route("/v1/campaigns/{campaign_id}/held-sms", methods=["POST"], content_types=[])
    @endpoint(
        routes, Role.MANAGER, responses={200: ReleaseView}, refusals=(CampaignNotAllowed, CampaignUnknown)
    )
    def release_sms(request: Request, campaign_id: str) -> Response:
        """Send the held SMS of a campaign, regardless of its budget and of how long they were held.

        Those that are held because no receipts came in may have been sent already: workers may get them
        twice.
        """
        request.caller.require_campaign(campaign_id)
        container.campaigns.get_current(campaign_id)
        # Recorded before: a release that is cut off in the middle was asked for all the same.
        subject = Subject.campaign(campaign_id)
        container.audit.record_request(subject, Action.SMS_RELEASED, caller=request.caller)
        release = container.held_sms.release(campaign_id)
        return json_response(ReleaseView(released=release.released, is_finished=release.is_finished))


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
