"""Warm throughput: an option of the stage for the tables and indexes that a registration writes most."""

from infra.template import load_parameters
from infra.warm_throughput import CONDITION, MAPPING, PARAMETER, UNITS
from tests.support.template import PackagedTemplate


def test_no_stage_pays_for_warm_throughput_unless_it_asks(template: PackagedTemplate) -> None:
    assert load_parameters()[PARAMETER]["Default"] == 0
    for name, table in template.tables.items():
        places = (table, *table.get("GlobalSecondaryIndexes", ()))
        conditions = [each["WarmThroughput"]["Fn::If"][0] for each in places if "WarmThroughput" in each]
        assert set(conditions) <= {CONDITION}, name


def test_every_place_that_is_named_has_its_throughput(template: PackagedTemplate) -> None:
    warmed = set()
    for name, table in template.tables.items():
        warmed |= {name} if "WarmThroughput" in table else set()
        warmed |= {
            f"{name}.{index['IndexName']}"
            for index in table.get("GlobalSecondaryIndexes", ())
            if "WarmThroughput" in index
        }
    assert warmed == set(UNITS)


def test_each_rate_that_may_be_chosen_has_its_units_and_none_less_than_a_new_table(
    template: PackagedTemplate,
) -> None:
    mapping = template.document["Mappings"][MAPPING]
    assert list(mapping) == [str(rate) for rate in load_parameters()[PARAMETER]["AllowedValues"]]
    for rate, units in mapping.items():
        assert len(units) == len(UNITS), rate
        assert min(units.values()) >= 4_000, rate
    assert mapping["500"]["RegistrationsTable"] == 500 * UNITS["RegistrationsTable"]
