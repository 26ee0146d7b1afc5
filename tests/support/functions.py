"""Change functions of a local stack for a while."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def override_environment(lambda_client: Any, function_names: list[str], **variables: str) -> Iterator[None]:
    """Set environment variables of functions inside the block."""
    before = {}
    try:
        for name in function_names:
            variables_before = lambda_client.get_function_configuration(FunctionName=name)["Environment"][
                "Variables"
            ]
            before[name] = variables_before
            _set_environment(lambda_client, name, {**variables_before, **variables})
        yield
    finally:
        for name, variables_before in before.items():
            _set_environment(lambda_client, name, variables_before)


def _set_environment(lambda_client: Any, function_name: str, variables: dict[str, str]) -> None:
    lambda_client.update_function_configuration(
        FunctionName=function_name, Environment={"Variables": variables}
    )
    lambda_client.get_waiter("function_updated_v2").wait(FunctionName=function_name)


@contextmanager
def pause_event_sources(lambda_client: Any, function_name: str | None = None) -> Iterator[None]:
    """Disable the event source mappings of a function, or of all functions, inside the block."""
    named = {} if function_name is None else {"FunctionName": function_name}
    pages = lambda_client.get_paginator("list_event_source_mappings").paginate(**named)
    mapping_ids = [mapping["UUID"] for page in pages for mapping in page["EventSourceMappings"]]
    try:
        for mapping_id in mapping_ids:
            lambda_client.update_event_source_mapping(UUID=mapping_id, Enabled=False)
        yield
    finally:
        for mapping_id in mapping_ids:
            lambda_client.update_event_source_mapping(UUID=mapping_id, Enabled=True)
