"""Which routes are behind the authorizer, and which of them a caller may call."""

import re

from chalice.app import Authorizer, Chalice

from chalicelib.callers import Role
from chalicelib.http.endpoints import get_contract

_PARAMETER = re.compile(r"\{[^}]+\}")


def protect_routes(app: Chalice, authorizer: Authorizer) -> None:
    """Put every route behind the authorizer, except those that are public by their contract."""
    for methods in app.routes.values():
        for entry in methods.values():
            if get_contract(entry.view_function).roles is not None:
                entry.authorizer = authorizer


def list_callable_routes(app: Chalice, roles: frozenset[Role]) -> list[str]:
    """Return the routes that a caller with these roles may call, as `GET/v1/campaigns/*`.

    That is their form in the ARN of a method. Public routes are left out: they ask no authorizer.
    """
    return sorted(
        f"{method}{_PARAMETER.sub('*', path)}"
        for path, methods in app.routes.items()
        for method, entry in methods.items()
        if roles & (get_contract(entry.view_function).roles or frozenset())
    )
