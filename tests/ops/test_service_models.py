"""The models of AWS's services in the zip have all that the product calls, and nothing else."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore import xform_name
from botocore.handlers import BUILTIN_HANDLERS
from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from chalicelib.aws import service_data
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


def test_clients_are_made_from_the_models_in_the_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moto_stage: None
) -> None:
    (tmp_path / "chalicelib" / "aws").mkdir(parents=True)
    write_service_models(tmp_path)
    monkeypatch.setattr(service_data, "SERVICE_MODELS", tmp_path / "chalicelib" / "aws" / "service_models")
    session = create_session()
    for service, operations in OPERATIONS.items():
        model = session.create_client(service).meta.service_model
        assert model.operation_names == list(operations)


def test_a_client_has_every_handler_of_its_service_and_none_of_others(moto_stage: None) -> None:
    session = create_session()
    for service in OPERATIONS:
        client = session.create_client(service)
        # Events name services by this id, sessions by the other name.
        event_name = client.meta.service_model.service_id.hyphenize()
        of_service = [each[0] for each in BUILTIN_HANDLERS if each[0].split(".")[1:2] == [event_name]]
        assert not of_service or event_name == service
        registered = vars(vars(client.meta.events)["_emitter"])["_handlers"]
        for event, *_ in BUILTIN_HANDLERS:
            kind, _, rest = event.partition(".")
            if kind != "docs" and rest.partition(".")[0] in {"", service}:
                assert registered.prefix_search(event.replace("*", "x"))
