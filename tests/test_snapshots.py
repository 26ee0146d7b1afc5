"""A function that starts from a snapshot has nothing of the process that the snapshot was taken of."""

import random
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any

import pytest
from snapshot_restore_py import get_after_restore, get_before_snapshot

from chalicelib.container import Container
from chalicelib.models import FrozenModel
from chalicelib.values import Value
from tests.support.app_loader import make_container
from tests.support.source_tree import ROOT


@pytest.fixture(autouse=True)
def no_hooks() -> None:
    get_after_restore().clear()
    get_before_snapshot().clear()


def take_snapshot() -> None:
    """Do what Lambda's runtime does before it takes a snapshot: call what was registered, last first."""
    registered = get_before_snapshot()
    while registered:
        function, arguments, options = registered.pop()
        function(*arguments, **options)


def start_from_snapshot() -> None:
    """Do what Lambda's runtime does at the start of a snapshot: call what was registered, last first."""
    registered = get_after_restore()
    while registered:
        function, arguments, options = registered.pop()
        function(*arguments, **options)


def iter_subclasses(model: type[FrozenModel]) -> Iterator[type[FrozenModel]]:
    for each in model.__subclasses__():
        yield from (each, *iter_subclasses(each))


def load_module() -> Any:
    spec = spec_from_file_location("app", ROOT / "app.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_container() -> Container:
    container: Container = load_module().container
    return container


def test_connections_keys_and_credentials_are_not_those_of_the_snapshot(moto_stage: None) -> None:
    container = load_container()
    before = (
        container.aws.dynamodb,
        container.aws.kms,
        container.keyring,
        container.intake,
        container.clients,
    )
    key = container.keyring.get_field_keys()
    start_from_snapshot()
    after = (
        container.aws.dynamodb,
        container.aws.kms,
        container.keyring,
        container.intake,
        container.clients,
    )
    assert [old for old, new in zip(before, after, strict=True) if old is new] == []
    assert container.keyring.get_field_keys() is not key


def test_two_starts_of_one_snapshot_have_random_numbers_of_their_own(moto_stage: None) -> None:
    numbers = []
    snapshot = random.getstate()
    for _ in range(2):
        random.setstate(snapshot)
        load_container()
        start_from_snapshot()
        numbers.append(random.random())  # noqa: S311 - this is what is tested
    assert numbers[0] != numbers[1]


def test_settings_of_the_version_stay(moto_stage: None) -> None:
    container = make_container()
    settings = container.settings
    container.forget()
    assert container.settings is settings


def test_importing_the_app_leaves_nothing_in_the_snapshot() -> None:
    container = load_container()
    take_snapshot()
    assert set(vars(container)) == {"aws", "clock"}
    assert set(vars(container.aws)) == {"_given_session"}


def test_a_snapshot_has_the_routes_that_are_registered_on_first_use() -> None:
    routes = load_module().app.routes
    take_snapshot()
    routes.complete = pytest.fail
    assert "/v1/campaigns/{campaign_id}" in routes


def test_a_snapshot_has_the_values_that_are_defined_on_first_use() -> None:
    load_module()
    take_snapshot()
    for each in Value.__subclasses__():
        assert isinstance(vars(each)["__dataclass_fields__"], dict), each


def test_a_snapshot_has_the_models_that_are_built_on_first_use() -> None:
    load_module()
    take_snapshot()
    for each in iter_subclasses(FrozenModel):
        assert each.__pydantic_complete__, each
