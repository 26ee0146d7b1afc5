"""The models of AWS's services in the zip: the SDK's own, with the operations that the product calls alone.

A client is made from its service's model. DynamoDB's has 62 operations with their documentation, which took
a cold start longer to read than all else of the client; the product calls seven.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from botocore.loaders import Loader

OPERATIONS: Mapping[str, tuple[str, ...]] = {
    "dynamodb": (
        "BatchGetItem",
        "DeleteItem",
        "GetItem",
        "PutItem",
        "Query",
        "TransactWriteItems",
        "UpdateItem",
    ),
    "kms": ("Decrypt", "GenerateDataKeyWithoutPlaintext"),
    "pinpoint-sms-voice-v2": ("SendTextMessage",),
    "s3": ("DeleteObject", "GetObject", "ListObjectsV2", "PutObject"),
    "secretsmanager": ("GetSecretValue",),
    "sesv2": ("SendEmail",),
    "sqs": ("ChangeMessageVisibility", "SendMessage", "SendMessageBatch"),
}
"""The operations that the product calls, by service. A test holds that none is missing."""


def write_service_models(tree: Path) -> None:
    """Write the models into an unpacked zip, where `chalicelib.aws.service_data` looks for them."""
    directory = tree / "chalicelib" / "aws" / "service_models"
    directory.mkdir()
    for service in OPERATIONS:
        text = json.dumps(build_service_model(service), separators=(",", ":"))
        (directory / f"{service}.json").write_text(text)


def build_service_model(service: str) -> dict[str, Any]:
    """Return the SDK's model of a service with its used operations, their shapes, and no documentation."""
    model: Mapping[str, Any] = Loader().load_service_model(service, "service-2")
    operations = {name: model["operations"][name] for name in OPERATIONS[service]}
    shapes: dict[str, Any] = {}
    wanted = [*_iter_shape_names(operations)]
    while wanted:
        name = wanted.pop()
        if name not in shapes:
            shapes[name] = model["shapes"][name]
            wanted += _iter_shape_names(shapes[name])
    # The SDK reads the documentation of the parameters of a client, and of nothing else.
    kept = {name: part for name, part in model.items() if name != "documentation"}
    return {
        **kept,
        "operations": _without_documentation(operations),
        "shapes": _without_documentation(shapes),
    }


def _iter_shape_names(part: Any) -> Iterator[str]:
    """Yield the names of the shapes that a part of a model refers to."""
    if isinstance(part, dict):
        if isinstance(part.get("shape"), str):
            yield part["shape"]
        for each in part.values():
            yield from _iter_shape_names(each)
    elif isinstance(part, list):
        for each in part:
            yield from _iter_shape_names(each)


def _without_documentation(part: Any) -> Any:
    if isinstance(part, dict):
        # A member of a shape may have this name, and is no text.
        return {
            name: _without_documentation(each)
            for name, each in part.items()
            if name != "documentation" or not isinstance(each, str)
        }
    return [_without_documentation(each) for each in part] if isinstance(part, list) else part
