"""Functions of a local stack that are told something else for a while, or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def override_environment(lambda_client: Any, function_names: list[str], **variables: str) -> Iterator[None]:
    """Meanwhile these functions find these variables in their environment."""
    before = {}
    try:
        for name in function_names:
            found = lambda_client.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            before[name] = found
            _set_environment(lambda_client, name, {**found, **variables})
        yield
    finally:
        for name, found in before.items():
            _set_environment(lambda_client, name, found)


def _set_environment(lambda_client: Any, function_name: str, variables: dict[str, str]) -> None:
    lambda_client.update_function_configuration(
        FunctionName=function_name, Environment={"Variables": variables}
    )
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=function_name)


@contextmanager
def pause_event_sources(lambda_client: Any, function_name: str) -> Iterator[None]:
    """Meanwhile what this function reads stays in its queues, or its stream."""
    mappings = lambda_client.list_event_source_mappings(FunctionName=function_name)["EventSourceMappings"]
    try:
        for mapping in mappings:
            lambda_client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        yield
    finally:
        for mapping in mappings:
            lambda_client.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
