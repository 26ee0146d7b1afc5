"""Join the YAML files and the generated parts into the document that is merged into Chalice's template."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from infra import (
    alarms,
    dashboard,
    dead_letters,
    environment,
    firewall,
    functions,
    gateway_responses,
    outputs,
    shares,
    warm_throughput,
)

_DIRECTORY = Path(__file__).parent

_PARAMETER_FILES = ("parameters.yaml", "parameters_messages.yaml")
_FILES = (
    *_PARAMETER_FILES,
    "keys.yaml",
    "tables.yaml",
    "buckets.yaml",
    "analysts.yaml",
    "queues.yaml",
    "topics.yaml",
    "vault.yaml",
    "functions.yaml",
    "api.yaml",
)


class _CloudFormationLoader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions: `!Ref`, `!GetAtt`, `!Sub`, `!If` ..."""


def _construct_function(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        raise TypeError(f"!{name} takes no mapping")
    if name == "GetAtt":
        value = str(value).split(".", 1)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


_CloudFormationLoader.add_multi_constructor("!", _construct_function)


def load_yaml(name: str) -> dict[str, Any]:
    """Return one file of this directory, with the short functions in the form that JSON templates use."""
    text = (_DIRECTORY / name).read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.load(text, _CloudFormationLoader)  # noqa: S506 - our own safe subclass
    return document


@cache
def load_parameters() -> dict[str, dict[str, Any]]:
    """Return the parameters of all files, in order."""
    return {
        name: parameter
        for file in _PARAMETER_FILES
        for name, parameter in load_yaml(file)["Parameters"].items()
    }


@cache
def load_permissions() -> dict[str, list[dict[str, Any]]]:
    """Return the statements of each function's role."""
    permissions: dict[str, list[dict[str, Any]]] = {}
    for name in ("roles_api.yaml", "roles.yaml", "roles_chats.yaml"):
        for function, statements in load_yaml(name).items():
            permissions.setdefault(function, []).extend(statements)
    return permissions


@cache
def list_functions() -> tuple[str, ...]:
    """Return the logical ids of all functions."""
    return tuple(load_permissions())


@cache
def join_template() -> dict[str, Any]:
    """Return everything of `infra/` as one document. Callers must not change it."""
    document: dict[str, Any] = {}
    for name in _FILES:
        merge(document, load_yaml(name))
    warm_throughput.add_warm_throughput(document["Resources"])
    rates = document["Parameters"][warm_throughput.PARAMETER]["AllowedValues"]
    document["Mappings"] = {warm_throughput.MAPPING: warm_throughput.make_mapping(rates)}
    most_runs = max(document["Parameters"][shares.PARAMETER]["AllowedValues"])
    shares.add_first_shares(document["Resources"], most_runs)
    permissions = load_permissions()
    queues = dead_letters.list_dead_letter_queues(document["Resources"])
    for made in (
        functions.make_function_resources(permissions, document["Resources"]),
        functions.make_traffic_shift_role(permissions),
        dead_letters.make_dead_letter_queues(document["Resources"], queues),
        alarms.make_alarms(),
        firewall.make_firewall(),
        shares.make_rules(document["Resources"], most_runs),
        dashboard.make_dashboard(list(permissions), [each.logical_id for each in queues]),
    ):
        merge(document, {"Resources": made})
    api = {"RestAPI": {"Properties": {"GatewayResponses": gateway_responses.make_gateway_responses()}}}
    merge(document, {"Resources": api})
    variables = environment.make_variables({**document["Parameters"], **document["Resources"]})
    merge(document, {"Globals": {"Function": {"Environment": {"Variables": variables}}}})
    merge(document, {"Outputs": outputs.make_outputs(document["Resources"], list(permissions))})
    return document


def merge(document: dict[str, Any], part: dict[str, Any], path: str = "") -> None:
    """Add `part` to `document`, mapping by mapping. Raise ValueError for a value that exists already."""
    for key, value in part.items():
        if key not in document:
            document[key] = value
        elif isinstance(value, dict) and isinstance(document[key], dict):
            merge(document[key], value, f"{path}{key}.")
        else:
            raise ValueError(f"{path}{key} is defined twice")
