"""What breaks a client is found in the API's description, and what gives it more is not."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from ops.openapi.compatibility import find_breaking_changes
from ops.openapi.page import OPENAPI_FILE

OURS: dict[str, Any] = json.loads(OPENAPI_FILE.read_text(encoding="utf-8"))


def make_document() -> dict[str, Any]:
    """Return a small description with a request and an answer of one model."""
    stall: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "maxLength": 20},
            "kind": {"enum": ["fruit", "fish"], "type": "string"},
            "owner": {"anyOf": [{"type": "string"}, {"type": "null"}]},
            "days": {"type": "array", "items": {"type": "integer", "maximum": 31}},
        },
        "required": ["name"],
    }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Stall"}}}
    return {
        "paths": {
            "/stalls": {
                "post": {
                    "parameters": [{"in": "query", "name": "q", "required": False}],
                    "requestBody": {"content": content},
                    "responses": {"201": {"content": content}, "409": {}},
                }
            }
        },
        "components": {"schemas": {"Stall": stall}},
    }


def find(change: Callable[[dict[str, Any], dict[str, Any]], object]) -> list[str]:
    """Return what is found after a change of the operation and of the model."""
    base, head = make_document(), make_document()
    change(head["paths"]["/stalls"]["post"], head["components"]["schemas"]["Stall"])
    return find_breaking_changes(base, head)


def test_our_own_description_does_not_break_itself() -> None:
    assert find_breaking_changes(OURS, deepcopy(OURS)) == []


def test_every_operation_of_ours_that_goes_is_found() -> None:
    bare = {**OURS, "paths": {}}
    operations = [path for path, methods in OURS["paths"].items() for each in methods if each != "parameters"]
    assert len(find_breaking_changes(OURS, bare)) == len(operations)


BREAKING: dict[str, tuple[Callable[[Any, Any], object], str]] = {
    "a new required parameter": (
        lambda operation, _: operation["parameters"].append({"in": "query", "name": "z", "required": True}),
        "POST /stalls: the parameter z must be given",
    ),
    "a required body": (
        lambda operation, _: operation["requestBody"].update(required=True),
        "POST /stalls: a body must be given",
    ),
    "another success": (
        lambda operation, _: operation["responses"].update({"200": operation["responses"].pop("201")}),
        "POST /stalls: 201 is no longer answered",
    ),
    "a field that is gone": (
        lambda _, stall: stall["properties"].pop("owner"),
        "POST /stalls.owner is gone",
    ),
    "a field that must be given": (
        lambda _, stall: stall["required"].append("kind"),
        "POST /stalls.kind must be given",
    ),
    "a field of an answer that may be missing": (
        lambda _, stall: stall["required"].remove("name"),
        "POST /stalls 201.name may be missing",
    ),
    "another type": (
        lambda _, stall: stall["properties"].update(name={"type": "integer"}),
        "POST /stalls.name: string became integer",
    ),
    "a shorter text": (
        lambda _, stall: stall["properties"]["name"].update(maxLength=19),
        "POST /stalls.name: maxLength is 19",
    ),
    "a new limit": (
        lambda _, stall: stall["properties"]["name"].update(minLength=2),
        "POST /stalls.name: minLength is 2",
    ),
    "a lower limit inside a list": (
        lambda _, stall: stall["properties"]["days"]["items"].update(maximum=30),
        "POST /stalls.days[]: maximum is 30",
    ),
    "another pattern": (
        lambda _, stall: stall["properties"]["name"].update(pattern="[a-z]+"),
        "POST /stalls.name: another pattern",
    ),
    "a value that is no longer taken": (
        lambda _, stall: stall["properties"]["kind"]["enum"].remove("fish"),
        "POST /stalls.kind: 'fish' is no longer taken",
    ),
    "null that is no longer taken": (
        lambda _, stall: stall["properties"]["owner"]["anyOf"].pop(),
        "POST /stalls.owner: null is no longer taken",
    ),
    "a new kind of answer": (
        lambda _, stall: stall["properties"]["owner"]["anyOf"].append({"type": "integer"}),
        "POST /stalls 201.owner: integer is a new kind of answer",
    ),
}


@pytest.mark.parametrize(("change", "message"), BREAKING.values(), ids=BREAKING)
def test_a_change_that_breaks_a_client_is_found(change: Callable[[Any, Any], object], message: str) -> None:
    assert message in find(change)


HARMLESS: dict[str, Callable[[Any, Any], object]] = {
    "a new parameter": lambda operation, _: operation["parameters"].append({"in": "query", "name": "z"}),
    "a new field": lambda _, stall: stall["properties"].update(size={"type": "integer"}),
    "a refusal that no longer happens": lambda operation, _: operation["responses"].pop("409"),
    "a longer text": lambda _, stall: stall["properties"]["name"].update(maxLength=30),
    "a new value": lambda _, stall: stall["properties"]["kind"]["enum"].append("cloth"),
}


@pytest.mark.parametrize("change", HARMLESS.values(), ids=HARMLESS)
def test_a_change_that_breaks_nobody_is_not_reported(change: Callable[[Any, Any], object]) -> None:
    assert find(change) == []
