"""Make releases of a template: the API calls aliases, and what changes a function publishes a version.

Chalice makes the API's definition and its permissions with the functions themselves. A call that goes past
the alias would see no canary and no rollback, and would start without a snapshot.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from hashlib import sha256
from typing import Any

from infra.functions import ALIAS


def iter_functions(template: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the logical id and the properties of each function."""
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Serverless::Function":
            yield name, resource["Properties"]


def point_api_at_aliases(template: dict[str, Any]) -> None:
    """Make the API's integrations, its authorizer and their permissions name the functions' aliases."""
    functions = {name for name, properties in iter_functions(template) if "AutoPublishAlias" in properties}
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Serverless::Api":
            properties["DefinitionBody"] = _name_aliases(properties["DefinitionBody"], functions)
        elif resource["Type"] == "AWS::Lambda::Permission":
            (function,) = functions & _list_names(properties["FunctionName"])
            properties["FunctionName"] = {"Ref": _get_alias_id(function)}


def _name_aliases(value: Any, functions: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: _name_aliases(inner, functions) for key, inner in value.items()}
    if isinstance(value, list):
        return [_name_aliases(inner, functions) for inner in value]
    if isinstance(value, str):
        for function in functions:
            value = value.replace(f"${{{function}.Arn}}", f"${{{_get_alias_id(function)}}}")
    return value


def _get_alias_id(function: str) -> str:
    """Return the logical id that SAM gives to a function's alias."""
    return f"{function}Alias{ALIAS}"


def _list_names(reference: Mapping[str, Any]) -> set[str]:
    return {reference["Ref"]} if "Ref" in reference else set(reference["Fn::GetAtt"])


def name_release(
    template: Mapping[str, Any], archive_digest: str, archive_url: str, parameters: Mapping[str, str]
) -> dict[str, Any]:
    """Return the template with the zip's URL, and for each function a digest of all that it runs with.

    A digest that differs publishes a version. By itself SAM would not see a parameter whose value has
    changed.
    """
    named = deepcopy(dict(template))
    shared = named.get("Globals", {}).get("Function", {})
    for _, properties in iter_functions(named):
        values = {
            name: parameters.get(name, parameter["Default"])
            for name, parameter in template.get("Parameters", {}).items()
            if _refers_to([properties, shared], name)
        }
        content = json.dumps([archive_digest, properties, shared, values], sort_keys=True)
        properties["CodeUri"] = archive_url
        properties["AutoPublishCodeSha256"] = sha256(content.encode()).hexdigest()
    return named


def _refers_to(value: Any, parameter: str) -> bool:
    if isinstance(value, dict):
        return value == {"Ref": parameter} or any(_refers_to(each, parameter) for each in value.values())
    return isinstance(value, list) and any(_refers_to(each, parameter) for each in value)
