"""Everything that calls a function calls its alias, and whatever a function runs with publishes a version."""

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from infra.api_functions import API_FUNCTIONS, ROUTES, find_function
from infra.functions import ALIAS
from ops.deploy.releases import iter_functions, name_release
from tests.support.template import PackagedTemplate, to_json

ANSWERING = {*API_FUNCTIONS, "AuthorizeCaller"}
ARCHIVE, URL = "0" * 64, "s3://bucket/zip"


def iter_integrations(template: PackagedTemplate) -> Iterator[Any]:
    """Yield the address of the function behind each method, and of the authorizer."""
    definition = template.api["DefinitionBody"]
    for path, methods in definition["paths"].items():
        for method, operation in methods.items():
            # The answer to a preflight is API Gateway's own.
            if operation["x-amazon-apigateway-integration"]["type"] != "mock":
                yield f"{method} {path}", operation["x-amazon-apigateway-integration"]["uri"]
    for name, scheme in definition["securityDefinitions"].items():
        yield name, scheme["x-amazon-apigateway-authorizer"]["authorizerUri"]


def test_every_function_publishes_versions_under_the_alias(template: PackagedTemplate) -> None:
    for name, function in template.functions.items():
        # SAM connects the event sources and schedules of such a function to its alias, with their
        # permissions.
        assert function["AutoPublishAlias"] == ALIAS, name


def test_every_method_of_the_api_and_its_authorizer_call_an_alias(template: PackagedTemplate) -> None:
    called = dict(iter_integrations(template))
    assert len(called) > len(ANSWERING)
    aliases = {f"/functions/${{{function}Alias{ALIAS}}}/invocations" for function in ANSWERING}
    for name, address in called.items():
        assert any(address["Fn::Sub"].endswith(alias) for alias in aliases), name


def test_a_route_calls_the_function_that_is_trusted_with_it(template: PackagedTemplate) -> None:
    called = dict(iter_integrations(template))
    routes = {name: address["Fn::Sub"] for name, address in called.items() if " /" in name}
    for name, address in routes.items():
        method, _, path = name.partition(" ")
        assert f"${{{find_function(method.upper(), path)}Alias{ALIAS}}}" in address, name
    listed = {each.rpartition(" ")[2] for each in chain(*ROUTES.values())}
    assert listed <= {name.partition(" ")[2] for name in routes}


def test_api_gateway_may_call_the_aliases_and_no_function_itself(template: PackagedTemplate) -> None:
    allowed = [
        each["FunctionName"]
        for each in template.find_resources("AWS::Lambda::Permission").values()
        if each["Principal"] == "apigateway.amazonaws.com"
    ]
    assert sorted(allowed, key=to_json) == [{"Ref": f"{name}Alias{ALIAS}"} for name in sorted(ANSWERING)]


def test_nothing_of_the_api_names_a_function_itself(template: PackagedTemplate) -> None:
    text = to_json(template.api)
    for name in template.functions:
        assert f"${{{name}.Arn}}" not in text, name


def test_a_new_version_gets_a_tenth_of_the_calls_for_five_minutes_and_alarms_take_it_back(
    template: PackagedTemplate,
) -> None:
    assert template.document["Parameters"]["Canary"]["Default"] == "true"
    alarms = template.find_resources("AWS::CloudWatch::Alarm")
    for name, function in template.functions.items():
        preference = function["DeploymentPreference"]
        assert (preference["Enabled"], preference["Type"]) == (
            {"Ref": "Canary"},
            "Canary10Percent5Minutes",
        ), name
        watched = [alarms[each["Ref"]] for each in preference["Alarms"]]
        # CodeDeploy takes ten. One that watches the API would depend on it, and so on the alias that it is to
        # move.
        assert 1 < len(watched) <= 10, name
        assert "RestAPI" not in to_json(watched), name
        own = f'"Ref": "{name}"' if name != "AuthorizeCaller" else "AuthorizerErrors"
        assert own in to_json(watched), name


def test_codedeploy_may_move_the_aliases_of_this_stack_alone(template: PackagedTemplate) -> None:
    grants = list(template.iter_grants("TrafficShiftRole"))
    assert {each.action for each in grants if each.resource == "*"} == {"cloudwatch:DescribeAlarms"}
    rest = [each for each in grants if each.resource != "*"]
    assert {each.resource for each in rest if each.action == "lambda:UpdateAlias"} == {
        f"{name}.Arn{end}" for name in template.functions for end in ("", f":{ALIAS}")
    }
    assert {each.action.partition(":")[0] for each in rest} == {"lambda"}


def test_only_functions_that_a_caller_waits_for_start_from_snapshots(template: PackagedTemplate) -> None:
    by_snapshot = {
        name: each["SnapStart"] for name, each in template.functions.items() if "SnapStart" in each
    }
    assert by_snapshot == {
        name: {"ApplyOn": {"Ref": "SnapStart"}} for name in ("APIHandler", "AuthorizeCaller")
    }


def read_digests(template: PackagedTemplate, archive: str = ARCHIVE, **parameters: str) -> dict[str, str]:
    named = name_release(template.document, archive, URL, parameters)
    return {name: properties["AutoPublishCodeSha256"] for name, properties in iter_functions(named)}


def test_the_same_release_publishes_nothing(template: PackagedTemplate) -> None:
    same = read_digests(template, QuietFrom=str(template.document["Parameters"]["QuietFrom"]["Default"]))
    assert same == read_digests(template, QuietFrom="20")


@pytest.mark.parametrize(
    ("archive", "parameters"), [("1" * 64, {}), (ARCHIVE, {"QuietFrom": "19"})], ids=["the zip", "a setting"]
)
def test_another_zip_or_setting_publishes_a_version_of_every_function(
    template: PackagedTemplate, archive: str, parameters: dict[str, str]
) -> None:
    before, after = read_digests(template), read_digests(template, archive, **parameters)
    assert [name for name in before if before[name] == after[name]] == []


def test_a_parameter_that_no_function_gets_publishes_nothing(template: PackagedTemplate) -> None:
    assert read_digests(template, AlarmEmail="another@example.org") == read_digests(template)


def test_a_change_of_one_function_publishes_a_version_of_it_alone(template: PackagedTemplate) -> None:
    changed = json.loads(to_json(template.document))
    changed["Resources"]["ExportDays"]["Properties"]["MemorySize"] += 1
    before, after = read_digests(template), read_digests(PackagedTemplate(changed))
    assert [name for name in before if before[name] != after[name]] == ["ExportDays"]
