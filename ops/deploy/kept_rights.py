"""Keep the rights of the release before for one release: its versions still run under the same roles.

CloudFormation changes a role before the alias moves to the new version, and the API's routes last. In the
minutes between, the old version answers, and after `daftar rollback` it does so again. So a role loses what
the release before needs only with the next release.
"""

import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

from ops.deploy.granted_actions import to_list, to_text
from ops.deploy.releases import iter_functions

# A policy of its own: what a role itself states may have 10,240 characters, and the API's has 8,000.
_SUFFIX = "ReleaseBefore"

_NAME_IN_TEXT = re.compile(r"\$\{([\w:]+)")


def keep_rights(deployed: Mapping[str, Any], wanted: Mapping[str, Any], digest: str) -> dict[str, Any]:
    """Return `wanted`, whose functions keep what their roles allow in `deployed`.

    If `deployed` is of the release with this digest already, they keep what it keeps.
    """
    template = deepcopy(dict(wanted))
    resources = template["Resources"]
    is_same_release = any(
        str(each.get("CodeUri", "")).endswith(f"/{digest}.zip") for _, each in iter_functions(deployed)
    )
    for function, _ in iter_functions(wanted):
        role, policy = f"{function}Role", f"{function}{_SUFFIX}"
        allowed = _list_statements(deployed, policy if is_same_release else role)
        missing = _iter_missing(allowed, _list_statements(wanted, role))
        if kept := [each for each in missing if _is_known(each, wanted)]:
            document = {"Version": "2012-10-17", "Statement": kept}
            resources[policy] = {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": document},
            }
            # The role names the policy, so that this is there before the role changes.
            resources[role]["Properties"]["ManagedPolicyArns"] = [{"Ref": policy}]
    return template


def list_keeping_functions(template: Mapping[str, Any]) -> list[str]:
    """Return the functions of a template that keep rights of the release before."""
    return [name.removesuffix(_SUFFIX) for name in template["Resources"] if name.endswith(_SUFFIX)]


def _list_statements(template: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the statements of a role or a policy, none if a template does not have it."""
    properties = template["Resources"].get(name, {}).get("Properties", {})
    policies = [
        each["PolicyDocument"]
        for each in (*properties.get("Policies", ()), properties)
        if "PolicyDocument" in each
    ]
    return [statement for policy in policies for statement in policy["Statement"]]


def _iter_missing(allowed: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield what of `allowed` is not in `wanted`: whole statements, or their other actions and resources."""
    known = {access for each in wanted for access in _iter_accesses(each)}
    for statement in allowed:
        missing = {access for access in _iter_accesses(statement) if access not in known}
        if "Fn::If" in statement:
            if statement not in wanted:
                yield statement
        elif missing:
            actions = {action for action, _, _ in missing}
            resources = {resource for _, resource, _ in missing}
            yield {
                **{name: value for name, value in statement.items() if name != "Sid"},
                "Action": [each for each in to_list(statement["Action"]) if each in actions],
                "Resource": [each for each in to_list(statement["Resource"]) if to_text(each) in resources],
            }


def _iter_accesses(statement: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    if "Action" in statement:
        condition = to_text(statement.get("Condition", {}))
        for action in to_list(statement["Action"]):
            for resource in to_list(statement["Resource"]):
                yield action, to_text(resource), condition


def _is_known(statement: Any, template: Mapping[str, Any]) -> bool:
    """Return True if a template has all that a statement refers to. What is gone cannot be permitted."""
    known = {
        name for section in ("Resources", "Parameters", "Conditions") for name in template.get(section, {})
    }
    return all(name.startswith("AWS::") or name in known for name in _iter_names(statement))


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
