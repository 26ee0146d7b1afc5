"""Warm throughput: writes that tables and indexes take at once, where the stage asks for it.

A new on-demand table takes 4,000 write units a second at once and grows as it is used: a stage that begins
with more would refuse captures. Warm throughput also splits the table, which gives its stream as many shards.
AWS charges for it once; it cannot be taken back, and never shrinks.
"""

from collections.abc import Iterator
from typing import Any

PARAMETER, CONDITION, MAPPING = "WarmRegistrationsASecond", "TablesAreWarmed", "WarmWriteUnits"

# Write units for one registration, from intake to payment, as `bench/model` counts them. What is not named
# here takes less than a new table does.
UNITS = {
    "RegistrationsTable": 38,
    "RegistrationsTable.by_status": 5,
    "RegistrationsTable.by_campaign_day": 4,
    "RegistrationsTable.by_due_day": 3,
    "SmsLedgerTable": 7,
    "SmsLedgerTable.by_campaign_day": 5,
    "SmsLedgerTable.by_due": 4,
    "SendingTable": 11,
    "AuditTable": 6,
    "AuditTable.by_client": 4,
    "ReviewsTable": 3,
}
_NEW_TABLE_WRITE_UNITS, _NEW_TABLE_READ_UNITS = 4_000, 12_000


def make_mapping(rates: list[int]) -> dict[str, dict[str, int]]:
    """Return the write units of each table and index for each rate that the parameter allows."""
    return {
        str(rate): {
            _make_map_key(place): max(_NEW_TABLE_WRITE_UNITS, rate * units) for place, units in UNITS.items()
        }
        for rate in rates
    }


def add_warm_throughput(resources: dict[str, Any]) -> None:
    """Give each table and index that is named here its throughput under the condition."""
    for place, properties in _iter_places(resources):
        if place in UNITS:
            write_units = {"Fn::FindInMap": [MAPPING, {"Ref": PARAMETER}, _make_map_key(place)]}
            warm = {"ReadUnitsPerSecond": _NEW_TABLE_READ_UNITS, "WriteUnitsPerSecond": write_units}
            properties["WarmThroughput"] = {"Fn::If": [CONDITION, warm, {"Ref": "AWS::NoValue"}]}


def _iter_places(resources: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in resources.items():
        if resource.get("Type") == "AWS::DynamoDB::Table":
            yield name, resource["Properties"]
            for index in resource["Properties"].get("GlobalSecondaryIndexes", ()):
                yield f"{name}.{index['IndexName']}", index


def _make_map_key(place: str) -> str:
    # Keys of mappings are letters and digits.
    return place.replace(".", " ").replace("_", " ").title().replace(" ", "") if "." in place else place
