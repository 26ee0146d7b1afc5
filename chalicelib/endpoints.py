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

from chalicelib import observability, problems
from chalicelib.clients.authorizer import caller_from
from chalicelib.clients.model import Caller, Role
from chalicelib.negotiation import preferred
from chalicelib.refusals import Refusal

MAX_BODY_BYTES = 64 * 1024
_JSON = "application/json"

Command = TypeVar("Command", bound=BaseModel)
View = Callable[..., Response]


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
Gives = Mapping[int, type[BaseModel] | Callable[[], type[BaseModel]] | str | None]


@dataclass(frozen=True)
class Contract:
    """What an endpoint takes and gives. The API's description is made from this, never in a Lambda.

    `roles` is None where anybody may call. `refuses` leaves out what every endpoint of its kind may answer;
    `also` names the media types that a good answer comes in beside JSON.
    """

    roles: frozenset[Role] | None
    gives: Gives
    takes: type[BaseModel] | None = None
    asks: type[BaseModel] | None = None
    refuses: tuple[type[Refusal], ...] = ()
    headers: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


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
    def of(cls, request: ChaliceRequest) -> Self:
        """Read what API Gateway says of a request."""
        return cls(**cls._read(request))

    @staticmethod
    def _read(request: ChaliceRequest) -> dict[str, Any]:
        context = request.context
        return {
            "method": request.method,
            "route": context["resourcePath"],
            "body": _as_bytes(request.raw_body),
            "headers": request.headers,
            "query": request.query_params or {},
            "correlation_id": context.get("requestId")
            or str(getattr(request.lambda_context, "aws_request_id", "")),
            "language": preferred(request.headers.get("accept-language", ""), problems.LANGUAGES),
        }


@dataclass(frozen=True)
class Request(AnonymousRequest):
    """One HTTP request of a caller whom the authorizer vouches for."""

    caller: Caller

    @classmethod
    def of(cls, request: ChaliceRequest) -> Self:
        """Read what API Gateway and its authorizer say of a request."""
        return cls(**cls._read(request), caller=caller_from(request.context["authorizer"]))

    def parsed(self, model: type[Command], *, at_most: int = MAX_BODY_BYTES) -> Command:
        """The body as a model.

        Raises BodyTooLarge, MediaTypeUnsupported or pydantic's ValidationError.
        """
        self._check_envelope(at_most)
        return model.model_validate_json(self.body, strict=True)

    def parsed_loosely(self, model: type[Command], *, at_most: int) -> Command:
        """The body as a model of parts that are each read on their own later.

        Text that is no text, such as half a character, passes here: it is its own part's fault. Raises as
        `parsed` does, and JSONMalformed.
        """
        self._check_envelope(at_most)
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            raise JSONMalformed("not JSON") from None
        return model.model_validate(document)

    def queried(self, model: type[Command]) -> Command:
        """The query string as a model. Raises pydantic's ValidationError."""
        return model.model_validate_strings(dict(self.query), strict=True)

    def _check_envelope(self, at_most: int) -> None:
        if len(self.body) > at_most:
            raise BodyTooLarge(f"{len(self.body)} bytes")
        declared = self.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
        if declared != _JSON:
            raise MediaTypeUnsupported("not declared as JSON")


def endpoint(
    routes: Blueprint,
    *roles: Role,
    gives: Gives,
    takes: type[BaseModel] | None = None,
    asks: type[BaseModel] | None = None,
    refuses: tuple[type[Refusal], ...] = (),
    headers: tuple[str, ...] = (),
    also: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """Make a view into an endpoint that only these roles may call.

    The view takes a `Request` and the path's parameters. Whatever it raises becomes a problem document. What
    it `takes` (a body), `asks` (a query), `gives` (in which forms `also`), `refuses` and which `headers` it
    adds is what the API's description says of it.
    """
    allowed = frozenset(roles)
    contract = Contract(allowed, gives, takes, asks, refuses, headers, also)

    def decorate(view: View) -> View:
        def ask(**path: str) -> Response:
            request = Request.of(routes.current_request)

            def answer() -> Response:
                request.caller.require_any(allowed)
                return view(request, **path)

            return _answered(request, answer)

        return _described(view, ask, contract)

    return decorate


def public_endpoint(
    routes: Blueprint,
    *,
    gives: Gives,
    refuses: tuple[type[Refusal], ...] = (),
    headers: tuple[str, ...] = (),
) -> Callable[[View], View]:
    """Make a view into an endpoint that anybody may call, without a token.

    The view takes an `AnonymousRequest` and the path's parameters, and itself judges whatever proof of who
    is calling it needs.
    """
    contract = Contract(None, gives, refuses=refuses, headers=headers)

    def decorate(view: View) -> View:
        def ask(**path: str) -> Response:
            request = AnonymousRequest.of(routes.current_request)
            return _answered(request, lambda: view(request, **path))

        return _described(view, ask, contract)

    return decorate


def is_public(view: View) -> bool:
    """Whether anybody may call the view of a route. Raises AttributeError if no decorator here made it."""
    return contract_of(view).roles is None


def contract_of(view: View) -> Contract:
    """What the view of a route takes and gives. Raises AttributeError if no decorator here made it."""
    found: Contract = view.contract  # type: ignore[attr-defined]
    return found


def json_response(
    model: BaseModel,
    status: int = 200,
    *,
    headers: Mapping[str, str] | None = None,
    leave_out_defaults: bool = False,
) -> Response:
    """A model as JSON, the same bytes for the same values."""
    body = model.model_dump_json(exclude_defaults=leave_out_defaults)
    return Response(body, {"Content-Type": _JSON, **(headers or {})}, status)


def page_headers(script: str | None = None) -> dict[str, str]:
    """What a page may do: show its own style, and run its one script if its hash is given; nothing else."""
    scripts = f"script-src '{script}'; connect-src 'self'; " if script else ""
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'unsafe-inline'; {scripts}"
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }


class BytesResponse(Response):
    """An answer of bytes.

    Chalice sends bytes only where `Accept` names their type, and `?format=` must do without. API Gateway is
    told to hand everything on as it is (`BinaryMediaTypes` in infra/resources.yaml).
    """

    def to_dict(self, binary_types: list[str] | None = None) -> dict[str, Any]:
        """What Lambda answers API Gateway."""
        encoded = Response(b64encode(self.body).decode(), self.headers, self.status_code)
        return {**encoded.to_dict(), "isBase64Encoded": True}


def _as_bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _described(view: View, ask: View, contract: Contract) -> View:
    serve = wraps(view)(ask)
    serve.contract = contract  # type: ignore[attr-defined]
    return serve


def _answered(request: AnonymousRequest, answer: Callable[[], Response]) -> Response:
    observability.correlate(request.correlation_id)
    try:
        response = answer()
    except Exception as error:  # noqa: BLE001 - the edge: whatever is raised must be answered and logged
        response = problems.answer(error, request.language) or _unforeseen(error, request)
    return _logged(request, response)


def _unforeseen(error: Exception, request: AnonymousRequest) -> Response:
    observability.log_unforeseen(error, "request failed", {"route": request.route, "method": request.method})
    return problems.respond("internal_error", request.language)


def _logged(request: AnonymousRequest, response: Response) -> Response:
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
