"""Rules that start a scheduled job as several runs side by side, where the stage asks for it.

Without them, the rule of the function's own schedule starts one run for all of the work. With them, that run
does the first share, and these rules start one for each of the others at the same time.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from infra.functions import ALIAS

PARAMETER, CONDITION = "RunsSideBySide", "RunsAreSideBySide"

# Must be the schedules in `app.py`; a test compares them.
SCHEDULES = {"RollUpDueDays": "cron(0 * * * ? *)", "AgeRegistrations": "cron(10/30 * * * ? *)"}

# A rule of EventBridge takes no more.
_MAX_TARGETS = 5

# Chalice reads all of them from the event of a schedule.
_EVENT = {
    "version": "0",
    "id": "share",
    "account": "-",
    "region": "-",
    "time": "-",
    "source": "daftar",
    "detail-type": "Share of a scheduled job",
    "resources": [],
}


def make_input(number: int, count: int) -> str:
    """Return the event that starts the run of a share."""
    return json.dumps({**_EVENT, "detail": {"share": number, "count": count}})


def add_first_shares(resources: Mapping[str, Any], count: int) -> None:
    """Have the rule of each function's own schedule start the first share, under the condition."""
    for function in SCHEDULES:
        event = resources[function]["Properties"]["Events"][f"{function}Event"]["Properties"]
        event["Input"] = {"Fn::If": [CONDITION, make_input(0, count), {"Ref": "AWS::NoValue"}]}


def make_rules(resources: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return the rules of the other shares, with the permission of each to start its function."""
    return {
        name: {**resource, "Condition": CONDITION}
        for function in SCHEDULES
        for name, resource in _iter_resources(function, resources[function]["Properties"]["Events"], count)
    }


def _iter_resources(function: str, events: Mapping[str, Any], count: int) -> Iterator[tuple[str, Any]]:
    own = events[f"{function}Event"]["Properties"]
    for first in range(1, count, _MAX_TARGETS):
        numbers = range(first, min(first + _MAX_TARGETS, count))
        rule = f"{function}SharesFrom{first}"
        targets = [
            {
                "Id": f"Share{number}",
                "Arn": {"Ref": f"{function}Alias{ALIAS}"},
                "Input": make_input(number, count),
                "RetryPolicy": own["RetryPolicy"],
                "DeadLetterConfig": own["DeadLetterConfig"],
            }
            for number in numbers
        ]
        yield (
            rule,
            {
                "Type": "AWS::Events::Rule",
                "Properties": {
                    "Description": f"Shares {numbers[0]} to {numbers[-1]}. {own['Description']}",
                    "ScheduleExpression": SCHEDULES[function],
                    "Targets": targets,
                },
            },
        )
        yield (
            f"{rule}Permission",
            {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "Action": "lambda:InvokeFunction",
                    "FunctionName": {"Ref": function},  # Packaging puts the alias in its place.
                    "Principal": "events.amazonaws.com",
                    "SourceArn": {"Fn::GetAtt": [rule, "Arn"]},
                },
            },
        )
