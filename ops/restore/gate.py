"""Close a stage while its tables are taken back, and open it again."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from ops.deploy.stage_record import is_emulated
from ops.deploy.stages import Stage
from ops.errors import OperationError

# The API answers within 29 seconds, and a sender within 60.
_IN_FLIGHT_SECONDS = 60
_SETTLE_SECONDS = 2
_MAX_LOOKS = 150


class StageGate:
    """The ways into a stage: its functions, what feeds them from queues and streams, and its schedules.

    A device that is turned away keeps what it has and sends it again.
    """

    def __init__(self, stage: Stage, sleep: Callable[[float], object] = time.sleep) -> None:
        self._stage = stage
        self._sleep = sleep
        self._lambda = stage.aws_client("lambda")
        self._events = stage.aws_client("events")

    def close(self) -> None:
        """Let nothing in, and wait until what was under way is done. It may be repeated."""
        for name in self._iter_resources("AWS::Events::Rule"):
            self._events.disable_rule(Name=name.rpartition("/")[2])
        self._switch_mappings(is_on=False)
        # After the queues: a message that meets a closed function would come closer to its dead letters.
        for function in self._iter_resources("AWS::Lambda::Function"):
            self._lambda.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
        self._sleep(_SETTLE_SECONDS if is_emulated(self._stage) else _IN_FLIGHT_SECONDS)

    def open(self) -> None:
        """Let everything in again, and wait until all that feeds the stage is on. It may be repeated."""
        for function in self._iter_resources("AWS::Lambda::Function"):
            self._lambda.delete_function_concurrency(FunctionName=function)
        for name in self._iter_resources("AWS::Events::Rule"):
            self._events.enable_rule(Name=name.rpartition("/")[2])
        self._switch_mappings(is_on=True)

    def _switch_mappings(self, *, is_on: bool) -> None:
        mappings = list(self._iter_resources("AWS::Lambda::EventSourceMapping"))
        for mapping in mappings:
            self._switch(mapping, is_on=is_on)
        for mapping in mappings:
            self._await_switch(mapping, is_on=is_on)

    def _switch(self, mapping: str, *, is_on: bool) -> None:
        # One that is being switched already refuses: it is looked at, and switched again once it can be.
        with suppress(self._lambda.exceptions.ResourceInUseException):
            self._lambda.update_event_source_mapping(UUID=mapping, Enabled=is_on)

    def _await_switch(self, mapping: str, *, is_on: bool) -> None:
        wanted, other = ("Enabled", "Disabled") if is_on else ("Disabled", "Enabled")
        for _ in range(_MAX_LOOKS):
            state = self._lambda.get_event_source_mapping(UUID=mapping)["State"]
            if state == wanted:
                return
            if state == other:
                self._switch(mapping, is_on=is_on)
            self._sleep(_SETTLE_SECONDS)
        raise OperationError(f"what feeds a function did not become {wanted}: run the command again")

    def _iter_resources(self, kind: str) -> Iterator[str]:
        pages: Any = self._stage.aws_client("cloudformation").get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=self._stage.stack_name):
            for resource in page["StackResourceSummaries"]:
                if resource["ResourceType"] == kind:
                    yield resource["PhysicalResourceId"]
