"""OpenRosa 1.0 for ODK Collect. The device's token is in the path, because Collect keeps nothing but a URL.

Nothing may write such a path down: logs, metrics and traces have the route, `/odk/{token}/...`.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from chalice.app import Blueprint, Response

from chalicelib import observability
from chalicelib.callers import Caller, Role
from chalicelib.channels.odk.errors import (
    CampaignClosed,
    DeviceTokenInvalid,
    EditOfAccepted,
    FormUnknown,
    SubmissionMalformed,
)
from chalicelib.clients.authorizer import record_last_seen
from chalicelib.clients.errors import ClientCapReached, TokenUnknown
from chalicelib.clients.service import Token
from chalicelib.corrections.errors import NikRegistered
from chalicelib.enrolments.errors import EnrolmentCodeUnknown
from chalicelib.http.content_encoding import BodyTooLarge, require_size
from chalicelib.http.contracts import Responses
from chalicelib.http.endpoints import (
    Request,
    RouteHandler,
    path_token_endpoint,
)
from chalicelib.odk_settings import find_server_url
from chalicelib.refusals import BrokenRule, Refusal, RulesBroken, TokenRevoked
from chalicelib.registrations.errors import (
    CaptureErased,
    CaptureReused,
    CaptureUnknown,
    PhoneCapReached,
    WorkerCapturesReached,
)

if TYPE_CHECKING:
    from chalicelib.clients.model import Client
    from chalicelib.container import Container
    from chalicelib.languages import Language

# What `randomness.generate_token` makes: no other text is looked for among the codes.
_TOKEN = re.compile(r"daftar_[A-Za-z0-9_-]{43}")
_XML = "text/xml"
_XML_HEADERS: dict[str, str | list[str]] = {"Content-Type": f"{_XML}; charset=utf-8"}
_VERSION_HEADERS = {"X-OpenRosa-Version": "1.0"}
_FORM_ROUTE = "/odk/{token}/forms/{form_id}/{version}"

# What Collect may put into one request. Lambda takes 6 MB, of which base64 leaves three quarters.
_ACCEPTED_BYTES = 4_000_000
# With what surrounds the files in a request.
_MAX_BODY_BYTES = 4_300_000


def blueprint(container: "Container") -> Blueprint:
    routes = Blueprint(__name__)
    _add_form_routes(routes, container)
    _add_submission_routes(routes, container)
    return routes


def _add_form_routes(routes: Blueprint, container: "Container") -> None:
    def find_url(request: Request, token: str) -> str:
        return find_server_url(request.address.fill_in(container.settings.app_url), token)

    @routes.route("/odk/{token}/formList", methods=["GET"], content_types=[])
    @_odk_endpoint(routes, container, responses={200: _XML}, activates=True)
    def list_odk_forms(request: Request, token: str) -> Response:
        """List the forms for ODK Collect: one for each campaign that the device works for."""
        from chalicelib.channels.odk import openrosa

        forms = container.odk.list_forms(caller=request.caller)
        return Response(openrosa.render_form_list(forms, base_url=find_url(request, token)), _XML_HEADERS)

    @routes.route("/odk/{token}/formList", methods=["HEAD"], content_types=[])
    @_odk_endpoint(routes, container, responses={200: None}, activates=True)
    def check_odk_forms(request: Request, token: str) -> Response:
        """Check that the device's token is good, as ODK Collect does before it sends credentials."""
        return Response("", _XML_HEADERS)

    @routes.route(f"{_FORM_ROUTE}/form", methods=["GET"], content_types=[])
    @_odk_endpoint(routes, container, responses={200: _XML}, refusals=(FormUnknown,))
    def show_odk_form(request: Request, token: str, form_id: str, version: str) -> Response:
        """Return the form of a campaign as an XForm. A version never changes."""
        form = container.odk.get_form(form_id, version, caller=request.caller)
        return Response(form.file.content.decode(), _XML_HEADERS)

    @routes.route(f"{_FORM_ROUTE}/manifest", methods=["GET"], content_types=[])
    @_odk_endpoint(routes, container, responses={200: _XML}, refusals=(FormUnknown,))
    def show_odk_manifest(request: Request, token: str, form_id: str, version: str) -> Response:
        """List the files that a form needs, each with its hash."""
        from chalicelib.channels.odk import openrosa

        media = container.odk.list_media(form_id, version, caller=request.caller)
        return Response(
            openrosa.render_manifest(media, form_url=f"{find_url(request, token)}/forms/{form_id}/{version}"),
            _XML_HEADERS,
        )

    @routes.route(f"{_FORM_ROUTE}/media/{{filename}}", methods=["GET"], content_types=[])
    @_odk_endpoint(routes, container, responses={200: "text/csv"}, refusals=(FormUnknown,))
    def show_odk_media(request: Request, token: str, form_id: str, version: str, filename: str) -> Response:
        """Return a file that a form needs: occupations, sponsors, incomes or estimated prices, as CSV."""
        file = container.odk.get_media_file(form_id, version, filename, caller=request.caller)
        headers: dict[str, str | list[str]] = {"Content-Type": "text/csv; charset=utf-8"}
        return Response(file.content.decode(), headers)


def _add_submission_routes(routes: Blueprint, container: "Container") -> None:
    @routes.route("/odk/{token}/submission", methods=["HEAD"], content_types=[])
    @_odk_endpoint(
        routes,
        container,
        responses={204: None},
        headers=("X-OpenRosa-Accept-Content-Length",),
        activates=True,
    )
    def check_odk_submission(request: Request, token: str) -> Response:
        """Say how large a submission may be; ODK Collect splits one with many attachments by it."""
        return Response("", {"X-OpenRosa-Accept-Content-Length": str(_ACCEPTED_BYTES)}, 204)

    @routes.route("/odk/{token}/submission", methods=["POST"], content_types=[])
    @_odk_endpoint(
        routes,
        container,
        responses={201: _XML},
        refusals=(
            BodyTooLarge,
            CampaignClosed,
            CaptureReused,
            CaptureUnknown,
            ClientCapReached,
            EditOfAccepted,
            FormUnknown,
            NikRegistered,
            PhoneCapReached,
            RulesBroken,
            SubmissionMalformed,
            WorkerCapturesReached,
        ),
        body_media_type="multipart/form-data",
    )
    def submit_odk_form(request: Request, token: str) -> Response:
        """Register a worker from a form of ODK Collect: multipart, with the part `xml_submission_file`.

        The `instanceID` is the capture's id: the same form again is answered 201 and changes nothing, so the
        further requests of a capture that Collect splits register nobody. A form with a `deprecatedID` is an
        edit: it mends a capture that was refused, and corrects what an accepted one registered.
        """
        from chalicelib.channels.odk import openrosa
        from chalicelib.channels.odk.model import read_submission

        if "x-openrosa-version" not in request.headers:
            raise SubmissionMalformed(BrokenRule("x_openrosa_version", "field_missing"))
        require_size(request.body, _MAX_BODY_BYTES)
        submission = read_submission(request.body, request.headers.get("content-type", ""))
        try:
            result = container.odk.submit(
                submission, caller=request.caller, correlation_id=request.correlation_id
            )
        except CaptureErased:
            # It was accepted once, so the phone may delete its copy.
            answer = None
        else:
            answer = result.answer
            observability.count("Registrations", outcome="replayed" if result.is_replay else answer.outcome)
        message = openrosa.describe_answer(answer, request.language)
        return Response(openrosa.render_response(message, is_accepted=True), _XML_HEADERS, 201)


def _odk_endpoint(
    routes: Blueprint,
    container: "Container",
    *,
    responses: Responses,
    refusals: tuple[type[Refusal], ...] = (),
    headers: tuple[str, ...] = (),
    body_media_type: str | None = None,
    activates: bool = False,
) -> Callable[[RouteHandler], RouteHandler]:
    """Make a view into an endpoint for the device whose token is in the path. Refusals become XML.

    One that `activates` also takes a token that a QR code has shown. Collect calls one of these before any
    other, and they are answered by the function that may make tokens (`infra/api_functions.py`).
    """
    endpoint = path_token_endpoint(
        routes,
        lambda token: _identify(container, Token(token), activates=activates),
        responses=responses,
        refusals=(DeviceTokenInvalid, *refusals),
        headers=(*_VERSION_HEADERS, *headers),
        body_media_type=body_media_type,
        problem_media_type=_XML,
    )

    def decorate(view: RouteHandler) -> RouteHandler:
        serve = endpoint(view)

        @wraps(serve)
        def respond(**path: str) -> Response:
            return _to_openrosa(serve(**path))

        return respond

    return decorate


def _identify(container: "Container", token: Token, *, activates: bool) -> Caller:
    """Return the caller with a token. Raise DeviceTokenInvalid unless it is an officer's device."""
    try:
        client = _find_client(container, token, activates=activates)
    except (TokenUnknown, TokenRevoked, EnrolmentCodeUnknown):
        raise DeviceTokenInvalid("no valid token") from None
    if Role.KIOSK not in client.roles:
        raise DeviceTokenInvalid("another role")
    record_last_seen(container.last_seen, client, token)
    return client.caller


def _find_client(container: "Container", token: Token, *, activates: bool) -> "Client":
    """Return the holder of a token, also of one that a QR code has shown a moment ago."""
    try:
        return container.clients.identify(token)
    except TokenUnknown:
        if not activates or _TOKEN.fullmatch(token) is None:
            raise
        return container.enrolments.activate_odk_token(token)


def _to_openrosa(response: Response) -> Response:
    """Return an answer as Collect reads it: of a problem document, the message."""
    if isinstance(response.body, dict):
        from chalicelib.channels.odk import openrosa

        language: Language = "en" if response.headers["Content-Language"] == "en" else "id"
        message = openrosa.describe_problem(response.body, language)
        response.body = openrosa.render_response(message, is_accepted=False)
        response.headers |= _XML_HEADERS
    response.headers |= _VERSION_HEADERS
    return response
