"""Requests to DynamoDB: the same to the byte as the SDK's own, which go through its model of each value."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.model import OperationModel
from botocore.serialize import JSONSerializer
from hypothesis import given

from chalicelib.aws.clients import AwsClients
from chalicelib.aws.items import to_item
from chalicelib.aws.serializers import ItemSerializer
from tests.support.item_values import ITEM_VALUES

_CLIENTS = AwsClients()

_REQUESTS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "PutItem": lambda item: {"TableName": "T", "Item": item, "ConditionExpression": "attribute_exists(pk)"},
    "UpdateItem": lambda item: {
        "TableName": "T",
        "Key": item,
        "ExpressionAttributeValues": {":all": {"M": item}},
    },
    "Query": lambda item: {"TableName": "T", "Limit": 200, "ExclusiveStartKey": item},
    "BatchGetItem": lambda item: {"RequestItems": {"T": {"Keys": [item, item], "ConsistentRead": True}}},
    "TransactWriteItems": lambda item: {
        "TransactItems": [
            {"Put": {"TableName": "T", "Item": item}},
            {"Delete": {"TableName": "T", "Key": item}},
        ]
    },
}


def _get_operation(name: str) -> OperationModel:
    operation: OperationModel = _CLIENTS.dynamodb.meta.service_model.operation_model(name)
    return operation


@pytest.mark.parametrize("operation_name", _REQUESTS)
@given(values=ITEM_VALUES)
def test_a_request_is_the_one_of_the_sdk(operation_name: str, values: dict[str, Any]) -> None:
    parameters, operation = _REQUESTS[operation_name](to_item(values)), _get_operation(operation_name)

    request = ItemSerializer().serialize_to_request(parameters, operation)

    assert request == JSONSerializer().serialize_to_request(parameters, operation)


def test_the_values_of_a_request_are_left_as_they_were() -> None:
    item = to_item({"sealed": b"1", "map": {"list": [b"2"]}})

    ItemSerializer().serialize_to_request({"TableName": "T", "Item": item}, _get_operation("PutItem"))

    assert item == to_item({"sealed": b"1", "map": {"list": [b"2"]}})


@pytest.mark.parametrize("client", ["dynamodb", "best_effort_dynamodb"])
def test_each_client_of_dynamodb_serializes_so(client: str) -> None:
    assert isinstance(getattr(_CLIENTS, client)._serializer, ItemSerializer)
