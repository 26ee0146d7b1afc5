"""Functions of a local stack that are told something else for a while, or nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def told(functions: Any, names: list[str], **variables: str) -> Iterator[None]:
    """Meanwhile these functions find these variables in their environment."""
    before = {}
    try:
        for name in names:
            found = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
            before[name] = found
            _tell(functions, name, {**found, **variables})
        yield
    finally:
        for name, found in before.items():
            _tell(functions, name, found)


def _tell(functions: Any, name: str, variables: dict[str, str]) -> None:
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    functions.get_waiter("function_updated_v2").wait(FunctionName=name)


@contextmanager
def unread(functions: Any, name: str) -> Iterator[None]:
    """Meanwhile what this function reads stays in its queues, or its stream."""
    mappings = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    try:
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        yield
    finally:
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)
