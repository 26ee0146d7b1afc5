"""Requests and answers of the routes for devices."""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from chalicelib.fields import PageSize
from chalicelib.models import FrozenModel, StrictModel
from chalicelib.registrations.messages import SubmitRegistration

# The groups of a registration's fields, and the group of each field by its own name. Of two fields with one
# name, such as `language`, it is the first: the worker's.
GROUPS: Mapping[str, type[BaseModel]] = {
    name: field.annotation
    for name, field in SubmitRegistration.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)
}
GROUP_BY_FIELD: Mapping[str, str] = {
    field: group for group, model in reversed(list(GROUPS.items())) for field in model.model_fields
}


def _describe_fields(schema: dict[str, Any]) -> None:
    # Without types: a field of the wrong one gets an error of its own.
    paths = {name: f"`{name}`" for name in SubmitRegistration.model_fields}
    paths |= {field: f"`{group}.{field}`" for field, group in GROUP_BY_FIELD.items()}
    schema["properties"] = {
        name: {"description": f"{path} of a registration."} for name, path in paths.items()
    }


class CheckFields(FrozenModel):
    """Some fields of a registration, in their group or alone, such as `{"nik": "...", "phone": "..."}`."""

    model_config = ConfigDict(extra="allow", json_schema_extra=_describe_fields)


class ListDevices(StrictModel):
    """Ask for a page of the devices of a campaign."""

    cursor: str | None = Field(default=None, max_length=400)
    size: PageSize = 50


class FieldFindingView(BaseModel):
    """An error or a warning about one field, named as in the request. The value is not repeated."""

    field: str
    code: str
    message: str


class ChecksView(BaseModel):
    """The errors for which intake would refuse the fields, and the warnings, which refuse nothing."""

    errors: list[FieldFindingView]
    warnings: list[FieldFindingView]
