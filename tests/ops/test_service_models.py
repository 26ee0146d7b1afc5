"""The models of AWS's services in the zip have all that the product calls, and nothing else."""

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest
from botocore.handlers import BUILTIN_HANDLERS
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from chalicelib.aws import service_data
from chalicelib.aws.clients import AwsClients
from chalicelib.aws.sessions import create_session
from ops.deploy.service_models import OPERATIONS, build_service_model, write_service_models
from tests.support.source_tree import ROOT

# Methods of our own, or of other libraries, that are named like an operation.
_NO_OPERATIONS = {("kms", "Encrypt")}


def iter_words(path: Path) -> Iterator[str]:
    """Yield every attribute and every string of a module: a client's method is one or the other."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


@cache
def list_words() -> set[str]:
    return {word for path in (ROOT / "chalicelib").rglob("*.py") for word in iter_words(path)}


def load_whole_model(service: str) -> dict[str, Any]:
    return dict(Loader().load_service_model(service, "service-2"))


@pytest.mark.parametrize("service", OPERATIONS)
def test_every_operation_that_the_code_names_is_in_the_zip(service: str) -> None:
    words = list_words()
    named = {
        operation
        for operation in load_whole_model(service)["operations"]
        if (service, operation) not in _NO_OPERATIONS and xform_name(operation) in words
    }
    presigned = {"GetObject"} if service == "s3" else set()
    assert named | presigned == set(OPERATIONS[service])


def test_every_service_of_the_product_is_in_the_zip() -> None:
    loader = service_data.ServiceDataLoader()
    assert sorted(OPERATIONS) == sorted(loader.list_available_services("service-2"))


@pytest.mark.parametrize("service", OPERATIONS)
def test_the_shapes_of_an_operation_are_those_of_the_sdk(service: str) -> None:
    whole = ServiceModel(load_whole_model(service), service)
    trimmed = ServiceModel(build_service_model(service), service)
    assert trimmed.operation_names == list(OPERATIONS[service])
    assert trimmed.metadata == whole.metadata
    for name in OPERATIONS[service]:
        ours, sdks = trimmed.operation_model(name), whole.operation_model(name)
        assert describe_operation(ours) == describe_operation(sdks)
    for name in trimmed.shape_names:
        assert describe_shape(trimmed.shape_for(name)) == describe_shape(whole.shape_for(name))


def describe_operation(operation: OperationModel) -> list[Any]:
    shapes = (operation.input_shape, operation.output_shape, *operation.error_shapes)
    return [operation.http, operation.auth, operation.auth_type, *(each and each.name for each in shapes)]


def describe_shape(shape: Any) -> list[Any]:
    """Return what serializers and parsers read of a shape. Raise if the model has no shape of a member."""
    parts = {"structure": "members", "list": "member", "map": "value"}
    part = getattr(shape, parts[shape.type_name]) if shape.type_name in parts else None
    members = part if isinstance(part, dict) else {"": part} if part is not None else {}
    described = [
        (name, each.name, each.type_name, each.serialization, each.metadata) for name, each in members.items()
    ]
    return [shape.type_name, shape.serialization, shape.metadata, *described]


# A request with each operation.
_KEY, _ITEM = {"pk": {"S": "a"}}, {"pk": {"S": "a"}, "number": {"N": "1"}, "sealed": {"B": b"b"}}
EXAMPLES: Mapping[str, Mapping[str, Any]] = {
    "BatchGetItem": {"RequestItems": {"table": {"Keys": [_KEY], "ConsistentRead": True}}},
    "DeleteItem": {"TableName": "table", "Key": _KEY},
    "GetItem": {"TableName": "table", "Key": _KEY, "ConsistentRead": True},
    "PutItem": {"TableName": "table", "Item": _ITEM, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"},
    "Query": {"TableName": "table", "KeyConditionExpression": "pk = :pk", "Limit": 2},
    "TransactWriteItems": {
        "TransactItems": [{"Put": {"TableName": "table", "Item": _ITEM}}],
        "ClientRequestToken": "token",
    },
    "UpdateItem": {"TableName": "table", "Key": _KEY, "UpdateExpression": "REMOVE a"},
    "Decrypt": {"KeyId": "key", "CiphertextBlob": b"b", "EncryptionContext": {"a": "b"}},
    "GenerateDataKeyWithoutPlaintext": {"KeyId": "key", "KeySpec": "AES_256"},
    "SendTextMessage": {"DestinationPhoneNumber": "+62", "MessageBody": "text", "DryRun": False},
    "DeleteObject": {"Bucket": "a-bucket", "Key": "a/b"},
    "GetObject": {"Bucket": "a-bucket", "Key": "a/b"},
    "ListObjectsV2": {"Bucket": "a-bucket", "Prefix": "a/"},
    "PutObject": {"Bucket": "a-bucket", "Key": "a/b", "Body": b"b", "ContentType": "image/jpeg"},
    "GetSecretValue": {"SecretId": "secret"},
    "SendEmail": {"FromEmailAddress": "a@example.id", "Content": {"Raw": {"Data": b"b"}}},
    "ChangeMessageVisibility": {"QueueUrl": "https://q", "ReceiptHandle": "a", "VisibilityTimeout": 1},
    "SendMessage": {"QueueUrl": "https://q", "MessageBody": "text", "MessageGroupId": "a"},
    "SendMessageBatch": {"QueueUrl": "https://q", "Entries": [{"Id": "a", "MessageBody": "text"}]},
}
# Of the moment, and of the attempt.
_VARYING_HEADERS = {"authorization", "x-amz-date", "amz-sdk-invocation-id"}


@pytest.mark.parametrize(
    ("service", "operation"), [(service, each) for service, names in OPERATIONS.items() for each in names]
)
def test_a_client_of_the_zip_sends_what_the_sdks_own_sends(
    service: str, operation: str, zip_models: Path, monkeypatch: pytest.MonkeyPatch, moto_stage: None
) -> None:
    sdks = prepare_request(boto3.client(service), operation)  # type: ignore[call-overload]
    monkeypatch.setattr(service_data, "SERVICE_MODELS", zip_models)
    client = create_session().create_client(service)
    assert client.meta.service_model.operation_names == list(OPERATIONS[service])
    assert prepare_request(client, operation) == sdks


def test_a_client_of_the_zip_signs_the_address_of_a_photo(
    zip_models: Path, monkeypatch: pytest.MonkeyPatch, moto_stage: None
) -> None:
    monkeypatch.setattr(service_data, "SERVICE_MODELS", zip_models)
    url = AwsClients().photos_s3.generate_presigned_url("get_object", Params=EXAMPLES["GetObject"])
    assert "a-bucket" in url
    assert "X-Amz-Signature=" in url


@pytest.fixture(scope="module")
def zip_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tree = tmp_path_factory.mktemp("tree")
    (tree / "chalicelib" / "aws").mkdir(parents=True)
    write_service_models(tree)
    return tree / "chalicelib" / "aws" / "service_models"


class _Prepared(Exception):
    """A request is complete; its argument describes it."""


def prepare_request(client: Any, operation: str) -> Any:
    """Return the method, the address, the headers and the body by which a client would call an operation."""

    def stop(request: AWSPreparedRequest, **_: Any) -> None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        for name in _VARYING_HEADERS | {"user-agent"}:
            headers.pop(name, None)
        body: Any = request.body
        body = body.read() if hasattr(body, "read") else body
        raise _Prepared(request.method, request.url, headers, body)

    client.meta.events.register_first("before-send", stop)
    try:
        getattr(client, xform_name(operation))(**EXAMPLES[operation])
    except _Prepared as prepared:
        return prepared.args
    raise AssertionError("nothing was sent")


def test_a_client_has_every_handler_of_its_service_and_none_of_others(moto_stage: None) -> None:
    for service in OPERATIONS:
        client = create_session().create_client(service)
        # Events name services by this id, sessions by the other name.
        event_name = client.meta.service_model.service_id.hyphenize()
        of_service = [each[0] for each in BUILTIN_HANDLERS if each[0].split(".")[1:2] == [event_name]]
        assert not of_service or event_name == service
        registered = vars(vars(client.meta.events)["_emitter"])["_handlers"]
        wanted: set[tuple[str, Any]] = set()
        others: set[tuple[str, Any]] = set()
        for event, handler, *_ in BUILTIN_HANDLERS:
            kind, _, rest = event.partition(".")
            is_wanted = kind != "docs" and rest.partition(".")[0] in {"", service}
            (wanted if is_wanted else others).add((event.replace("*", "x"), handler))
        assert [pair for pair in wanted if pair[1] not in registered.prefix_search(pair[0])] == []
        ours = {handler for _, handler in wanted}
        assert [pair for pair in others if pair[1] in {*registered.prefix_search(pair[0])} - ours] == []
