"""What a role loses with a release is kept until the next one: the version before still runs under it."""

import json
from collections.abc import Iterator
from copy import deepcopy
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.template import join_template, list_functions
from ops.deploy.granted_actions import list_widened_roles
from ops.deploy.kept_rights import keep_rights, list_keeping_functions

NO_VALUE = {"Ref": "AWS::NoValue"}
CONDITIONS = ("ChatIsWanted", "MailIsWanted")
BEFORE, NOW, NEXT = "0" * 64, "1" * 64, "2" * 64


def make_release(digest: str, *statements: dict[str, Any], **resources: Any) -> dict[str, Any]:
    """Return the template of a release with one function, whose role has these statements."""
    policy = {"PolicyName": "F", "PolicyDocument": {"Statement": list(statements)}}
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": f"s3://b/{digest}.zip"}}
    role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}
    named = {"F": function, "FRole": role, "T": {"Type": "AWS::DynamoDB::Table"}, **resources}
    return {"Resources": named, "Conditions": dict.fromkeys(CONDITIONS)}


def state_logs() -> dict[str, Any]:
    """Return the statement that every role of Daftar has, under no condition."""
    return allow(["logs:PutLogEvents"], "arn:logs")


def allow(actions: list[str], *resources: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources or ["arn:t"]), **more}


def iter_kept(template: dict[str, Any], function: str = "F") -> Iterator[list[dict[str, Any]]]:
    """Yield the statements of each policy that a function's role names, and that it keeps."""
    for each in template["Resources"][f"{function}Role"]["Properties"]["ManagedPolicyArns"]:
        yield template["Resources"][each["Ref"]]["Properties"]["PolicyDocument"]["Statement"]


def list_kept(template: dict[str, Any], function: str = "F") -> list[dict[str, Any]]:
    """Return what a function's role keeps, by one policy."""
    (kept,) = iter_kept(template, function)
    return kept


def join_rights(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template whose roles state themselves what they keep."""
    joined = deepcopy(template)
    for function in list_keeping_functions(template):
        for kept in iter_kept(template, function):
            policy = {"PolicyName": "kept", "PolicyDocument": {"Statement": kept}}
            joined["Resources"][f"{function}Role"]["Properties"]["Policies"].append(policy)
    return joined


def resolve(value: Any, conditions: dict[str, bool]) -> Any:
    """Return a part of a template as CloudFormation reads it under these values of its conditions."""
    match value:
        case {"Fn::If": [name, then, otherwise]}:
            return resolve(then if conditions[name] else otherwise, conditions)
        case dict():
            return {name: resolve(inner, conditions) for name, inner in value.items()}
        case list():
            return [each for each in (resolve(inner, conditions) for inner in value) if each != NO_VALUE]
    return value


def iter_resolved(*templates: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    """Yield templates under each combination of the conditions."""
    for values in product((True, False), repeat=len(CONDITIONS)):
        yield [resolve(each, dict(zip(CONDITIONS, values, strict=True))) for each in templates]


def make_conditional(content: Any, condition: tuple[str, bool] | None) -> Any:
    if condition is None:
        return content
    name, value = condition
    return {"Fn::If": [name, content, NO_VALUE] if value else [name, NO_VALUE, content]}


CONDITION = st.none() | st.tuples(st.sampled_from(CONDITIONS), st.booleans())
STATEMENTS = st.lists(
    st.builds(
        make_conditional,
        st.builds(
            allow,
            st.lists(st.sampled_from(["s3:Get", "s3:Put", "s3:List"]), min_size=1, unique=True),
            st.sampled_from(["arn:a", "arn:b"]),
            st.builds(make_conditional, st.sampled_from(["arn:c", "arn:d"]), CONDITION),
        ),
        CONDITION,
    ),
    max_size=3,
)


@given(STATEMENTS, STATEMENTS, STATEMENTS)
def test_no_version_that_may_still_run_loses_a_right_and_no_role_gets_one(
    first: list[Any], second: list[Any], third: list[Any]
) -> None:
    before = make_release(BEFORE, *first, state_logs())
    now, after = make_release(NOW, *second, state_logs()), make_release(NEXT, *third, state_logs())
    kept = keep_rights(before, now, NOW)
    for old, new, rights in iter_resolved(before, now, join_rights(kept)):
        assert list_widened_roles(rights, old) == [], "the release before has lost a right"
        assert list_widened_roles(rights, new) == []
        assert list_widened_roles(old, rights) == list_widened_roles(old, new)
    for (resolved,) in iter_resolved(kept):
        for policy in iter_kept(resolved) if list_keeping_functions(kept) else ():
            assert policy, "IAM refuses a policy without a statement"
            assert all(each["Resource"] for each in policy), "IAM refuses a statement without a resource"

    assert keep_rights(kept, now, NOW) == kept, "to deploy again changes something"

    later = keep_rights(kept, after, NEXT)
    assert later == keep_rights(now, after, NEXT), "rights are kept for longer than one release"


@given(STATEMENTS, STATEMENTS, STATEMENTS)
def test_after_a_rollback_the_next_release_keeps_the_rights_of_the_version_that_is_live(
    first: list[Any], second: list[Any], third: list[Any]
) -> None:
    live, bad = make_release(BEFORE, *first, state_logs()), make_release(NOW, *second, state_logs())
    mended = make_release(NEXT, *third, state_logs())
    deployed = keep_rights(live, bad, NOW)

    kept = keep_rights(deployed, mended, NEXT, rolled_back={"F"})

    for needed, also_needed, rights in iter_resolved(live, bad, join_rights(kept)):
        assert list_widened_roles(rights, needed) == [], "the version that is live has lost a right"
        assert list_widened_roles(rights, also_needed) == [], "a rollback would lead to a lost right"
    assert keep_rights(kept, mended, NEXT) == kept, "to deploy again changes something"
    assert keep_rights(deployed, bad, NOW, rolled_back={"F"}) == deployed, "to go forward changes something"


def test_what_a_resource_that_is_gone_allowed_is_not_kept() -> None:
    gone = {"Fn::GetAtt": ["Old", "Arn"]}
    index = {"Fn::Sub": "${Old.Arn}/index/by_day"}
    table = {"Fn::Sub": "arn:${AWS::Partition}:x:${T}"}
    before = make_release(
        BEFORE,
        allow(["s3:Get"], gone, index, table),
        {"Fn::If": ["OldIsWanted", allow(["s3:Put"]), {"Ref": "AWS::NoValue"}]},
        Old={"Type": "AWS::DynamoDB::Table"},
    )

    assert list_kept(keep_rights(before, make_release(NOW), NOW)) == [allow(["s3:Get"], table)]


def measure(template: dict[str, Any]) -> Iterator[int]:
    """Yield the characters of each kept policy, with names as long as those of a stage can be."""
    stack = "daftar-" + "s" * 31
    arn = f"arn:aws:dynamodb:ap-southeast-3:123456789012:table/{stack}-WebApplicationFunction-ABCDEFGHIJKLM"

    def fill(value: Any) -> Any:
        match value:
            case {"Ref": _} | {"Fn::GetAtt": _}:
                return arn
            case {"Fn::Sub": text}:
                return text.replace("${T.Arn}", arn)
            case dict():
                return {name: fill(inner) for name, inner in value.items()}
            case list():
                return [fill(inner) for inner in value]
        return value

    for kept in iter_kept(template):
        yield len(json.dumps({"Version": "2012-10-17", "Statement": fill(kept)}, separators=(",", ":")))


def test_what_is_too_much_for_one_policy_is_kept_by_several() -> None:
    statements = [
        allow(
            [f"dynamodb:Action{number}"], {"Fn::GetAtt": ["T", "Arn"]}, {"Fn::Sub": "${T.Arn}/index/by_day"}
        )
        for number in range(40)
    ]
    before, now = make_release(BEFORE, *statements), make_release(NOW, state_logs())

    kept = keep_rights(before, now, NOW)

    sizes = [*measure(kept)]
    assert 1 < len(sizes) <= 10, "a role may name ten policies"
    assert max(sizes) <= 6144, "IAM refuses a longer policy"
    assert list_widened_roles(join_rights(kept), before) == []
    assert list_keeping_functions(kept) == ["F"]
    assert keep_rights(kept, now, NOW) == kept


def test_a_role_of_today_can_be_kept_whole() -> None:
    roles = {name: each for name, each in join_template()["Resources"].items() if name.endswith("Role")}
    for name in list_functions():
        role = roles[f"{name}Role"]
        before = make_release(BEFORE, FRole=role)
        now = make_release(NOW, state_logs())
        for each in (before, now):
            each |= {section: join_template()[section] for section in ("Parameters", "Conditions")}
            each["Resources"] |= {key: {"Type": "-"} for key in join_template()["Resources"]} | each[
                "Resources"
            ]

        kept = keep_rights(before, now, NOW)

        assert list_widened_roles(join_rights(kept), before) == []
        assert len([*iter_kept(kept)]) <= 4, f"{name} needs too many policies"


def test_conditions_are_part_of_what_is_kept() -> None:
    condition = {"StringEquals": {"kms:EncryptionContext:daftar:purpose": "field"}}
    narrow, wide = allow(["kms:Decrypt"], Condition=condition), allow(["kms:Decrypt"])

    kept = keep_rights(make_release(BEFORE, wide), make_release(NOW, narrow), NOW)

    assert list_kept(kept) == [wide]


@pytest.mark.parametrize("function", ["Administration", "PeoplesData"])
def test_an_api_that_is_split_keeps_answering_the_routes_that_move(function: str) -> None:
    """As when the API became three functions: the old version answers all routes until the API is changed."""
    template = deepcopy(join_template())
    named = {name: each for name, each in template["Resources"].items() if "Type" in each}
    functions = {name: template["Resources"][name] for name in list_functions()}
    split = {**template, "Resources": {**named, **functions}}
    for each, resource in split["Resources"].items():
        if f"{each}Role" in split["Resources"]:
            resource["Type"] = "AWS::Serverless::Function"
            resource["Properties"]["CodeUri"] = f"s3://b/{NOW}.zip"
    whole = deepcopy(split)
    resources = whole["Resources"]
    moved = resources.pop(f"{function}Role")["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    del resources[function]
    own = resources["APIHandlerRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    own += [each for each in moved if each["Sid"] not in {"Logs", "Traces"}]
    for each, resource in resources.items():
        if f"{each}Role" in resources:
            resource["Properties"]["CodeUri"] = f"s3://b/{BEFORE}.zip"

    kept = keep_rights(whole, split, NOW)

    lost = [each for each in list_widened_roles(split, whole) if each.startswith("APIHandlerRole")]
    assert lost, "the API's function loses nothing by the split: this test shows nothing"
    assert list_widened_roles(join_rights(kept), whole) == []
    assert list_keeping_functions(kept) == ["APIHandler"]
