"""What every HTTP route shares: who may call it, how its body is read, how refusals answer, and its one log
line.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from chalice.app import Blueprint, Response
from chalice.app import Request as ChaliceRequest
from pydantic import BaseModel

from chalicelib import observability, problems
from chalicelib.clients.authorizer import caller_from
from chalicelib.clients.model import Caller, Role
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


@dataclass(frozen=True)
class Request:
    """One HTTP request, as routes see it."""

    method: str
    route: str
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]
    correlation_id: str
    caller: Caller
    language: problems.Language

    @classmethod
    def of(cls, request: ChaliceRequest) -> "Request":
        """Read what API Gateway and its authorizer say of a request."""
        context = request.context
        return cls(
            method=request.method,
            route=context["resourcePath"],
            body=_as_bytes(request.raw_body),
            headers=request.headers,
            query=request.query_params or {},
            correlation_id=context.get("requestId")
            or str(getattr(request.lambda_context, "aws_request_id", "")),
            caller=caller_from(context["authorizer"]),
            language=_language(request.headers),
        )

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
        return model.model_validate(dict(self.query))

    def _check_envelope(self, at_most: int) -> None:
        if len(self.body) > at_most:
            raise BodyTooLarge(f"{len(self.body)} bytes")
        declared = self.headers.get("content-type", _JSON).partition(";")[0].strip().lower()
        if declared != _JSON:
            raise MediaTypeUnsupported("not declared as JSON")


def endpoint(routes: Blueprint, *roles: Role) -> Callable[[View], View]:
    """Make a view into an endpoint that only these roles may call.

    The view takes a `Request` and the path's parameters. Whatever it raises becomes a problem document.
    """
    allowed = frozenset(roles)

    def decorate(view: View) -> View:
        @wraps(view)
        def serve(**path: str) -> Response:
            request = Request.of(routes.current_request)
            observability.correlate(request.correlation_id)
            try:
                request.caller.require_any(allowed)
                response = view(request, **path)
            except Exception as error:  # noqa: BLE001 - the edge: whatever is raised must be answered and logged
                facts = {"route": request.route, "method": request.method}
                response = problems.answer(error, request.language) or _failed(error, facts, request.language)
            return _logged(request, response)

        serve.allowed_roles = allowed  # type: ignore[attr-defined]
        return serve

    return decorate


@dataclass(frozen=True)
class Callback:
    """A request from somebody without a token, who proves in it who it is from."""

    route: str
    body: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str]


def callback(routes: Blueprint) -> Callable[[View], View]:
    """Make a view into one that the authorizer lets through unasked: it judges the proof itself.

    The view takes a `Callback`. What it refuses becomes a problem document.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def serve() -> Response:
            request = routes.current_request
            context = request.context
            correlation_id = str(context.get("requestId", ""))
            observability.correlate(correlation_id)
            asked = Callback(
                route=context["resourcePath"],
                body=_as_bytes(request.raw_body),
                headers=request.headers,
                query=request.query_params or {},
            )
            facts = {"method": request.method, "route": asked.route}
            try:
                response = view(asked)
            except Exception as error:  # noqa: BLE001 - the edge: whatever is raised must be answered and logged
                response = problems.answer(error, "en") or _failed(error, facts, "en")
            observability.logger.info("callback answered", extra={**facts, "status": response.status_code})
            response.headers.setdefault("X-Correlation-Id", correlation_id)
            return response

        serve.proves_itself = True  # type: ignore[attr-defined]
        return serve

    return decorate


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


def _as_bytes(body: bytes | str) -> bytes:
    return body.encode() if isinstance(body, str) else body


def _language(headers: Mapping[str, str]) -> problems.Language:
    accepted = [
        part.partition(";")[0].strip().lower() for part in headers.get("accept-language", "").split(",")
    ]
    for tag in accepted:
        if tag.startswith("en"):
            return "en"
        if tag.startswith("id"):
            return "id"
    return "id"


def _failed(error: Exception, facts: Mapping[str, str], language: problems.Language) -> Response:
    observability.log_unforeseen(error, "request failed", facts)
    return problems.respond("internal_error", language)


def _logged(request: Request, response: Response) -> Response:
    facts: dict[str, Any] = {
        "method": request.method,
        "route": request.route,
        "client_id": request.caller.client_id,
        "status": response.status_code,
    }
    if isinstance(response.body, dict) and "code" in response.body:
        facts["code"] = response.body["code"]
        facts["fields"] = [f"{each['field']}: {each['code']}" for each in response.body.get("errors", ())]
    observability.logger.info("request answered", extra=facts)
    response.headers.setdefault("X-Correlation-Id", request.correlation_id)
    return response
