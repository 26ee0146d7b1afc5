"""Compare what the roles of two templates allow."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ops.deploy.conditions import iter_branches


def list_widened_roles(deployed: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return a line for each action on a resource that a role of `wanted` allows and `deployed` did not.

    A role that is new is compared with nothing. Conditions count as part of what is allowed.
    """
    before, after = _collect(deployed), _collect(wanted)
    return [
        f"{role} may {action} on {resource}{'' if condition == '{}' else ' under a condition'}"
        for role, action, resource, condition in sorted(after - before)
    ]


def _collect(template: Mapping[str, Any]) -> set[tuple[str, str, str, str]]:
    return {
        (role, action, to_text(resource), to_text(statement.get("Condition", {})))
        for role, statement in _iter_statements(template)
        for action in to_list(statement["Action"])
        for resource in to_list(statement.get("Resource", "*"))
    }


def _iter_statements(template: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, resource in template.get("Resources", {}).items():
        if resource.get("Type") == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", []):
                for statement, _ in iter_branches(policy["PolicyDocument"]["Statement"]):
                    if statement["Effect"] == "Allow":
                        yield name, statement


def to_text(value: Any) -> str:
    """Return a part of a template as text that can be compared."""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def to_list(value: Any) -> list[Any]:
    """Return what a statement has once or several times as a list."""
    return value if isinstance(value, list) else [value]
