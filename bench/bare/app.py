"""A minimal handler to compare with: Chalice, boto3, one `put_item` of the parsed body."""

import os
from typing import Any

import boto3
from boto3.dynamodb.types import TypeSerializer
from chalice.app import Chalice

app = Chalice(app_name="bare")
dynamodb = boto3.client("dynamodb")
serializer = TypeSerializer()


@app.route("/v1/registrations", methods=["POST"])
def put() -> dict[str, Any]:
    request = app.current_request
    assert request is not None  # noqa: S101 - there is one whenever Chalice calls a view
    body = request.json_body
    item = {"pk": body["capture_id"], **body}
    dynamodb.put_item(
        TableName=os.environ["BARE_TABLE"],
        Item={name: serializer.serialize(value) for name, value in item.items()},
    )
    return {"capture_id": body["capture_id"]}
