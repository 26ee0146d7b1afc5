"""What a role loses with a release is kept until the next one: the version before still runs under it."""

from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.template import join_template, list_functions
from ops.deploy.granted_actions import list_widened_roles
from ops.deploy.kept_rights import keep_rights, list_keeping_functions

BEFORE, NOW, NEXT = "0" * 64, "1" * 64, "2" * 64


def make_release(digest: str, *statements: dict[str, Any], **resources: Any) -> dict[str, Any]:
    """Return the template of a release with one function, whose role has these statements."""
    policy = {"PolicyName": "F", "PolicyDocument": {"Statement": list(statements)}}
    function = {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": f"s3://b/{digest}.zip"}}
    role = {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}
    return {"Resources": {"F": function, "FRole": role, "T": {"Type": "AWS::DynamoDB::Table"}, **resources}}


def allow(actions: list[str], *resources: Any, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources or ["arn:t"]), **more}


def list_kept(template: dict[str, Any], function: str = "F") -> list[dict[str, Any]]:
    """Return what a function's role keeps by a policy that it names."""
    name = f"{function}ReleaseBefore"
    assert template["Resources"][f"{function}Role"]["Properties"]["ManagedPolicyArns"] == [{"Ref": name}]
    kept: list[dict[str, Any]] = template["Resources"][name]["Properties"]["PolicyDocument"]["Statement"]
    return kept


def join_rights(template: dict[str, Any]) -> dict[str, Any]:
    """Return a template whose roles state themselves what they keep."""
    joined = deepcopy(template)
    for function in list_keeping_functions(template):
        policy = {"PolicyName": "kept", "PolicyDocument": {"Statement": list_kept(template, function)}}
        joined["Resources"][f"{function}Role"]["Properties"]["Policies"].append(policy)
    return joined


STATEMENTS = st.lists(
    st.builds(
        allow,
        st.lists(st.sampled_from(["s3:Get", "s3:Put", "s3:List"]), min_size=1, unique=True),
        st.sampled_from(["arn:a", "arn:b"]),
        st.sampled_from(["arn:c", "arn:d"]),
    ),
    max_size=3,
)


@given(STATEMENTS, STATEMENTS, STATEMENTS)
def test_no_version_that_may_still_run_loses_a_right_and_no_role_gets_one(
    first: list[Any], second: list[Any], third: list[Any]
) -> None:
    before, now, after = make_release(BEFORE, *first), make_release(NOW, *second), make_release(NEXT, *third)
    kept = keep_rights(before, now, NOW)
    rights = join_rights(kept)
    assert list_widened_roles(rights, before) == [], "the release before has lost a right"
    assert list_widened_roles(rights, now) == []
    assert list_widened_roles(before, rights) == list_widened_roles(before, now)

    assert keep_rights(kept, now, NOW) == kept, "to deploy again changes something"

    later = keep_rights(kept, after, NEXT)
    assert later == keep_rights(now, after, NEXT), "rights are kept for longer than one release"


def test_what_a_resource_that_is_gone_allowed_is_not_kept() -> None:
    gone = {"Fn::GetAtt": ["Old", "Arn"]}
    index = {"Fn::Sub": "${Old.Arn}/index/by_day"}
    table = {"Fn::Sub": "arn:${AWS::Partition}:x:${T}"}
    before = make_release(
        BEFORE,
        *(allow(["s3:Get"], each) for each in (gone, index, table)),
        {"Fn::If": ["OldIsWanted", allow(["s3:Put"]), {"Ref": "AWS::NoValue"}]},
        Old={"Type": "AWS::DynamoDB::Table"},
    )

    assert list_kept(keep_rights(before, make_release(NOW), NOW)) == [allow(["s3:Get"], table)]


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
