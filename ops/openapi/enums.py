"""Names for the lists of values in schemas: a generated client has one type for each.

Values are added over time, so what a client receives may have a value that its enum does not know: fields of
answers are the enum or any other string.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args, get_origin

from chalicelib.campaigns.model import Zone
from chalicelib.contributions.model import Months, Payer, Programme
from chalicelib.http.field_texts import FIELD_MESSAGES
from chalicelib.occupations.model import load_occupations
from chalicelib.registrations.captures import IdentityField
from chalicelib.rollups.renderings.formats import CsvDialect, Format
from ops.openapi.codes import load_codes
from ops.openapi.components import SCHEMAS_PREFIX, Schema


def _list_values(alias: Any) -> tuple[Any, ...]:
    """Return the values of a `Literal`, also one with annotations."""
    return get_args(get_args(alias)[0]) if get_origin(alias) is Annotated else get_args(alias)


# Lists that several fields share. Every other one is named for its model and its field.
_SHARED_NAMES: Mapping[tuple[Any, ...], str] = {
    _list_values(CsvDialect): "CsvDialect",
    _list_values(Format): "SummaryFormat",
    _list_values(IdentityField): "IdentityField",
    _list_values(Months): "Months",
    _list_values(Payer): "Payer",
    _list_values(Programme): "Programme",
    _list_values(Zone): "Zone",
    ("matched", "mismatch"): "RegistryResult",
}

# Fields of requests with the ids of a list that is data, not a type.
_OCCUPATION_FIELDS = (("AskForQuote", "occupations"), ("Work", "occupations"))


def build_listed_enums() -> dict[str, Schema]:
    """Return the enums of codes and occupations, which are tables and no types."""
    return {
        "FieldCode": {
            "description": "The code of a field at fault; `x-field-codes` has the messages.",
            "enum": sorted(FIELD_MESSAGES),
            "type": "string",
        },
        "OccupationId": {
            "description": "The id of an occupation.",
            "enum": sorted(load_occupations()),
            "type": "string",
        },
        "ProblemCode": {
            "description": "The code of a problem; `x-problems` has the titles and meanings.",
            "enum": sorted(load_codes()),
            "type": "string",
        },
    }


def name_enums(schemas: Mapping[str, Schema]) -> dict[str, Schema]:
    """Return the schemas with each list of values as a component of its own."""
    enums: dict[str, Schema] = {}
    named = {
        model: {
            **schema,
            "properties": {
                name: _extract_enum(field, f"{model}{_to_camel_case(name)}", enums)
                for name, field in schema["properties"].items()
            },
        }
        if "properties" in schema
        else schema
        for model, schema in schemas.items()
    }
    for model, name in _OCCUPATION_FIELDS:
        named[model]["properties"][name]["items"] = {"$ref": f"{SCHEMAS_PREFIX}OccupationId"}
    return {**named, **enums}


def name_parameter_enum(schema: Schema, name: str, schemas: dict[str, Schema]) -> Schema:
    """Return the schema of a parameter with its list of values as a component of `schemas`."""
    named: Schema = _extract_enum(schema, name, schemas)
    return named


def _extract_enum(node: Any, name: str, enums: dict[str, Schema]) -> Any:
    if isinstance(node, list):
        return [_extract_enum(each, name, enums) for each in node]
    if not isinstance(node, dict):
        return node
    if "enum" not in node:
        return {key: _extract_enum(each, name, enums) for key, each in node.items()}
    shared_name = _SHARED_NAMES.get(tuple(node["enum"]), name)
    enums[shared_name] = {"enum": node["enum"], "type": node["type"]}
    rest = {key: each for key, each in node.items() if key not in {"enum", "type"}}
    return {"$ref": f"{SCHEMAS_PREFIX}{shared_name}", **rest}


def open_answers(schemas: Mapping[str, Schema], request_models: set[str]) -> dict[str, Schema]:
    """Return the schemas; in those that no request contains, each enum allows other values too."""
    closed = set(_iter_reachable(schemas, request_models))
    return {
        name: _open_enums(schema, schemas) if name not in closed else schema
        for name, schema in schemas.items()
    }


def _iter_reachable(schemas: Mapping[str, Schema], names: set[str]) -> Iterator[str]:
    reached: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        reached.add(name)
        yield name
        waiting |= set(_iter_references(schemas[name])) - reached


def _iter_references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for each in node:
            yield from _iter_references(each)
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix(SCHEMAS_PREFIX)
        for each in node.values():
            yield from _iter_references(each)


def _open_enums(node: Any, schemas: Mapping[str, Schema]) -> Any:
    if isinstance(node, list):
        return [_open_enums(each, schemas) for each in node]
    if not isinstance(node, dict):
        return node
    reference = node.get("$ref", "")
    target = schemas.get(reference.removeprefix(SCHEMAS_PREFIX), {}) if isinstance(reference, str) else {}
    if "enum" in target:
        rest = {key: each for key, each in node.items() if key != "$ref"}
        return {"anyOf": [{"$ref": reference}, {"type": target["type"]}], **rest}
    return {key: _open_enums(each, schemas) for key, each in node.items()}


def _to_camel_case(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))
