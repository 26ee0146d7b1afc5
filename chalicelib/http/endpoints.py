"""The base of all HTTP routes: access by role, parsing of requests, refusals as answers, and one log line."""

from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from functools import partial, wraps
from typing import Any, Self, TypeVar

from chalice.app import Blueprint, MultiDict, Response
from chalice.app import Request as ChaliceRequest
from pydantic import BaseModel

from chalicelib import observability
from chalicelib.callers import REFUSED_TOKEN_CONTEXT, Caller, Role
from chalicelib.http import problems
from chalicelib.http.addresses import ApiAddress
from chalicelib.http.content_encoding import decode_body, require_size
from chalicelib.http.contracts import Contract, Responses
from chalicelib.http.etags import is_etag_match
from chalicelib.http.headers import SECURITY_HEADERS
from chalicelib.http.negotiation import select_language
from chalicelib.languages import LANGUAGES, Language
from chalicelib.refusals import FieldsRepeated, Refusal, TokenRevoked, TryAgain
from chalicelib.strict_json import cut_out_items, require_within_limits
from chalicelib.values import Value

MAX_BODY_BYTES = 64 * 1024
_JSON = "application/json"
_NOT_MODIFIED = 304
_FIRST_ERROR = 400

# The facts of a log line that parameters of the path become: `client_id` is that of the caller.
_PATH_FACTS = {
    "reference": "reference",
    "client_id": "subject_client_id",
    "campaign_id": "campaign_id",
    "day": "day",
    "capture_id": "capture_id",
}

Command = TypeVar("Command", bound=BaseModel)
RouteHandler = Callable[..., Response]


class JSONMalformed(Refusal):
    """The body is not JSON, or is nested too deep, or has a number with too many digits."""

    code = "json_malformed"


class MediaTypeUnsupported(Refusal):
    """The body is declared as something other than JSON."""

    code = "media_type_unsupported"


class AnonymousRequest(Value):
    """An HTTP request of anybody."""

    method: str
    route: str
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
    repeated_parameters: tuple[str, ...]
    correlation_id: str
    language: Language
    address: ApiAddress

    @classmethod
    def from_chalice(cls, chalice_request: ChaliceRequest) -> Self:
        """Read API Gateway's event."""
        return cls(**cls._read_fields(chalice_request))

    def parse_body(self, model: type[Command], *, max_bytes: int = MAX_BODY_BYTES) -> Command:
        """Return the body as a model.

        Raise MediaTypeUnsupported, a refusal of `content_encoding`, or as `parse_document` does.
        """
        return _parse_json(self._read_json(max_bytes), model)

    def _read_json(self, max_bytes: int) -> bytes:
        """Return a body of JSON, unpacked if it was compressed."""
        declared = self.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
        if declared != _JSON:
            raise MediaTypeUnsupported("not declared as JSON")
        return decode_body(self.body, self.headers.get("content-encoding", ""), max_bytes=max_bytes)

    @staticmethod
    def _read_fields(chalice_request: ChaliceRequest) -> dict[str, Any]:
        context = chalice_request.context
        query = chalice_request.query_params or MultiDict({})
        return {
            "method": chalice_request.method,
            "route": context["resourcePath"],
            "body": _to_bytes(chalice_request.raw_body),
            "headers": chalice_request.headers,
            "address": ApiAddress.from_context(context),
            "query": query,
            "repeated_parameters": tuple(name for name in query if len(query.getlist(name)) > 1),
            "correlation_id": context.get("requestId")
            or str(getattr(chalice_request.lambda_context, "aws_request_id", "")),
            "language": select_language(chalice_request.headers.get("accept-language", ""), LANGUAGES),
        }


class Request(AnonymousRequest):
    """An HTTP request of a caller whom the authorizer has identified."""

    caller: Caller

    @classmethod
    def from_chalice(cls, chalice_request: ChaliceRequest) -> Self:
        """Read API Gateway's event and its authorizer's context."""
        caller = Caller.from_context(chalice_request.context["authorizer"])
        return cls(**cls._read_fields(chalice_request), caller=caller)

    def parse_batch(self, model: type[BaseModel], *, max_bytes: int) -> list[bytes]:
        """Return the items of the one list in a body, unread: `parse_document` parses each by itself.

        Raise as `parse_body` does for what is around the items. `model` has one field, which is their list.
        """
        envelope, items = cut_out_items(self._read_json(max_bytes))
        _parse_json(envelope, model)
        return items

    def parse_query(self, model: type[Command]) -> Command:
        """Return the query string as a model. Raise FieldsRepeated or pydantic's ValidationError."""
        if self.repeated_parameters:
            raise FieldsRepeated(*problems.name_repeated_fields(self.repeated_parameters))
        return model.model_validate_strings(dict(self.query), strict=True)


def parse_document(document: bytes, model: type[Command]) -> Command:
    """Return a body, or an item of a batch, as a model.

    Raise BodyTooLarge, JSONMalformed, FieldsRepeated or pydantic's ValidationError.
    """
    require_size(document, MAX_BODY_BYTES)
    return _parse_json(document, model)


def _parse_json(document: bytes, model: type[Command]) -> Command:
    try:
        require_within_limits(document)
        repeated = problems.find_repeated_fields(document.decode())
    except ValueError:
        raise JSONMalformed("not JSON, or beyond the limits") from None
    if repeated:
        raise FieldsRepeated(*repeated)
    return model.model_validate_json(document, strict=True)


def endpoint(
    routes: Blueprint,
    *roles: Role,
    responses: Responses,
    body_model: type[BaseModel] | None = None,
    query_model: type[BaseModel] | None = None,
    refusals: tuple[type[Refusal], ...] = (),
    headers: tuple[str, ...] = (),
    other_media_types: tuple[str, ...] = (),
) -> Callable[[RouteHandler], RouteHandler]:
    """Make a view into an endpoint that only these roles may call.

    The view takes a `Request` and the path's parameters. Whatever it raises becomes a problem document. The
    other arguments are its `Contract`.
    """
    allowed = frozenset(roles)
    contract = Contract(allowed, responses, body_model, query_model, refusals, headers, other_media_types)

    def decorate(view: RouteHandler) -> RouteHandler:
        def serve(**path: str) -> Response:
            if REFUSED_TOKEN_CONTEXT.items() <= routes.current_request.context["authorizer"].items():
                return _run_handler(
                    AnonymousRequest.from_chalice(routes.current_request), _refuse_token, path
                )
            request = Request.from_chalice(routes.current_request)

            def call_view() -> Response:
                request.caller.require_any_role(allowed)
                return view(request, **path)

            return _run_handler(request, call_view, path)

        return _attach_contract(view, serve, contract)

    return decorate


def public_endpoint(
    routes: Blueprint,
    *,
    responses: Responses,
    body_model: type[BaseModel] | None = None,
    refusals: tuple[type[Refusal], ...] = (),
    headers: tuple[str, ...] = (),
    other_media_types: tuple[str, ...] = (),
) -> Callable[[RouteHandler], RouteHandler]:
    """Make a view into an endpoint that anybody may call, without a token.

    The view takes an `AnonymousRequest` and the path's parameters, and authenticates the caller itself if it
    has to.
    """
    contract = Contract(
        None,
        responses,
        body_model,
        refusals=refusals,
        headers=headers,
        other_media_types=other_media_types,
    )

    def decorate(view: RouteHandler) -> RouteHandler:
        def serve(**path: str) -> Response:
            request = AnonymousRequest.from_chalice(routes.current_request)
            return _run_handler(request, lambda: view(request, **path), path)

        return _attach_contract(view, serve, contract)

    return decorate


def path_token_endpoint(
    routes: Blueprint,
    identify: Callable[[str], Caller],
    *,
    responses: Responses,
    refusals: tuple[type[Refusal], ...] = (),
    headers: tuple[str, ...] = (),
    body_media_type: str | None = None,
    problem_media_type: str | None = None,
) -> Callable[[RouteHandler], RouteHandler]:
    """Make a view into an endpoint for the client whose token is the path's parameter `token`.

    `identify` returns its holder or raises a refusal. The view takes a `Request` and the path's parameters.
    """
    contract = Contract(
        None,
        responses,
        refusals=refusals,
        headers=headers,
        body_media_type=body_media_type,
        problem_media_type=problem_media_type,
    )

    def decorate(view: RouteHandler) -> RouteHandler:
        def serve(token: str, **path: str) -> Response:
            anonymous = AnonymousRequest.from_chalice(routes.current_request)
            try:
                request = Request(**vars(anonymous), caller=identify(token))
                # Where middleware looks for the caller, as after an authorizer of API Gateway.
                routes.current_request.context["authorizer"] = request.caller.to_context()
            except Exception as error:  # noqa: BLE001 - answered and logged like an error of the view
                return _run_handler(anonymous, partial(_raise, error), path)
            return _run_handler(request, lambda: view(request, token=token, **path), path)

        return _attach_contract(view, serve, contract)

    return decorate


def get_contract(handler: RouteHandler) -> Contract:
    """Return the contract of a view. Raise AttributeError if no decorator of this module made it."""
    found: Contract = handler.contract  # type: ignore[attr-defined]
    return found


def json_response(
    model: BaseModel,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    exclude_defaults: bool = False,
) -> Response:
    """Return a model as JSON: the same bytes for the same values."""
    body = model.model_dump_json(exclude_defaults=exclude_defaults)
    return Response(body, {"Content-Type": _JSON, **(headers or {})}, status)


def respond_unless_known(
    request: AnonymousRequest, body: str | bytes, headers: Mapping[str, str], *, etag: str, cache_control: str
) -> Response:
    """Return `body`, or 304 if the request names this version of it in `If-None-Match`."""
    cache_headers: dict[str, str | list[str]] = {"ETag": etag, "Cache-Control": cache_control}
    if is_etag_match(request.headers.get("if-none-match", ""), etag):
        return Response("", cache_headers, _NOT_MODIFIED)
    kind = BytesResponse if isinstance(body, bytes) else Response
    return kind(body, {**headers, **cache_headers}, 200)


def count_failures(codes: Iterable[str]) -> None:
    """Count the requests, or items of a batch, that failed by no fault of the client's. Alarms watch both."""
    numbers = Counter(codes)
    if failed := numbers["internal_error"]:
        observability.count("InternalErrors", failed)
    if deferred := numbers[TryAgain.code]:
        observability.count("TryAgainAnswers", deferred)


class BytesResponse(Response):
    """A binary answer.

    Chalice sends bytes only if `Accept` names their type, which a request with `?format=` need not do. API
    Gateway treats every type as binary (`BinaryMediaTypes` in infra/api.yaml).
    """

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:
        """Return the answer in the form that API Gateway expects, encoded as base64."""
        encoded = Response(b64encode(self.body).decode(), self.headers, self.status_code)
        return {**encoded.to_dict(), "isBase64Encoded": True}


def _raise(error: Exception) -> Response:
    raise error


def _to_bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _attach_contract(handler: RouteHandler, wrapper: RouteHandler, contract: Contract) -> RouteHandler:
    serve = wraps(handler)(wrapper)
    serve.contract = contract  # type: ignore[attr-defined]
    return serve


def _run_handler(
    request: AnonymousRequest, call_handler: Callable[[], Response], path: Mapping[str, str]
) -> Response:
    observability.set_correlation_id(request.correlation_id)
    try:
        response = call_handler()
    except Exception as error:  # noqa: BLE001 - whatever is raised must be answered and logged
        response = problems.respond_to_error(error, request.language) or _respond_to_exception(error, request)
    return _log_response(request, response, path)


def _refuse_token() -> Response:
    raise TokenRevoked("revoked or expired")


def _respond_to_exception(error: Exception, request: AnonymousRequest) -> Response:
    observability.log_exception(error, "request failed", {"route": request.route, "method": request.method})
    return problems.respond_to_fault(error, request.language)


def _log_response(request: AnonymousRequest, response: Response, path: Mapping[str, str]) -> Response:
    facts: dict[str, Any] = {
        "method": request.method,
        "route": request.route,
        "status": response.status_code,
    }
    if isinstance(request, Request):
        facts["client_id"] = request.caller.client_id
    if response.status_code < _FIRST_ERROR:
        # The ids that the path names exist then. Before, they are what somebody typed, which may be a name.
        facts |= {
            _PATH_FACTS[name]: typed.upper() if name == "reference" else typed
            for name, typed in path.items()
            if name in _PATH_FACTS
        }
    if isinstance(response.body, dict) and "code" in response.body:
        facts["code"] = response.body["code"]
        facts["fields"] = [f"{each['field']}: {each['code']}" for each in response.body.get("errors", ())]
        count_failures([response.body["code"]])
    observability.logger.info("request answered", extra=facts)
    response.headers = {**SECURITY_HEADERS, "X-Correlation-Id": request.correlation_id, **response.headers}
    return response
