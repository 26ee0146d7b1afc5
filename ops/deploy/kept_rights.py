"""Keep the rights of the release before for one release: its versions still run under the same roles.

CloudFormation changes a role before the alias moves to the new version, and the API's routes last. In the
minutes between, the old version answers, and after `daftar rollback` it does so again. So a role loses what
the release before needs only with the next release.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from ops.deploy.conditions import Conditions, are_conditional, iter_branches, open_resource, wrap
from ops.deploy.granted_actions import to_list, to_text
from ops.deploy.releases import iter_functions

# Policies of their own: what a role itself states may have 10,240 characters, and the API's has 8,000.
_SUFFIX = "ReleaseBefore"
_POLICY_NAME = re.compile(rf"(\w+?){_SUFFIX}\d*")
# IAM's most for a managed policy, white space not counted. IAM counts real names, so we count long ones.
_MAX_CHARACTERS = 6144
_LONG_NAME = "-" * 150
_LONG_PSEUDO_PARAMETER = "-" * 40

_NAME_IN_TEXT = re.compile(r"\$\{([\w:]+)[\w.:]*\}")

_Access = tuple[str, str, str]


def keep_rights(
    deployed: Mapping[str, Any],
    wanted: Mapping[str, Any],
    digest: str,
    *,
    rolled_back: Collection[str] = (),
) -> dict[str, Any]:
    """Return `wanted`, whose functions keep what their roles allow in `deployed`.

    If `deployed` is of the release with this digest already, they keep what it keeps. Functions that were
    `rolled_back` run the release before `deployed`: they keep both.
    """
    template = deepcopy(dict(wanted))
    resources = template["Resources"]
    is_same_release = any(
        str(each.get("CodeUri", "")).endswith(f"/{digest}.zip") for _, each in iter_functions(deployed)
    )
    for function, _ in iter_functions(wanted):
        role = f"{function}Role"
        allowed = [] if is_same_release else _list_statements(deployed, role)
        if is_same_release or function in rolled_back:
            allowed += _list_kept(deployed, function)
        own = _list_statements(wanted, role)
        policies = {
            f"{function}{_SUFFIX}{number if number > 1 else ''}": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": {"Version": "2012-10-17", "Statement": statements}},
            }
            for number, statements in enumerate(_iter_documents(_list_missing(allowed, own, wanted), own), 1)
        }
        if policies:
            resources |= policies
            # The role names the policies, so that these are there before the role changes.
            resources[role]["Properties"]["ManagedPolicyArns"] = [{"Ref": name} for name in policies]
    return template


def list_keeping_functions(template: Mapping[str, Any]) -> list[str]:
    """Return the functions of a template that keep rights of the release before."""
    found = (_POLICY_NAME.fullmatch(name) for name in template["Resources"])
    return sorted({match[1] for match in found if match})


def _list_kept(template: Mapping[str, Any], function: str) -> list[dict[str, Any]]:
    names = [
        name
        for name in template["Resources"]
        if (found := _POLICY_NAME.fullmatch(name)) and found[1] == function
    ]
    return [statement for name in names for statement in _list_statements(template, name)]


def _list_statements(template: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the statements of a role or a policy, none if a template does not have it."""
    properties = template["Resources"].get(name, {}).get("Properties", {})
    policies = [
        each["PolicyDocument"]
        for each in (*properties.get("Policies", ()), properties)
        if "PolicyDocument" in each
    ]
    return [statement for policy in policies for statement in policy["Statement"]]


def _iter_documents(
    kept: Sequence[dict[str, Any]], own: Sequence[dict[str, Any]]
) -> Iterator[list[dict[str, Any]]]:
    """Yield the statements of each policy. One of them always holds: IAM refuses a policy without any."""
    always = [each for each in own if "Fn::If" not in each and not are_conditional(to_list(each["Resource"]))]
    document: list[dict[str, Any]] = []
    for statement in kept:
        if document and _measure([*always[:1], *document, statement]) > _MAX_CHARACTERS:
            yield _begin_with(always, document)
            document = []
        document.append(statement)
    if document:
        yield _begin_with(always, document)


def _begin_with(always: list[dict[str, Any]], document: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*always[:1], *document] if all("Fn::If" in each for each in document) else document


def _measure(statements: Sequence[dict[str, Any]]) -> int:
    """Return how many characters a policy with these statements has at most, under all conditions."""
    document = {"Version": "2012-10-17", "Statement": _lengthen(statements)}
    return len(json.dumps(document, separators=(",", ":")))


def _lengthen(value: Any) -> Any:
    """Return a part of a template with a long name for each that it refers to."""
    match value:
        case {"Ref": _} | {"Fn::GetAtt": _}:
            return _LONG_NAME
        case {"Fn::Sub": str(text)}:
            return _NAME_IN_TEXT.sub(
                lambda name: _LONG_PSEUDO_PARAMETER if name[1].startswith("AWS::") else _LONG_NAME, text
            )
        case dict():
            return {name: _lengthen(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_lengthen(inner) for inner in value]
    return value


def _list_missing(
    allowed: Sequence[dict[str, Any]], own: Sequence[dict[str, Any]], template: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return what of `allowed` is not in `own`: whole statements, or their other actions and resources."""
    known: dict[_Access, list[Conditions]] = {}
    for statement, conditions in iter_branches(own):
        for _, _, access, needed in _iter_accesses(statement, conditions):
            known.setdefault(access, []).append(needed)
    found: list[dict[str, Any]] = []
    for statement, conditions in iter_branches(allowed):
        missing = [
            (action, resource)
            for action, resource, access, needed in _iter_accesses(statement, conditions)
            if _is_known(resource, template) and not any(each <= needed for each in known.get(access, ()))
        ]
        rest = {name: value for name, value in statement.items() if name not in {"Sid", "Action", "Resource"}}
        if missing and _is_known([rest, *({"Fn::If": [name]} for name, _ in conditions)], template):
            found += _join(rest, missing, conditions)
    return found


def _join(
    rest: Mapping[str, Any], accesses: Sequence[tuple[str, Any]], conditions: Conditions
) -> Iterator[dict[str, Any]]:
    """Yield statements with these actions and resources, each with a resource whenever it is there."""
    actions = [*dict.fromkeys(action for action, _ in accesses)]
    resources = [*{to_text(resource): resource for _, resource in accesses}.values()]
    if not are_conditional(resources):
        yield wrap({**rest, "Action": actions, "Resource": resources}, conditions)
        return
    for resource in resources:
        statement = {**rest, "Action": actions, "Resource": [resource]}
        yield wrap(statement, conditions | open_resource(resource)[1])


def _iter_accesses(
    statement: Mapping[str, Any], conditions: Conditions
) -> Iterator[tuple[str, Any, _Access, Conditions]]:
    """Yield each action on each resource: as it is written, as it can be compared, and when it is there."""
    limits = to_text(statement.get("Condition", {}))
    for resource in to_list(statement["Resource"]):
        content, its = open_resource(resource)
        for action in to_list(statement["Action"]):
            yield action, resource, (action, to_text(content), limits), conditions | its


def _is_known(value: Any, template: Mapping[str, Any]) -> bool:
    """Return True if a template has all that a value refers to. What is gone cannot be permitted."""
    known = {
        name for section in ("Resources", "Parameters", "Conditions") for name in template.get(section, {})
    }
    return all(name.startswith("AWS::") or name in known for name in _iter_names(value))


def _iter_names(value: Any) -> Iterator[str]:
    """Yield the names that a part of a template refers to."""
    match value:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]} | {"Fn::If": [str(name), *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from _NAME_IN_TEXT.findall(text)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for each in inner:
        yield from _iter_names(each)
