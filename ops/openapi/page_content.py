"""The content of the page at `GET /docs`, read from the OpenAPI document. Texts are Markdown."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from chalicelib.http.headers import SECURITY_HEADERS
from ops.openapi.curl import format_command
from ops.openapi.type_text import describe_type, make_schema_id

Node = Mapping[str, Any]

# Names of the operations that register a first worker, and the campaign of the local stack.
_REGISTER, _SHOW = "submit_registration", "show_registration"
_EXAMPLE_CAMPAIGN, _LOCAL_CAMPAIGN = "pasar-contoh-2024", "tanah-abang-2024"

# Every answer has them.
_COMMON_HEADERS = {"X-Correlation-Id", *SECURITY_HEADERS}
_JSON, _PROBLEM = "application/json", "application/problem+json"


@dataclass(frozen=True)
class Example:
    """An example with its title, as JSON."""

    title: str
    text: str


@dataclass(frozen=True)
class Row:
    """A row of a table of fields or parameters."""

    name: str
    is_required: bool
    type: str
    description: str


@dataclass(frozen=True)
class Answer:
    """An answer of an operation: its description, or the codes of its problems."""

    status: str
    description: str
    headers: str
    codes: Sequence[str]
    examples: Sequence[Example]


@dataclass(frozen=True)
class Operation:
    """An operation. It is found by its `search_text`."""

    id: str
    tag: str
    method: str
    path: str
    summary: str
    description: str
    roles: Sequence[str]
    parameters: Sequence[Row]
    body: str
    body_examples: Sequence[Example]
    curl: str
    answers: Sequence[Answer]

    @property
    def search_text(self) -> str:
        """Return the text that a search looks at."""
        names = " ".join(row.name for row in self.parameters)
        answers = " ".join(f"{answer.status} {' '.join(answer.codes)}" for answer in self.answers)
        return f"{self.method} {self.path} {self.summary} {self.description} {names} {answers}".lower()

    def get_success(self, status: str) -> Answer:
        """Return the answer with a status. Raise StopIteration if there is none."""
        return next(answer for answer in self.answers if answer.status == status)


@dataclass(frozen=True)
class Schema:
    """A component: an object with fields, a list of values, or another type."""

    id: str
    name: str
    description: str
    fields: Sequence[Row]
    values: Sequence[str]
    type: str

    @property
    def search_text(self) -> str:
        """Return the text that a search looks at."""
        names = " ".join([*(row.name for row in self.fields), *self.values])
        return f"{self.name} {self.description} {names}".lower()


@dataclass(frozen=True)
class FirstWorker:
    """The commands that register a first worker, and their answers."""

    register: str
    created: Example
    show: str
    refused: Example


@dataclass(frozen=True)
class Content:
    """All that the page shows."""

    description: str
    roles: Sequence[str]
    first_worker: FirstWorker
    tags: Sequence[tuple[str, Sequence[Operation]]]
    schemas: Sequence[Schema]
    problems: Sequence[Node]
    field_codes: Sequence[Node]

    @property
    def operation_count(self) -> int:
        return sum(len(operations) for _, operations in self.tags)


def build_content(document: Node) -> Content:
    """Return the page's content. Raise StopIteration without the operations that register a worker."""
    operations = [
        _read_operation(document, method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return Content(
        description=document["info"]["description"],
        roles=sorted({role for operation in operations for role in operation.roles}),
        first_worker=_build_first_worker(operations),
        tags=[(tag, list(group)) for tag, group in groupby(operations, key=lambda each: each.tag)],
        schemas=[_read_schema(name, each) for name, each in document["components"]["schemas"].items()],
        problems=document["x-problems"],
        field_codes=document["x-field-codes"],
    )


def _build_first_worker(operations: Sequence[Operation]) -> FirstWorker:
    by_id = {operation.id: operation for operation in operations}
    register, show = by_id[_REGISTER], by_id[_SHOW]
    refused = next(each for each in register.get_success("422").examples if each.title == "rules_broken")
    return FirstWorker(
        register=register.curl.replace(_EXAMPLE_CAMPAIGN, _LOCAL_CAMPAIGN),
        created=register.get_success("201").examples[0],
        show=show.curl,
        refused=refused,
    )


def _read_operation(document: Node, method: str, path: str, operation: Node) -> Operation:
    # A shared parameter belongs to every operation; the rules of all operations explain it.
    parameters = [each for each in operation["parameters"] if "$ref" not in each]
    body: Node = operation.get("requestBody", {}).get("content", {}).get(_JSON, {})
    return Operation(
        id=operation["operationId"],
        tag=operation["tags"][0],
        method=method,
        path=path,
        summary=operation["summary"],
        description=operation.get("description", ""),
        roles=[role for each in operation["security"] for role in each["bearer"]],
        parameters=[
            Row(
                name=each["name"],
                is_required=each["required"],
                type=f"{each['in']}, {describe_type(each['schema'])}",
                description=each.get("description", ""),
            )
            for each in parameters
        ],
        body=describe_type(body["schema"]) if body else "",
        body_examples=list(_iter_examples(document, body)),
        curl=format_command(method, path, operation, parameters),
        answers=[
            _read_answer(document, status, _resolve(document, answer))
            for status, answer in operation["responses"].items()
        ],
    )


def _read_answer(document: Node, status: str, answer: Node) -> Answer:
    if "x-codes" in answer:
        content = answer["content"].get(_PROBLEM, {})
        examples = list(_iter_examples(document, content))
        return Answer(status, "", "", answer["x-codes"], examples)
    kinds = [
        describe_type(content["schema"]) if "$ref" in content.get("schema", {}) else f"`{media_type}`"
        for media_type, content in answer.get("content", {}).items()
    ]
    return Answer(
        status=status,
        description=": ".join([*kinds, answer["description"]]),
        headers=", ".join(f"`{name}`" for name in answer["headers"] if name not in _COMMON_HEADERS),
        codes=(),
        examples=[
            example
            for content in answer.get("content", {}).values()
            for example in _iter_examples(document, content)
        ],
    )


def _iter_examples(document: Node, content: Node) -> Iterator[Example]:
    for title, example in content.get("examples", {}).items():
        value = _resolve(document, example)["value"]
        yield Example(title, json.dumps(value, indent=1, ensure_ascii=False))


def _read_schema(name: str, schema: Node) -> Schema:
    required = schema.get("required", ())
    return Schema(
        id=make_schema_id(name),
        name=name,
        description=schema.get("description", ""),
        fields=[
            Row(
                name=field,
                is_required=field in required,
                type=describe_type(each),
                description=each.get("description", ""),
            )
            for field, each in schema.get("properties", {}).items()
        ],
        values=[str(value) for value in schema.get("enum", ())],
        type=str(schema.get("type", "")),
    )


def _resolve(document: Node, node: Node) -> Node:
    if "$ref" not in node:
        return node
    target: Any = document
    for step in node["$ref"].removeprefix("#/").split("/"):
        target = target[step]
    return target  # type: ignore[no-any-return]
