"""Every field of every request takes one written form: these tests reach fields that are added later too."""

import json
from collections.abc import Callable, Iterator
from typing import Annotated, Any, get_args
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from app import app
from chalicelib.registrations.messages import SubmitRegistration
from ops.openapi.endpoints import iter_endpoints

AN_ID = UUID(int=1)

# By type or format of JSON Schema, a value of a body as it is written, and forms that a lax parser takes.
BODY_FORMS: dict[str, tuple[Any, list[Any]]] = {
    "integer": (1, [True, 1.0, "1"]),
    "boolean": (True, [1, 1.0, "true", "yes", "on"]),
    "date": (
        "2024-10-09",
        [0, "0", "+0", -86400, "1728432000", "20241009", "2024-W41-3", "2024-10-09T00:00"],
    ),
    "date-time": (
        "2024-10-09T02:12:00Z",
        [0, "0", 1728440000, "1728440000", "2024-10-09", "2024-10-09 02:12:00Z", "2024-10-09T02:12Z"],
    ),
    "uuid": (str(AN_ID), [AN_ID.hex, AN_ID.urn, f"{{{AN_ID}}}", 1]),
}
QUERY_FORMS: dict[str, tuple[Any, list[Any]]] = {
    "integer": ("1", ["+1", "01", "1.0", " 1", "1_0", "true", ""]),
    "date": ("2024-10-09", ["0", "+0", "1728432000", "20241009", "2024-W41-3", "2024-10-09 "]),
}
Validate = Callable[[TypeAdapter[Any], Any], Any]


def iter_fields(model: type[BaseModel]) -> Iterator[tuple[str, TypeAdapter[Any]]]:
    """Yield the fields of a model and of the models in it, each with what validates it alone."""
    for name, info in model.model_fields.items():
        field: Any = Annotated[info.annotation, Field(), *info.metadata]
        yield f"{model.__name__}.{name}", TypeAdapter(field)
        for inner in iter_models(info.annotation):
            yield from iter_fields(inner)


def iter_models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from iter_models(argument)


def find_form(adapter: TypeAdapter[Any]) -> str | None:
    """Return the JSON Schema's format or type of a field that is one value, and may be null."""
    schema = adapter.json_schema()
    for choice in schema.get("anyOf", [schema]):
        form: str | None = choice.get("format") or choice.get("type")
        if form in BODY_FORMS:
            return form
    return None


def list_cases(kind: str, forms: dict[str, Any]) -> dict[str, tuple[str, TypeAdapter[Any]]]:
    models = {getattr(each.contract, kind) for each in iter_endpoints(app)} - {None}
    if kind == "body_model":
        models.add(SubmitRegistration)  # The items of a batch are validated one by one.
    found = {name: (find_form(adapter), adapter) for model in models for name, adapter in iter_fields(model)}
    return {name: (form, adapter) for name, (form, adapter) in sorted(found.items()) if form in forms}


BODY_FIELDS = list_cases("body_model", BODY_FORMS)
QUERY_FIELDS = list_cases("query_model", QUERY_FORMS)


def check_forms(adapter: TypeAdapter[Any], forms: tuple[Any, list[Any]], validate: Validate) -> None:
    written, lax = forms
    assert validate(adapter, written) is not None
    for value in lax:
        with pytest.raises(ValidationError):
            pytest.fail(f"{value!r} is taken as {validate(adapter, value)!r}")


@pytest.mark.parametrize("name", BODY_FIELDS)
def test_a_field_of_a_body_takes_one_written_form(name: str) -> None:
    form, adapter = BODY_FIELDS[name]

    check_forms(
        adapter,
        BODY_FORMS[form],
        lambda adapter, value: adapter.validate_json(json.dumps(value), strict=True),
    )


@pytest.mark.parametrize("name", QUERY_FIELDS)
def test_a_parameter_of_a_query_takes_one_written_form(name: str) -> None:
    form, adapter = QUERY_FIELDS[name]

    check_forms(
        adapter, QUERY_FORMS[form], lambda adapter, value: adapter.validate_strings(value, strict=True)
    )


def test_the_fields_that_reports_name_are_among_them() -> None:
    assert {"WorkerAsTyped.birth_date", "Coverage.months", "Payment.paid_at"} <= BODY_FIELDS.keys()
    assert {"ListRegistrations.day", "ListRegistrations.size", "ShowSummary.version"} <= QUERY_FIELDS.keys()
