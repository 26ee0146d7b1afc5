"""The fields of a registration that a correction names: alone, or in their group as in a capture. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from chalicelib.clock import to_timestamp
from chalicelib.refusals import BrokenRule, RulesBroken
from chalicelib.registrations.corrections import FieldValue
from chalicelib.registrations.messages import SubmitRegistration
from chalicelib.registrations.model import Registration
from chalicelib.registrations.worker import Coverage, Work, Worker, WorkerAsTyped

GROUPS: Mapping[str, type[BaseModel]] = {"worker": WorkerAsTyped, "work": Work, "coverage": Coverage}

# Each field has a name of its own in these groups.
PATHS: Mapping[str, str] = {
    field: f"{group}.{field}" for group, model in GROUPS.items() for field in model.model_fields
}

_RETAINED_WORKER_FIELDS = ("name", "phone", "postal_code", "language")

# Stands for what was deleted of a registration, where the rules judge what is left of it.
_PLACEHOLDERS: Mapping[str, FieldValue] = {
    "worker.nik": "3100000101900001",
    "worker.birth_date": "1990-01-01",
    "worker.email": None,
    "worker.address": None,
    "work.monthly_income": 0,
}


@dataclass(frozen=True)
class TypedFields:
    """The values that a correction gives, by dotted path, and the name under which each was sent."""

    values: Mapping[str, Any]
    names: Mapping[str, str]

    def rename(self, rule: BrokenRule) -> BrokenRule:
        """Return a broken rule with its field as it was sent."""
        path = ".".join(rule.field.split(".")[:2])
        name = self.names.get(path, path)
        return BrokenRule(f"fields.{name}{rule.field.removeprefix(path)}", rule.code, digits=rule.digits)

    def is_given(self, rule: BrokenRule) -> bool:
        """Return True if a broken rule is about a given field."""
        return ".".join(rule.field.split(".")[:2]) in self.values


def read_fields(sent: Mapping[str, Any]) -> TypedFields:
    """Return the fields of a request. Raise RulesBroken for unknown and repeated ones, and for none."""
    values: dict[str, Any] = {}
    names: dict[str, str] = {}
    broken: list[BrokenRule] = []
    for name, value in _flatten(sent):
        path = PATHS.get(name) if "." not in name else name
        if path is None or path not in PATHS.values():
            broken.append(BrokenRule("fields", "field_unknown"))
        elif path in values:
            broken.append(BrokenRule(f"fields.{name}", "field_repeated"))
        else:
            values[path], names[path] = value, name
    if not sent:
        broken.append(BrokenRule("fields", "field_missing"))
    if broken:
        raise RulesBroken(*dict.fromkeys(broken))
    return TypedFields(values, names)


def list_values(registration: Registration) -> dict[str, FieldValue]:
    """Return the recorded value of each field, by dotted path; without those that were deleted."""
    worker = registration.worker
    names = WorkerAsTyped.model_fields if isinstance(worker, Worker) else _RETAINED_WORKER_FIELDS
    groups = {
        "worker": {name: getattr(worker, name) for name in names},
        "work": vars(registration.work) | {"occupations": list(registration.work.occupations)},
        "coverage": registration.coverage.model_dump(mode="json"),
    }
    return {
        f"{group}.{name}": value.isoformat() if name == "birth_date" else value
        for group, values in groups.items()
        for name, value in values.items()
    }


def build_command(registration: Registration, values: Mapping[str, Any]) -> SubmitRegistration:
    """Return the capture that would have recorded `values`. Raise pydantic's ValidationError."""
    metadata = registration.capture_metadata
    document: dict[str, Any] = {
        "capture_id": metadata.capture_id,
        "campaign_id": metadata.campaign_id,
        "captured_at": to_timestamp(metadata.captured_at),
        "consent": registration.consent.model_dump(mode="json"),
    }
    for path, value in {**_PLACEHOLDERS, **values}.items():
        group, _, name = path.partition(".")
        document.setdefault(group, {})[name] = value
    return SubmitRegistration.model_validate_json(json.dumps(document), strict=True)


def _flatten(sent: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return names and values; a field in its group has a dotted name."""
    fields: list[tuple[str, Any]] = []
    for name, value in sent.items():
        if name in GROUPS and isinstance(value, dict):
            fields += [(f"{name}.{inner}", inner_value) for inner, inner_value in value.items()]
        else:
            fields.append((name.replace(".", "?"), value))
    return fields
