"""The enrolment of devices over HTTP."""

from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib.audit.model import Action, Subject
from chalicelib.callers import Role
from chalicelib.campaigns.errors import CampaignUnknown
from chalicelib.clients.errors import (
    ClientExists,
    ClientRevoked,
    ClientUnknown,
    RenewalsEnded,
    RenewalTooEarly,
)
from chalicelib.clients.service import Token
from chalicelib.enrolments.errors import ClientWithoutDevice, EnrolmentCodeUnknown
from chalicelib.enrolments.links import is_link_code
from chalicelib.enrolments.schemas import (
    CodeView,
    DeviceView,
    EnrolledDeviceView,
    ExchangeCode,
    ExitCodeView,
    MakeCode,
    MakeDevice,
    RenewedTokenView,
    ScreenView,
    build_campaign_view,
    encode_bytes,
)
from chalicelib.http.endpoints import AnonymousRequest, Request, endpoint, json_response, public_endpoint
from chalicelib.odk_settings import build_settings_code, find_server_url
from chalicelib.refusals import CampaignNotAllowed, RulesBroken

if TYPE_CHECKING:
    from chalicelib.container import Container
    from chalicelib.enrolments.devices import Device
    from chalicelib.enrolments.model import ExitCode
    from chalicelib.enrolments.service import MadeCode


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)
    _add_code_routes(routes, container)
    _add_device_routes(routes, container)
    return routes


def _add_code_routes(routes: Blueprint, container: "Container") -> None:
    @routes.route("/v1/clients/{client_id}/enrolment-codes", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.ADMIN,
        Role.MANAGER,
        body_model=MakeCode,
        responses={201: CodeView},
        refusals=(ClientRevoked, ClientUnknown, ClientWithoutDevice, RulesBroken),
    )
    def make_enrolment_code(request: Request, client_id: str) -> Response:
        """Make a code that a device exchanges for its token, once and within 15 minutes.

        For a client on the web it is a link: each worker's own phone gets a token for one registration by it.
        A manager may make codes for kiosks and web clients whose campaigns are all the manager's.
        """
        command = request.parse_body(MakeCode) if request.body else MakeCode()
        made = container.enrolments.make_code(client_id, command, caller=request.caller)
        app_url = request.address.fill_in(container.settings.app_url)
        container.audit.record_request(Subject.client(client_id), Action.CODE_MADE, caller=request.caller)
        return json_response(_build_code_view(made, client_id, app_url), 201)

    @routes.route("/v1/campaigns/{campaign_id}/devices", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.MANAGER,
        body_model=MakeDevice,
        responses={201: CodeView},
        refusals=(CampaignNotAllowed, CampaignUnknown, ClientExists),
    )
    def make_device(request: Request, campaign_id: str) -> Response:
        """Enrol a device for the officers of a campaign, with the code by which it gets its token.

        The code is good once, and for 15 minutes; `POST /v1/clients/{client_id}/enrolment-codes` makes the
        next one, also where this answer was lost.
        """
        request.caller.require_campaign(campaign_id)
        container.campaigns.get_current(campaign_id)
        client, made = container.enrolments.make_device(
            campaign_id, request.parse_body(MakeDevice), caller=request.caller
        )
        subject = Subject.client(client.client_id)
        container.audit.record_request(subject, Action.CODE_MADE, caller=request.caller)
        app_url = request.address.fill_in(container.settings.app_url)
        return json_response(_build_code_view(made, client.client_id, app_url), 201)

    @routes.route("/v1/campaigns/{campaign_id}/screens", methods=["POST"], content_types=[])
    @endpoint(
        routes, Role.MANAGER, responses={201: ScreenView}, refusals=(CampaignNotAllowed, CampaignUnknown)
    )
    def make_screen(request: Request, campaign_id: str) -> Response:
        """Make a client for a screen on a wall, with the code by which the board is paired.

        The screen is a viewer: it reads the campaign's figures, and nothing else. The code is good once, and
        for 15 minutes; `POST /v1/clients/{client_id}/enrolment-codes` makes the next one.
        """
        request.caller.require_campaign(campaign_id)
        container.campaigns.get_current(campaign_id)
        client, made = container.enrolments.make_screen(campaign_id, caller=request.caller)
        subject = Subject.client(client.client_id)
        container.audit.record_request(subject, Action.CODE_MADE, caller=request.caller)
        board_url = f"{request.address.fill_in(container.settings.app_url).rsplit('/', 1)[0]}/board"
        view = ScreenView(
            client_id=client.client_id,
            code=made.code,
            expires_at=made.expires_at,
            board_url=board_url,
            url=f"{board_url}#pair={made.code}",
        )
        return json_response(view, 201)

    @routes.route("/v1/enrolments", methods=["POST"], content_types=[])
    @public_endpoint(
        routes,
        body_model=ExchangeCode,
        responses={201: EnrolledDeviceView},
        refusals=(EnrolmentCodeUnknown,),
    )
    def enrol_device(request: AnonymousRequest) -> Response:
        """Give a code for the token of a device, once.

        A code that is wrong, used or expired gets one answer; five wrong guesses end it.
        """
        device, token, exit_code = container.enrolments.exchange(request.parse_body(ExchangeCode))
        view = EnrolledDeviceView(
            **_build_device_view(device, container).model_dump(),
            token=token,
            exit_code=_build_exit_code_view(exit_code),
        )
        return json_response(view, 201)


def _add_device_routes(routes: Blueprint, container: "Container") -> None:
    @routes.route("/v1/device", methods=["GET"], content_types=[])
    @endpoint(routes, Role.KIOSK, Role.BOT, responses={200: DeviceView})
    def show_device(request: Request) -> Response:
        """Show a device what it must know of itself."""
        device = container.enrolments.describe(_read_token(request))
        return json_response(_build_device_view(device, container))

    @routes.route("/v1/device/token", methods=["POST"], content_types=[])
    @endpoint(
        routes,
        Role.KIOSK,
        Role.BOT,
        responses={201: RenewedTokenView},
        refusals=(RenewalTooEarly, RenewalsEnded),
    )
    def renew_token(request: Request) -> Response:
        """Give a device its next token, in the last week of the one that it has.

        The older one stays good until its own end, so that the request can be repeated if its answer is lost.
        """
        client, token, older_tokens_end_at = container.clients.renew(_read_token(request))
        view = RenewedTokenView(
            client_id=client.client_id,
            token=token,
            expires_at=client.expires_at,
            older_tokens_end_at=older_tokens_end_at,
        )
        return json_response(view, 201)


def _build_code_view(made: "MadeCode", client_id: str, app_url: str) -> CodeView:
    fragment = "self" if is_link_code(made.code) else "enrol"
    return CodeView(
        client_id=client_id,
        code=made.code,
        expires_at=made.expires_at,
        app_url=app_url,
        url=f"{app_url}#{fragment}={made.code}",
        odk_qr=made.odk_token
        and build_settings_code(find_server_url(app_url, made.odk_token), f"Daftar {client_id}"),
        exit_code=made.exit_code,
    )


def _read_token(request: Request) -> Token:
    """Return the caller's own token, which the authorizer has checked."""
    return Token(request.headers["authorization"].partition(" ")[2].strip())


def _build_device_view(device: "Device", container: "Container") -> DeviceView:
    client = device.client
    return DeviceView(
        client_id=client.client_id,
        roles=sorted(client.roles),
        channel=client.channel,
        mode=client.device_mode,
        expires_at=client.expires_at,
        campaigns=[build_campaign_view(each) for each in device.campaigns],
        next_device_sequence=device.next_sequence,
        server_time=container.clock(),
    )


def _build_exit_code_view(exit_code: "ExitCode | None") -> ExitCodeView | None:
    if exit_code is None:
        return None
    return ExitCodeView(
        salt=encode_bytes(exit_code.salt),
        iterations=exit_code.iterations,
        hash=encode_bytes(exit_code.hash),
    )
