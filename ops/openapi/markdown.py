"""The OpenAPI document as Markdown: the source of the page at `GET /docs`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

Node = Mapping[str, Any]

_INTRODUCTION = """\
# The API

This page is made from the OpenAPI 3.1 document at `GET /v1/openapi.json` when the application is packaged.
"""


def to_markdown(document: Node) -> str:
    """Return the operations, then the schemas, then the codes."""
    return "\n".join(_iter_lines(document)).rstrip() + "\n"


def _iter_lines(document: Node) -> Iterator[str]:
    yield _INTRODUCTION
    yield document["info"]["description"] + "\n"
    yield "## Operations\n"
    operations = [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    yield from _format_table(
        ("Operation", "Roles", "Summary"),
        (
            (f"[`{name}`](#{make_anchor(name)})", _format_roles(each), each["summary"])
            for name, each in operations
        ),
    )
    for name, operation in operations:
        yield f"### {name}\n"
        yield from _format_operation(document, operation)
    yield "## Schemas\n"
    for name, schema in document["components"]["schemas"].items():
        yield f"### {name}\n"
        yield from _format_schema(schema)
    yield from _format_codes(document)


def _format_operation(document: Node, operation: Node) -> Iterator[str]:
    yield operation["summary"] + "\n"
    if "description" in operation:
        yield operation["description"] + "\n"
    yield f"Roles: {_format_roles(operation)}.\n"
    if "parameters" in operation:
        rows = (
            (f"`{each['name']}`", each["in"], _describe_type(each["schema"]), each.get("description", ""))
            for each in _resolve_all(document, operation["parameters"])
        )
        yield from _format_table(("Parameter", "In", "Type", ""), rows)
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Takes {_describe_type(content['schema'])} as `{media_type}`.\n"
        yield from _format_examples(content)
    yield from _format_table(("Status", "Answer"), _format_responses(document, operation))
    for status, answer in operation["responses"].items():
        for content in answer.get("content", {}).values():
            yield from _format_examples(content, f"{status}: ")


def _format_responses(document: Node, operation: Node) -> Iterator[tuple[str, str]]:
    for status, answer in operation["responses"].items():
        if "$ref" in answer:
            codes = _resolve(document, answer["$ref"])["content"]["application/problem+json"]["examples"]
            yield status, ", ".join(f"[`{code}`](#{make_anchor(code)})" for code in codes)
            continue
        kinds = [
            _describe_type(content["schema"]) if "$ref" in content.get("schema", {}) else f"`{media_type}`"
            for media_type, content in answer.get("content", {}).items()
        ]
        description = [": ".join([*kinds, answer["description"]]).removesuffix(".")]
        headers = [f"`{name}`" for name in answer["headers"] if name != "X-Correlation-Id"]
        yield status, "; with ".join([*description, ", ".join(headers)] if headers else description)


def _format_examples(content: Node, prefix: str = "") -> Iterator[str]:
    for title, example in content.get("examples", {}).items():
        yield f"{prefix}{title}:\n"
        yield "```json"
        yield json.dumps(example["value"], indent=1, ensure_ascii=False)
        yield "```\n"


def _format_schema(schema: Node) -> Iterator[str]:
    if "description" in schema:
        yield schema["description"] + "\n"
    if "properties" not in schema:
        yield f"{_describe_type(schema)}\n"
        return
    required = schema.get("required", ())
    yield from _format_table(
        ("Field", "Type", ""),
        (
            (
                f"`{name}`" if name in required else f"`{name}`?",
                _describe_type(each),
                each.get("description", ""),
            )
            for name, each in schema["properties"].items()
        ),
    )


def _format_codes(document: Node) -> Iterator[str]:
    yield "## Problems\n"
    yield "`code` is stable. The title is in the language of the request.\n"
    for each in document["x-problems"]:
        yield f"### {each['code']}\n"
        yield f"{each['status']}. **{each['title']['en']}** {each['meaning']['en']}\n"
        yield f"**{each['title']['id']}** {each['meaning']['id']}\n"
    yield "## Codes of single fields\n"
    yield from _format_table(
        ("Code", "English", "Indonesian"),
        (
            (f"`{each['code']}`", each["message"]["en"], each["message"]["id"])
            for each in document["x-field-codes"]
        ),
    )


def _format_roles(operation: Node) -> str:
    roles = [role for each in operation["security"] for role in each["bearer"]]
    return ", ".join(roles) or "public, without a token"


def _describe_type(schema: Node) -> str:
    match schema:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            description = f"[{name}](#{make_anchor(name)})"
        case {"anyOf": choices}:
            description = " or ".join(_describe_type(choice) for choice in choices)
        case {"const": value}:
            description = f"`{json.dumps(value)}`"
        case {"enum": values}:
            description = ", ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            description = f"list of {_describe_type(items)}"
        case {"type": "object", "additionalProperties": dict() as values}:
            description = f"object of {_describe_type(values)}"
        case _:
            description = str(schema.get("type", "anything"))
    return description + _describe_limits(schema)


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


def _describe_limits(schema: Node) -> str:
    limits = [
        template.format(schema[limit]) for limit, template in _LIMITS.items() if schema.get(limit) is not None
    ]
    return f" ({', '.join(limits)})" if limits else ""


def _format_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(headings)} |".replace("|  |", "| |")
    yield "|" + "---|" * len(headings)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |"
    yield ""


def _resolve_all(document: Node, nodes: Sequence[Node]) -> list[Node]:
    return [_resolve(document, each["$ref"]) if "$ref" in each else each for each in nodes]


def _resolve(document: Node, reference: str) -> Node:
    node: Any = document
    for step in reference.removeprefix("#/").split("/"):
        node = node[step]
    return node  # type: ignore[no-any-return]


def make_anchor(heading: str) -> str:
    """Return the URL fragment of a heading, in the form that forges use."""
    kept = (each for each in heading.lower() if each.isalnum() or each in " -_")
    return "".join(kept).replace(" ", "-")
