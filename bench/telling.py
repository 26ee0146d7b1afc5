"""Telling functions of a local stack something else for a while."""

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
