"""Change functions of a local stack for a while, or kill a process of one."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from infra.functions import ALIAS


@contextmanager
def override_environment(lambda_client: Any, function_names: list[str], **variables: str) -> Iterator[None]:
    """Set environment variables of functions inside the block, as a release of them would.

    What is not invoked by its alias has them afterwards too.
    """
    before: dict[str, str] = {}
    try:
        for name in function_names:
            live = lambda_client.get_function_configuration(FunctionName=name, Qualifier=ALIAS)
            before[name] = live["Version"]
            environment = {"Variables": {**live["Environment"]["Variables"], **variables}}
            lambda_client.update_function_configuration(FunctionName=name, Environment=environment)
            lambda_client.get_waiter("function_updated_v2").wait(FunctionName=name)
            _move_alias(lambda_client, name, lambda_client.publish_version(FunctionName=name)["Version"])
        yield
    finally:
        for name, version in before.items():
            _move_alias(lambda_client, name, version)


def _move_alias(lambda_client: Any, function_name: str, version: str) -> None:
    lambda_client.update_alias(FunctionName=function_name, Name=ALIAS, FunctionVersion=version)


@contextmanager
def pause_event_sources(lambda_client: Any, function_name: str | None = None) -> Iterator[None]:
    """Disable the event source mappings of a function, or of all functions, inside the block."""
    named = {} if function_name is None else {"FunctionName": f"{function_name}:{ALIAS}"}
    pages = lambda_client.get_paginator("list_event_source_mappings").paginate(**named)
    mapping_ids = [mapping["UUID"] for page in pages for mapping in page["EventSourceMappings"]]
    try:
        for mapping_id in mapping_ids:
            lambda_client.update_event_source_mapping(UUID=mapping_id, Enabled=False)
        yield
    finally:
        for mapping_id in mapping_ids:
            lambda_client.update_event_source_mapping(UUID=mapping_id, Enabled=True)


def kill_process(function_name: str, *, port: int) -> bool:
    """Kill one process of a function of the stack on `port`, as Linux shows it. Return False if none runs."""
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            variables = environment.read_bytes().split(b"\0")
        except OSError:
            continue
        is_function = f"AWS_LAMBDA_FUNCTION_NAME={function_name}".encode() in variables
        if is_function and f"GATEWAY_PORT={port}".encode() in variables:
            os.kill(int(environment.parent.name), signal.SIGKILL)
            return True
    return False
