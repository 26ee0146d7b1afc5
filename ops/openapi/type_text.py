"""The type of a schema in words, as Markdown: `list of [Work](#schema-Work) (at most 2)`."""

import json
from collections.abc import Mapping
from typing import Any

Node = Mapping[str, Any]

_LIMITS = {
    "format": "{}",
    "pattern": "`{}`",
    "minimum": "from {}",
    "exclusiveMinimum": "above {}",
    "maximum": "to {}",
    "minLength": "at least {} long",
    "maxLength": "at most {} long",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "default": "{} if left out",
}


def describe_type(schema: Node) -> str:
    """Return the type and limits of a schema."""
    match schema:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            description = f"[{name}](#{make_schema_id(name)})"
        case {"anyOf": [{"$ref": _} as enum, {"type": "string" | "integer"}, *others]}:
            # A list of values that may grow.
            description = " or ".join(
                [f"{describe_type(enum)} or a newer value", *map(describe_type, others)]
            )
        case {"anyOf": choices}:
            description = " or ".join(describe_type(choice) for choice in choices)
        case {"const": value}:
            description = f"`{json.dumps(value)}`"
        case {"enum": values}:
            description = ", ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            description = f"list of {describe_type(items)}"
        case {"type": "object", "additionalProperties": dict() as values}:
            description = f"object of {describe_type(values)}"
        case _:
            description = str(schema.get("type", "anything"))
    return description + _describe_limits(schema)


def make_schema_id(name: str) -> str:
    """Return the id of a schema on the page."""
    return f"schema-{name}"


def _describe_limits(schema: Node) -> str:
    limits = [
        template.format(schema[limit]) for limit, template in _LIMITS.items() if schema.get(limit) is not None
    ]
    return f" ({', '.join(limits)})" if limits else ""
