"""A meter around AWS clients: requests, DynamoDB's units, and bytes, as AWS would bill them.

moto answers with no true figures of its own, so units are computed by AWS's published rules from the items
before and after each request. A write costs one unit for each started kilobyte of the larger version, twice
that in a transaction; a condition that fails costs the same; each index of which an entry changes costs a
write of its own, and two if the entry moves. A consistent read costs one unit for 4 kilobytes, a read of an
index half of that.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any, NamedTuple

import boto3

from tests.support.item_sizes import measure_item
from tests.support.moto_tables import read_table_definitions

Item = Mapping[str, Any]

_WRITE_UNIT_BYTES, _READ_UNIT_BYTES, _SQS_REQUEST_BYTES = 1_024, 4_096, 65_536
_WRITES = {"PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}


class Partition(NamedTuple):
    """A partition key's value, in a table, or in an index as `Table.index`."""

    place: str
    value: str


class AwsMeter:
    """Counts what the watched clients ask of AWS, by the item of the bill.

    `written` are the write units of each partition key, `rows_read` and `bytes_read` what queries returned.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.written: Counter[Partition] = Counter()
        self.rows_read: Counter[str] = Counter()
        self.bytes_read: Counter[str] = Counter()
        self._dynamodb = boto3.client("dynamodb")

    def clear(self) -> None:
        """Begin to count anew."""
        for counter in (self.counts, self.written, self.rows_read, self.bytes_read):
            counter.clear()

    def watch(self, *clients: Any) -> None:
        """Count the requests of these clients from now on."""
        for client in clients:
            service = client.meta.service_model.service_name
            client.meta.events.register(f"before-parameter-build.{service}", self._begin)
            client.meta.events.register(f"after-call.{service}", self._finish)

    def _begin(self, params: Any, model: Any, context: dict[str, Any], **_: Any) -> None:
        context["metered"] = (model, params, [])
        if model.service_model.service_name == "dynamodb":
            writes = [*_iter_writes(model.name, params)]
            context["metered"] = (model, params, [(each, self._find(each)) for each in writes])

    def _finish(self, parsed: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
        model, params, writes = context["metered"]
        service = model.service_model.service_name
        self.counts[f"{service}.requests"] += 1
        match service:
            case "dynamodb":
                self._count_writes(model.name, writes)
                self._count_reads(model.name, params, parsed)
            case "sqs":
                body = params.get("MessageBody", "") + "".join(
                    each["MessageBody"] for each in params.get("Entries", [])
                )
                self.counts["sqs.chunks"] += max(1, ceil(len(body.encode()) / _SQS_REQUEST_BYTES))

    def _count_writes(self, operation: str, writes: list[tuple[dict[str, Any], Item | None]]) -> None:
        factor = 2 if operation == "TransactWriteItems" else 1
        for write, before in writes:
            after = self._find(write)
            size = max(_measure(before), _measure(after))
            table, units = write["TableName"], factor * max(1, ceil(size / _WRITE_UNIT_BYTES))
            self.counts["dynamodb.write_units"] += units
            self.written[Partition(table, next(iter(write["Key"].values()))["S"])] += units
            for index in _list_indexes(table):
                for partition, written in _count_index_writes(index, table, before, after):
                    self.counts["dynamodb.index_write_units"] += written
                    self.written[partition] += written

    def _count_reads(self, operation: str, params: Any, parsed: dict[str, Any]) -> None:
        factor = 1.0 if params.get("ConsistentRead") else 0.5
        match operation:
            case "GetItem":
                units = max(1, ceil(_measure(parsed.get("Item")) / _READ_UNIT_BYTES)) * factor
            case "Query" | "Scan":
                items = parsed.get("Items", [])
                size = sum(map(measure_item, items))
                place = ".".join(filter(None, (params["TableName"], params.get("IndexName"))))
                self.rows_read[place] += len(items)
                self.bytes_read[place] += size
                units = max(1, ceil(size / _READ_UNIT_BYTES)) * factor
            case "BatchGetItem":
                units = sum(
                    max(1, ceil(measure_item(item) / _READ_UNIT_BYTES))
                    for items in parsed.get("Responses", {}).values()
                    for item in items
                )
            case _:
                return
        self.counts["dynamodb.read_units"] += units  # type: ignore[assignment] # halves, too

    def _find(self, write: Mapping[str, Any]) -> Item | None:
        table, key = write["TableName"], write["Key"]
        return self._dynamodb.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")


def _iter_writes(operation: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield table and key of each write of a request."""
    if operation == "TransactWriteItems":
        for member in params["TransactItems"]:
            ((_, request),) = member.items()
            yield _name_write(request)
    elif operation in _WRITES:
        yield _name_write(params)


def _name_write(request: Mapping[str, Any]) -> dict[str, Any]:
    table = request["TableName"]
    names = [each["AttributeName"] for each in read_table_definitions()[table]["KeySchema"]]
    item = request.get("Key") or request["Item"]
    return {"TableName": table, "Key": {name: item[name] for name in names}}


def _list_indexes(table: str) -> list[dict[str, Any]]:
    indexes: list[dict[str, Any]] = read_table_definitions()[table].get("GlobalSecondaryIndexes", [])
    return indexes


def _count_index_writes(
    index: Mapping[str, Any], table: str, before: Item | None, after: Item | None
) -> Iterator[tuple[Partition, int]]:
    """Yield the partitions of an index that a write changes: two where its entry moves to another place."""
    old, new = _project(index, table, before), _project(index, table, after)
    if old == new:
        return
    keys = [each["AttributeName"] for each in index["KeySchema"]]
    units = max(1, ceil(max(_measure(old), _measure(new)) / _WRITE_UNIT_BYTES))
    has_moved = old is not None and new is not None and any(old[key] != new[key] for key in keys)
    for entry in (old, new) if has_moved else (new or old,):
        yield Partition(f"{table}.{index['IndexName']}", (entry or {})[keys[0]]["S"]), units


def _project(index: Mapping[str, Any], table: str, item: Item | None) -> Item | None:
    """Return an item as an index has it, or None if it has none."""
    keys = [each["AttributeName"] for each in index["KeySchema"]]
    if item is None or any(key not in item for key in keys):
        return None
    if index["Projection"]["ProjectionType"] == "ALL":
        return item
    own = [each["AttributeName"] for each in read_table_definitions()[table]["KeySchema"]]
    names = {*keys, *own, *index["Projection"].get("NonKeyAttributes", [])}
    return {name: value for name, value in item.items() if name in names}


def _measure(item: Item | None) -> int:
    return 0 if item is None else measure_item(item)
