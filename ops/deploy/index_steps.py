"""Split an update that adds several indexes to a table.

DynamoDB creates one new index in one update of a table, so CloudFormation refuses a template with more. Each
step is the deployed template with one more index on each such table; the new template comes last.
Source: CloudFormation's guide, AWS::DynamoDB::Table, GlobalSecondaryIndexes.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import Any

_TABLE = "AWS::DynamoDB::Table"
_INDEXES = "GlobalSecondaryIndexes"
_ATTRIBUTES = "AttributeDefinitions"


def iter_index_steps(deployed: Mapping[str, Any], wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the templates to deploy before `wanted`. Their order is that of the indexes in `wanted`."""
    step = deepcopy(dict(deployed))
    while True:
        missing = {
            name: indexes
            for name, resource in wanted["Resources"].items()
            if resource["Type"] == _TABLE
            and name in step["Resources"]
            and (indexes := _list_missing(step["Resources"][name], resource))
        }
        # The new template itself brings the last one.
        if all(len(indexes) == 1 for indexes in missing.values()):
            return
        for name, indexes in missing.items():
            if len(indexes) > 1:
                _add_index(step["Resources"][name]["Properties"], wanted["Resources"][name], indexes[0])
        yield deepcopy(step)


def _list_missing(deployed: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[dict[str, Any]]:
    present = {index["IndexName"] for index in deployed["Properties"].get(_INDEXES, [])}
    return [index for index in wanted["Properties"].get(_INDEXES, []) if index["IndexName"] not in present]


def _add_index(table: dict[str, Any], wanted: Mapping[str, Any], index: dict[str, Any]) -> None:
    defined = {each["AttributeName"] for each in table[_ATTRIBUTES]}
    needed = {each["AttributeName"] for each in index["KeySchema"]} - defined
    table[_INDEXES] = [*table.get(_INDEXES, []), index]
    table[_ATTRIBUTES] += [
        each for each in wanted["Properties"][_ATTRIBUTES] if each["AttributeName"] in needed
    ]
