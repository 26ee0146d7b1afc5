"""What analysts query in Athena: a table of the Parquet files, off unless the stage writes them."""

from chalicelib.campaigns.model import CampaignDay
from chalicelib.exports import store
from chalicelib.exports.parquet import COLUMNS
from infra.template import load_parameters
from tests.support.registration_builders import FIRST_DAY
from tests.support.template import PackagedTemplate, to_json

CONDITION = "ParquetIsWanted"
ATHENA_TYPES = {"VARCHAR": "string", "VARCHAR[]": "array<string>", "BOOLEAN": "boolean", "DATE": "date"}


def make_location(campaign_day: CampaignDay, template: str) -> str:
    return template.replace("${!campaign}", campaign_day.campaign_id).replace(
        "${!day}", campaign_day.day.isoformat()
    )


def test_a_stage_without_the_layer_has_none_of_it(template: PackagedTemplate) -> None:
    assert load_parameters()["ParquetLayer"]["Default"] == ""
    made = {name for name, each in template.resources.items() if each.get("Condition") == CONDITION}
    assert made == {"AnalystsDatabase", "CapturesTable", "AnalystsWorkGroup"}


def test_only_the_exporting_function_has_the_layer(template: PackagedTemplate) -> None:
    layers = {
        name: each["Properties"]["Layers"]
        for name, each in template.resources.items()
        if "Layers" in each.get("Properties", {})
    }
    assert layers == {
        "ExportDays": {"Fn::If": [CONDITION, [{"Ref": "ParquetLayer"}], {"Ref": "AWS::NoValue"}]}
    }


def test_the_table_has_the_columns_of_the_files(template: PackagedTemplate) -> None:
    [table] = template.find_resources("AWS::Glue::Table").values()
    columns = table["TableInput"]["StorageDescriptor"]["Columns"]
    assert {each["Name"]: each["Type"] for each in columns} == {
        name: ATHENA_TYPES[kind] for name, kind in COLUMNS.items()
    }


def test_the_table_finds_the_file_of_a_day(template: PackagedTemplate) -> None:
    [table] = template.find_resources("AWS::Glue::Table").values()
    location = table["TableInput"]["Parameters"]["storage.location.template"]["Fn::Sub"]
    prefix = store._parquet_prefix(FIRST_DAY)
    assert make_location(FIRST_DAY, location) == f"s3://${{ExportsBucket}}/{prefix}"
    assert [each["Name"] for each in table["TableInput"]["PartitionKeys"]] == ["campaign", "day"]


def test_answers_of_queries_outlive_an_erasure_by_a_week(template: PackagedTemplate) -> None:
    [group] = template.find_resources("AWS::Athena::WorkGroup").values()
    configuration = group["WorkGroupConfiguration"]
    place = configuration["ResultConfiguration"]["OutputLocation"]["Fn::Sub"]
    rules = template.resources["ExportsBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    [days] = [each["ExpirationInDays"] for each in rules if place.endswith(f"/{each.get('Prefix')}")]
    assert days == 7
    # Whoever asks cannot have the answers put elsewhere, or read more than was meant.
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["BytesScannedCutoffPerQuery"] > 0


def test_no_function_may_query(template: PackagedTemplate) -> None:
    roles = template.find_resources("AWS::IAM::Role")
    assert "athena:" not in to_json(roles)
    assert "glue:" not in to_json(roles)
