"""Runs side by side: the rules of a stage that asks for them, beside the functions' own schedules."""

import json
from typing import Any

import pytest
from chalice.app import CloudWatchEvent

from chalicelib.shares import Share, get_share
from infra.functions import ALIAS
from infra.shares import CONDITION, PARAMETER, SCHEDULES
from infra.template import load_parameters
from tests.support.template import EventSource, PackagedTemplate, resolve_logical_id

MOST_TARGETS = 5


def find_own_rule(template: PackagedTemplate, function: str) -> EventSource:
    (source,) = (each for each in template.find_event_sources("Schedule") if each.function == function)
    return source


def list_rules(template: PackagedTemplate, function: str) -> list[dict[str, Any]]:
    return [
        resource
        for name, resource in template.resources.items()
        if resource["Type"] == "AWS::Events::Rule" and name.startswith(function)
    ]


def read_share(event: str) -> Share:
    return get_share(CloudWatchEvent(json.loads(event), None))


def test_a_stage_that_asks_for_nothing_has_one_run_for_all_of_the_work(template: PackagedTemplate) -> None:
    assert load_parameters()[PARAMETER]["Default"] == 1
    for function in SCHEDULES:
        condition, _, otherwise = find_own_rule(template, function).properties["Input"]["Fn::If"]
        assert (condition, otherwise) == (CONDITION, {"Ref": "AWS::NoValue"})
        assert {rule["Condition"] for rule in list_rules(template, function)} == {CONDITION}


@pytest.mark.parametrize("function", SCHEDULES)
def test_the_runs_side_by_side_have_each_share_once(template: PackagedTemplate, function: str) -> None:
    most = max(load_parameters()[PARAMETER]["AllowedValues"])
    _, own, _ = find_own_rule(template, function).properties["Input"]["Fn::If"]
    targets = [target for rule in list_rules(template, function) for target in rule["Properties"]["Targets"]]

    shares = [read_share(event) for event in (own, *(target["Input"] for target in targets))]

    assert shares == [Share(number, most) for number in range(most)]


@pytest.mark.parametrize("function", SCHEDULES)
def test_a_rule_of_shares_starts_and_fails_as_the_own_schedule_of_the_function(
    template: PackagedTemplate, function: str
) -> None:
    own = find_own_rule(template, function).properties
    for rule in list_rules(template, function):
        assert rule["Properties"]["ScheduleExpression"] == own["Schedule"]
        assert len(rule["Properties"]["Targets"]) <= MOST_TARGETS
        for target in rule["Properties"]["Targets"]:
            assert target["Arn"] == {"Ref": f"{function}Alias{ALIAS}"}
            assert target["RetryPolicy"] == own["RetryPolicy"]
            assert target["DeadLetterConfig"] == own["DeadLetterConfig"]


def test_each_rule_of_shares_may_start_its_function(template: PackagedTemplate) -> None:
    permissions = {
        resolve_logical_id(each["SourceArn"]): resolve_logical_id(each["FunctionName"])
        for each in template.find_resources("AWS::Lambda::Permission").values()
        if "SourceArn" in each and "Fn::GetAtt" in each["SourceArn"]
    }
    for function in SCHEDULES:
        for name, resource in template.resources.items():
            if resource in list_rules(template, function):
                assert permissions[name] == f"{function}Alias{ALIAS}"
