"""The application's routes, each with its contract."""

import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from chalice.app import Chalice

from chalicelib.callers import Role
from chalicelib.http.contracts import Contract
from chalicelib.http.endpoints import get_contract

_BODY_CODES = (
    *("json_malformed", "body_invalid", "body_too_large", "media_type_unsupported"),
    *("encoding_unsupported", "gzip_malformed"),
)

_TOKEN_CODES = ("token_missing_or_unknown", "token_revoked")

_COMMON_CODES = ("internal_error", "record_unreadable", "try_again", "too_many_requests")


@dataclass(frozen=True)
class Endpoint:
    """A route with its contract."""

    method: str
    path: str
    name: str
    docstring: str
    contract: Contract

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)

    def list_codes(self) -> set[str]:
        """Return all codes that it can answer with, API Gateway's included."""
        contract = self.contract
        codes = {*_COMMON_CODES, *(refusal.code for refusal in contract.refusals)}
        if contract.roles is not None:
            codes.update(_TOKEN_CODES)
            if contract.roles != frozenset(Role):
                codes.add("role_not_allowed")
        if contract.body_model is not None:
            codes.update(_BODY_CODES)
        if contract.query_model is not None:
            codes.add("body_invalid")
        if self.parameters:
            # A parameter that is empty or has a slash makes another path.
            codes.add("route_unknown")
        return codes


def iter_endpoints(app: Chalice) -> Iterator[Endpoint]:
    for path, methods in app.routes.items():
        for method, entry in methods.items():
            view = entry.view_function
            yield Endpoint(method, path, view.__name__, inspect.getdoc(view) or "", get_contract(view))
