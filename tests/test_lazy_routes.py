"""Routes that are registered on first use."""

from typing import Any

import pytest

from chalicelib.http.lazy_routes import LazyRoutes


def test_routes_that_could_not_be_registered_are_not_taken_for_unknown_ones() -> None:
    routes: dict[str, Any] = {"/v1/registrations": {"POST": "submit"}}
    failures = [MemoryError()]

    def register_others() -> None:
        if failures:
            raise failures.pop()
        routes["/v1/clients"] = {"GET": "list"}

    lazy = LazyRoutes(routes, register_others)

    with pytest.raises(MemoryError):
        lazy["/v1/clients"]
    assert lazy["/v1/clients"] == {"GET": "list"}


def test_a_request_for_a_route_of_captures_registers_no_other() -> None:
    lazy = LazyRoutes({"/v1/registrations": {"POST": "submit"}}, pytest.fail)

    assert lazy["/v1/registrations"] == {"POST": "submit"}


def test_another_method_on_a_path_of_captures_registers_the_other_routes() -> None:
    routes: dict[str, Any] = {"/v1/registrations": {"POST": "submit"}}

    def register_others() -> None:
        routes["/v1/registrations"]["GET"] = "list"

    lazy = LazyRoutes(routes, register_others)

    assert "POST" in lazy["/v1/registrations"]
    assert list(lazy["/v1/registrations"]) == ["POST"]
    assert "GET" in lazy["/v1/registrations"]
    assert lazy["/v1/registrations"]["GET"] == "list"
