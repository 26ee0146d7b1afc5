"""Find changes of the API's description that break a client: `python -m ops.openapi.compatibility BASE.json`.

A request may be given more freedom and an answer may say more, never the other way round. New values of an
enumeration in an answer break nobody: clients take a value that they do not know for one that they do not
know.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from ops.openapi.page import OPENAPI_FILE

_METHODS = ("get", "head", "put", "post", "patch", "delete")
# Bounds that get stricter when they fall, and when they rise.
_UPPER, _LOWER = ("maxLength", "maximum", "maxItems"), ("minLength", "minimum", "minItems")

Schema = Mapping[str, Any]


class _Comparison:
    """One comparison of two documents. `where` in its messages is a path of names to the change."""

    def __init__(self, base: Schema, head: Schema) -> None:
        self._base, self._head = base, head
        self._seen: set[tuple[str, str, bool]] = set()

    def run(self) -> Iterator[str]:
        for path, methods in self._base["paths"].items():
            for method in (method for method in methods if method in _METHODS):
                where = f"{method.upper()} {path}"
                if method not in self._head["paths"].get(path, {}):
                    yield f"{where} is gone"
                else:
                    yield from self._compare_operation(
                        methods[method], self._head["paths"][path][method], where
                    )

    def _compare_operation(self, base: Schema, head: Schema, where: str) -> Iterator[str]:
        known = {each["name"] for each in _list_parameters(base, self._base)}
        for each in _list_parameters(head, self._head):
            if each.get("required") and each["name"] not in known:
                yield f"{where}: the parameter {each['name']} must be given"
        yield from self._compare_bodies(base.get("requestBody", {}), head.get("requestBody", {}), where)
        for status, response in base["responses"].items():
            # A refusal that no longer happens breaks nobody.
            if status not in head["responses"] and status.startswith("2"):
                yield f"{where}: {status} is no longer answered"
            if status in head["responses"]:
                before = _resolve(response, self._base)
                after = _resolve(head["responses"][status], self._head)
                yield from self._compare_contents(before, after, f"{where} {status}", False)

    def _compare_bodies(self, base: Schema, head: Schema, where: str) -> Iterator[str]:
        if head.get("required") and not base.get("required"):
            yield f"{where}: a body must be given"
        yield from self._compare_contents(base, head, where, True)

    def _compare_contents(self, base: Schema, head: Schema, where: str, is_request: bool) -> Iterator[str]:
        for kind, content in base.get("content", {}).items():
            other = head.get("content", {}).get(kind)
            if other is None:
                yield f"{where}: {kind} is no longer {'taken' if is_request else 'answered'}"
            else:
                schemas = (content.get("schema", {}), other.get("schema", {}))
                yield from self._compare(*schemas, where, is_request)

    def _compare(self, base: Schema, head: Schema, where: str, is_request: bool) -> Iterator[str]:
        pair = (json.dumps(base, sort_keys=True), json.dumps(head, sort_keys=True), is_request)
        if pair in self._seen:
            return
        self._seen.add(pair)
        base, head = _resolve(base, self._base), _resolve(head, self._head)
        yield from self._compare_alternatives(base, head, where, is_request)
        if base.get("type") != head.get("type") and "type" in base and "type" in head:
            yield f"{where}: {base['type']} became {head['type']}"
            return
        if is_request:
            yield from _compare_limits(base, head, where)
        yield from self._compare_properties(base, head, where, is_request)
        if "items" in base and "items" in head:
            yield from self._compare(base["items"], head["items"], f"{where}[]", is_request)

    def _compare_alternatives(
        self, base: Schema, head: Schema, where: str, is_request: bool
    ) -> Iterator[str]:
        before = {_name(each, self._base): each for each in _list_alternatives(base)}
        after = {_name(each, self._head): each for each in _list_alternatives(head)}
        if before and after:
            lost = sorted(set(before) - set(after)) if is_request else sorted(set(after) - set(before))
            for name in lost:
                yield f"{where}: {name} is {'no longer taken' if is_request else 'a new kind of answer'}"
            for name in set(before) & set(after):
                yield from self._compare(before[name], after[name], where, is_request)

    def _compare_properties(self, base: Schema, head: Schema, where: str, is_request: bool) -> Iterator[str]:
        before, after = base.get("properties", {}), head.get("properties", {})
        for name in before:
            if name not in after:
                if not is_request or head.get("additionalProperties") is False:
                    yield f"{where}.{name} is gone"
            else:
                yield from self._compare(before[name], after[name], f"{where}.{name}", is_request)
        was, must = set(base.get("required", ())), set(head.get("required", ()))
        for name in sorted(must - was if is_request else (was - must) & set(after)):
            yield f"{where}.{name} {'must be given' if is_request else 'may be missing'}"


def _list_parameters(operation: Schema, document: Schema) -> list[Schema]:
    return [_resolve(each, document) for each in operation.get("parameters", ())]


def _resolve(schema: Schema, document: Schema) -> Schema:
    while "$ref" in schema:
        found: Any = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _list_alternatives(schema: Schema) -> list[Schema]:
    return [*schema.get("anyOf", ()), *schema.get("oneOf", ())]


def _name(schema: Schema, document: Schema) -> str:
    """Return what tells an alternative from the others: the name of its schema, or its type."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    return str(_resolve(schema, document).get("type", "any"))


def _compare_limits(base: Schema, head: Schema, where: str) -> Iterator[str]:
    for value in [value for value in base.get("enum", ()) if value not in head.get("enum", [value])]:
        yield f"{where}: {value!r} is no longer taken"
    for name in _UPPER:
        if name in head and head[name] < base.get(name, float("inf")):
            yield f"{where}: {name} is {head[name]}"
    for name in _LOWER:
        if name in head and head[name] > base.get(name, float("-inf")):
            yield f"{where}: {name} is {head[name]}"
    if "pattern" in head and head["pattern"] != base.get("pattern"):
        yield f"{where}: another pattern"


def find_breaking_changes(base: Schema, head: Schema) -> list[str]:
    """Return a line for each change from `base` to `head` after which a good client fails."""
    return list(dict.fromkeys(_Comparison(base, head).run()))


@click.command()
@click.argument("base", type=click.Path(path_type=Path, exists=True, dir_okay=False))
def main(base: Path) -> None:
    """Compare the API's description with an earlier one. Exit with 1 if a client would break."""
    before, after = (json.loads(file.read_text(encoding="utf-8")) for file in (base, OPENAPI_FILE))
    found = find_breaking_changes(before, after)
    click.echo("\n".join(found) or "no client breaks")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
