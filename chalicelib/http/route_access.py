"""Which routes are behind the authorizer, and which of them a caller may call."""

import re
from collections.abc import Iterator
from typing import NamedTuple

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


class RouteAccess(NamedTuple):
    """The routes that a caller may call, and those which the patterns of the former cover, and it may not.

    Each is as `GET/v1/campaigns/*`, their form in the ARN of a method.
    """

    allowed: list[str]
    denied: list[str]


def build_route_access(app: Chalice, roles: frozenset[Role]) -> RouteAccess:
    """Return the access of a caller with these roles. Public routes are left out: they ask no authorizer.

    A `*` of a policy stands for slashes, too: `GET/v1/registrations/*` lets through all that lies below one.
    """
    allowed: set[str] = set()
    others: set[str] = set()
    for route, allowed_roles in _iter_protected_routes(app):
        (allowed if roles & allowed_roles else others).add(route)
    patterns = [re.compile(re.escape(route).replace(r"\*", ".*")) for route in allowed]
    denied = {route for route in others if any(each.fullmatch(route) for each in patterns)}
    return RouteAccess(sorted(allowed), sorted(denied))


def _iter_protected_routes(app: Chalice) -> Iterator[tuple[str, frozenset[Role]]]:
    for path, methods in app.routes.items():
        for method, entry in methods.items():
            if (roles := get_contract(entry.view_function).roles) is not None:
                yield f"{method}{_PARAMETER.sub('*', path)}", roles
