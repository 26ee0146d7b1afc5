"""An update with several new indexes of a table is split: one new index of a table in one update."""

from copy import deepcopy
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ops.deploy.index_steps import iter_index_steps


def make_template(indexes: dict[str, list[str]]) -> dict[str, Any]:
    """Return a template with tables and their indexes, each on an attribute of its own name."""
    return {
        "Resources": {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {}},
            **{
                table: {
                    "Type": "AWS::DynamoDB::Table",
                    "Properties": {
                        "AttributeDefinitions": [
                            {"AttributeName": each, "AttributeType": "S"} for each in ["pk", *names]
                        ],
                        "GlobalSecondaryIndexes": [
                            {"IndexName": each, "KeySchema": [{"AttributeName": each, "KeyType": "HASH"}]}
                            for each in names
                        ],
                    },
                }
                for table, names in indexes.items()
            },
        }
    }


def list_indexes(template: dict[str, Any], table: str) -> list[str]:
    properties = template["Resources"][table]["Properties"]
    return [each["IndexName"] for each in properties["GlobalSecondaryIndexes"]]


def test_one_new_index_needs_no_step() -> None:
    deployed, wanted = make_template({"T": ["a"], "U": []}), make_template({"T": ["a", "b"], "U": ["c"]})
    assert list(iter_index_steps(deployed, wanted)) == []


def test_a_new_table_gets_all_its_indexes_at_once() -> None:
    assert list(iter_index_steps(make_template({}), make_template({"T": ["a", "b", "c"]}))) == []


def test_a_table_without_indexes_gets_its_first() -> None:
    deployed, wanted = make_template({"T": []}), make_template({"T": ["a", "b"]})
    del deployed["Resources"]["T"]["Properties"]["GlobalSecondaryIndexes"]
    [step] = iter_index_steps(deployed, wanted)
    assert list_indexes(step, "T") == ["a"]


names = st.lists(st.sampled_from("abcdef"), unique=True)


@given(st.lists(st.tuples(names, names), min_size=1, max_size=3))
def test_each_step_and_the_new_template_bring_at_most_one_index_to_a_table(
    tables: list[tuple[list[str], list[str]]],
) -> None:
    before = {f"T{number}": own for number, (own, _) in enumerate(tables)}
    after = {
        f"T{number}": [*own, *(each for each in more if each not in own)]
        for number, (own, more) in enumerate(tables)
    }
    deployed, wanted = make_template(before), make_template(after)
    untouched = deepcopy(deployed)

    steps = [deployed, *iter_index_steps(deployed, wanted), wanted]

    assert deployed == untouched
    assert len(steps) - 2 == max(0, *(len(after[table]) - len(before[table]) - 1 for table in after))
    for earlier, later in pairwise(steps):
        for table in after:
            new = [each for each in list_indexes(later, table) if each not in list_indexes(earlier, table)]
            assert len(new) <= 1
            attributes = later["Resources"][table]["Properties"]["AttributeDefinitions"]
            defined = {each["AttributeName"] for each in attributes}
            assert defined == {"pk", *list_indexes(later, table)}
