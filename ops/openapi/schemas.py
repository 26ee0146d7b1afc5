"""The schemas of the models that endpoints take and return."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from ops.openapi.components import FIELD_ERROR_SCHEMA, PROBLEM_SCHEMA, SCHEMAS_PREFIX, Schema
from ops.openapi.endpoints import Endpoint
from ops.openapi.enums import build_listed_enums, name_enums, name_parameter_enum, open_answers

Mode = Literal["validation", "serialization"]


class _UntitledJsonSchema(GenerateJsonSchema):
    """Makes schemas without titles of fields, which would repeat the fields' names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


# The names of components in v1, where the class has another name in the code.
_PUBLISHED_NAMES = {
    "Anomaly": "Oddity",
    "CurvePointView": "DayOfCurveView",
    "DataRequestView": "RequestView",
    "SmsCounts": "Texts",
    "SmsView": "TextView",
    "SubmitDataRequest": "AskAboutPerson",
    "SummaryState": "State",
}


def _publish_names(value: Any) -> Any:
    """Return `value` with each reference to a component under its published name."""
    if isinstance(value, dict):
        return {key: _publish_names(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_publish_names(inner) for inner in value]
    if isinstance(value, str) and value.startswith(SCHEMAS_PREFIX):
        name = value.removeprefix(SCHEMAS_PREFIX)
        return SCHEMAS_PREFIX + _PUBLISHED_NAMES.get(name, name)
    return value


class ModelSchemas:
    """The schemas of all models that endpoints take or return."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        models = sorted(set(_iter_models(endpoints)), key=lambda each: (each[0].__name__, each[1]))
        self._refs, generated = models_json_schema(
            models, ref_template=f"{SCHEMAS_PREFIX}{{model}}", schema_generator=_UntitledJsonSchema
        )
        published = {_PUBLISHED_NAMES.get(name, name): schema for name, schema in generated["$defs"].items()}
        self.by_name: dict[str, Schema] = {
            name: _publish_names(published[name]) for name in sorted(published)
        }
        for name in set(_PUBLISHED_NAMES.values()) & self.by_name.keys():
            self.by_name[name]["title"] = name
        for schema in self.by_name.values():
            if "description" in schema:
                schema["description"] = unwrap_lines(schema["description"])
            for field in schema.get("properties", {}).values():
                _remove_empty_default(field)
        # Two models have untyped fields, because each part is parsed, and may fail, on its own.
        verdict = self.by_name["VerdictView"]["properties"]
        verdict["problem"] = {"$ref": f"{SCHEMAS_PREFIX}Problem"}
        items = self.by_name["SubmitBatch"]["properties"]["items"]
        items["items"] = {"anyOf": [{"$ref": f"{SCHEMAS_PREFIX}SubmitRegistration"}, {}]}
        items["description"] = "Captures; anything else is answered with a verdict of its own."
        for model in {each.contract.query_model for each in endpoints} - {None}:
            del self.by_name[model.__name__]  # type: ignore[union-attr]
        listed = {**build_listed_enums(), "FieldError": FIELD_ERROR_SCHEMA, "Problem": PROBLEM_SCHEMA}
        self.by_name = open_answers(
            name_enums({**listed, **self.by_name}),
            {
                self.ref(each.contract.body_model, "validation")["$ref"].removeprefix(SCHEMAS_PREFIX)
                for each in endpoints
                if each.contract.body_model is not None
            },
        )
        # Generated separately: a query's model is no component.
        self._queries = {
            each.contract.query_model: each.contract.query_model.model_json_schema(
                ref_template=f"{SCHEMAS_PREFIX}{{model}}", schema_generator=_UntitledJsonSchema
            )
            for each in endpoints
            if each.contract.query_model is not None
        }

    def ref(self, model: type[BaseModel], mode: Mode) -> Schema:
        reference: Schema = _publish_names(self._refs[(model, mode)])
        return reference

    def iter_query_parameters(self, model: type[BaseModel]) -> Iterator[dict[str, Any]]:
        schema = self._queries[model]
        for name, field in schema["properties"].items():
            own = name_parameter_enum(
                _remove_null(field), f"{model.__name__}{name.capitalize()}", self.by_name
            )
            description = own.pop("description", None)
            parameter = {"name": name, "in": "query", "required": name in schema.get("required", ())}
            yield {**parameter, **({"description": description} if description else {}), "schema": own}


def _iter_models(endpoints: Sequence[Endpoint]) -> Iterator[tuple[type[BaseModel], Mode]]:
    for endpoint in endpoints:
        for model in (endpoint.contract.body_model, endpoint.contract.query_model):
            if model is not None:
                yield model, "validation"
        for response in endpoint.contract.responses.values():
            if isinstance(response, type):
                yield response, "serialization"


def _remove_empty_default(field: Schema) -> None:
    """Remove a default that says no more than leaving the field out.

    Generators take a field with a default for one that is always sent.
    """
    if field.get("default") in (None, []):
        field.pop("default", None)


def _remove_null(schema: Schema) -> Schema:
    """Return the schema of a parameter without null: null means that the parameter is left out."""
    if "anyOf" not in schema:
        return dict(schema)
    (choice,) = [each for each in schema["anyOf"] if each != {"type": "null"}]
    return {**choice, **{key: value for key, value in schema.items() if key not in {"anyOf", "default"}}}


def unwrap_lines(text: str) -> str:
    """Return the text with each paragraph on one line."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
