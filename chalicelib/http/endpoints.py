"""What every HTTP route shares: who may call it, what it takes and gives, how its body is read, how refusals
answer, and its one log line.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, Self, TypeVar

from chalice.app import Blueprint, Response
from chalice.app import Request as ChaliceRequest
from pydantic import BaseModel

from chalicelib import observability
from chalicelib.callers import Caller, Role
from chalicelib.clients.authorizer import parse_caller
from chalicelib.http import problems
from chalicelib.http.negotiation import select_language
from chalicelib.refusals import Refusal

MAX_BODY_BYTES = 64 * 1024
_JSON = "application/json"

Command = TypeVar("Command", bound=BaseModel)
RouteHandler = Callable[..., Response]


class BodyTooLarge(Refusal):
    """The body is larger than any single record can be."""

    code = "body_too_large"


class JSONMalformed(Refusal):
    """The body is not JSON."""

    code = "json_malformed"


class MediaTypeUnsupported(Refusal):
    """The body is declared as something other than JSON."""

    code = "media_type_unsupported"


# What a good answer holds: a model as JSON, a text of some media type, or nothing. A model that no cold start
# should build is given as the function that imports it.
Responses = Mapping[int, type[BaseModel] | Callable[[], type[BaseModel]] | str | None]


@dataclass(frozen=True)
class Contract:
    """What an endpoint takes and gives. The API's description is made from this, never in a Lambda.

    `roles` is None where anybody may call. `refusals` leaves out what every endpoint of its kind may answer;
    `other_media_types` names the media types that a good answer comes in beside JSON.
    """

    roles: frozenset[Role] | None
    responses: Responses
    body_model: type[BaseModel] | None = None
    query_model: type[BaseModel] | None = None
    refusals: tuple[type[Refusal], ...] = ()
    headers: tuple[str, ...] = ()
    other_media_types: tuple[str, ...] = ()


@dataclass(frozen=True)
class AnonymousRequest:
    """One HTTP request, as routes see it, whoever sent it."""

    method: str
    route: str
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
    correlation_id: str
    language: problems.Language

    @classmethod
    def from_chalice(cls, chalice_request: ChaliceRequest) -> Self:
        """Read what API Gateway says of a request."""
        return cls(**cls._read_fields(chalice_request))

    @staticmethod
    def _read_fields(chalice_request: ChaliceRequest) -> dict[str, Any]:
        context = chalice_request.context
        return {
            "method": chalice_request.method,
            "route": context["resourcePath"],
            "body": _to_bytes(chalice_request.raw_body),
            "headers": chalice_request.headers,
            "query": chalice_request.query_params or {},
            "correlation_id": context.get("requestId")
            or str(getattr(chalice_request.lambda_context, "aws_request_id", "")),
            "language": select_language(
                chalice_request.headers.get("accept-language", ""), problems.LANGUAGES
            ),
        }


@dataclass(frozen=True)
class Request(AnonymousRequest):
    """One HTTP request of a caller whom the authorizer vouches for."""

    caller: Caller

    @classmethod
    def from_chalice(cls, chalice_request: ChaliceRequest) -> Self:
        """Read what API Gateway and its authorizer say of a request."""
        return cls(
            **cls._read_fields(chalice_request), caller=parse_caller(chalice_request.context["authorizer"])
        )

    def parse_body(self, model: type[Command], *, max_bytes: int = MAX_BODY_BYTES) -> Command:
        """The body as a model.

        Raises BodyTooLarge, MediaTypeUnsupported or pydantic's ValidationError.
        """
        self._check_size_and_media_type(max_bytes)
        return model.model_validate_json(self.body, strict=True)

    def parse_body_leniently(self, model: type[Command], *, max_bytes: int) -> Command:
        """The body as a model of parts that are each read on their own later.

        Text that is no text, such as half a character, passes here: it is its own part's fault. Raises as
        `parsed` does, and JSONMalformed.
        """
        self._check_size_and_media_type(max_bytes)
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            raise JSONMalformed("not JSON") from None
        return model.model_validate(document)

    def parse_query(self, model: type[Command]) -> Command:
        """The query string as a model. Raises pydantic's ValidationError."""
        return model.model_validate_strings(dict(self.query), strict=True)

    def _check_size_and_media_type(self, max_bytes: int) -> None:
        if len(self.body) > max_bytes:
            raise BodyTooLarge(f"{len(self.body)} bytes")
        declared = self.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
        if declared != _JSON:
            raise MediaTypeUnsupported("not declared as JSON")


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

    The view takes a `Request` and the path's parameters. Whatever it raises becomes a problem document. What
    it `takes` (a body), `query_model` (a query), `responses` (in which forms `other_media_types`), `refusals` and which `headers` it
    adds is what the API's description says of it.
    """
    allowed = frozenset(roles)
    contract = Contract(allowed, responses, body_model, query_model, refusals, headers, other_media_types)

    def decorate(view: RouteHandler) -> RouteHandler:
        def ask(**path: str) -> Response:
            request = Request.from_chalice(routes.current_request)

            def answer() -> Response:
                request.caller.require_any_role(allowed)
                return view(request, **path)

            return _run_handler(request, answer)

        return _attach_contract(view, ask, contract)

    return decorate


def public_endpoint(
    routes: Blueprint,
    *,
    responses: Responses,
    refusals: tuple[type[Refusal], ...] = (),
    headers: tuple[str, ...] = (),
) -> Callable[[RouteHandler], RouteHandler]:
    """Make a view into an endpoint that anybody may call, without a token.

    The view takes an `AnonymousRequest` and the path's parameters, and itself judges whatever proof of who
    is calling it needs.
    """
    contract = Contract(None, responses, refusals=refusals, headers=headers)

    def decorate(view: RouteHandler) -> RouteHandler:
        def ask(**path: str) -> Response:
            request = AnonymousRequest.from_chalice(routes.current_request)
            return _run_handler(request, lambda: view(request, **path))

        return _attach_contract(view, ask, contract)

    return decorate


def is_public(handler: RouteHandler) -> bool:
    """Whether anybody may call the view of a route. Raises AttributeError if no decorator here made it."""
    return get_contract(handler).roles is None


def get_contract(handler: RouteHandler) -> Contract:
    """What the view of a route takes and gives. Raises AttributeError if no decorator here made it."""
    found: Contract = handler.contract  # type: ignore[attr-defined]
    return found


def json_response(
    model: BaseModel,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    exclude_defaults: bool = False,
) -> Response:
    """A model as JSON, the same bytes for the same values."""
    body = model.model_dump_json(exclude_defaults=exclude_defaults)
    return Response(body, {"Content-Type": _JSON, **(headers or {})}, status)


def build_page_headers(script_hash: str | None = None) -> dict[str, str]:
    """What a page may do: show its own style, and run its one script if its hash is given; nothing else."""
    scripts = f"script-src '{script_hash}'; connect-src 'self'; " if script_hash else ""
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'unsafe-inline'; {scripts}"
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


class BytesResponse(Response):
    """An answer of bytes.

    Chalice sends bytes only where `Accept` names their type, and `?format=` must do without. API Gateway is
    told to hand everything on as it is (`BinaryMediaTypes` in infra/api.yaml).
    """

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:
        """What Lambda answers API Gateway."""
        encoded = Response(b64encode(self.body).decode(), self.headers, self.status_code)
        return {**encoded.to_dict(), "isBase64Encoded": True}


def _to_bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _attach_contract(handler: RouteHandler, wrapper: RouteHandler, contract: Contract) -> RouteHandler:
    serve = wraps(handler)(wrapper)
    serve.contract = contract  # type: ignore[attr-defined]
    return serve


def _run_handler(request: AnonymousRequest, call_handler: Callable[[], Response]) -> Response:
    observability.set_correlation_id(request.correlation_id)
    try:
        response = call_handler()
    except Exception as error:  # noqa: BLE001 - the edge: whatever is raised must be answered and logged
        response = problems.respond_to_error(error, request.language) or _respond_to_exception(error, request)
    return _log_response(request, response)


def _respond_to_exception(error: Exception, request: AnonymousRequest) -> Response:
    observability.log_exception(error, "request failed", {"route": request.route, "method": request.method})
    return problems.respond("internal_error", request.language)


def _log_response(request: AnonymousRequest, response: Response) -> Response:
    facts: dict[str, Any] = {
        "method": request.method,
        "route": request.route,
        "status": response.status_code,
    }
    if isinstance(request, Request):
        facts["client_id"] = request.caller.client_id
    if isinstance(response.body, dict) and "code" in response.body:
        facts["code"] = response.body["code"]
        facts["fields"] = [f"{each['field']}: {each['code']}" for each in response.body.get("errors", ())]
    observability.logger.info("request answered", extra=facts)
    response.headers.setdefault("X-Correlation-Id", request.correlation_id)
    return response
