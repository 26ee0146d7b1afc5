"""The market of the edge tests with its tables, which is restored in place or into another stage."""

import os
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import boto3

from chalicelib.clock import utc_now
from ops.deploy.stages import Stage
from ops.restore.bringing_back import Restoration
from ops.restore.copies import ScannedCopies
from ops.restore.restoration import restore
from tests.edge.conftest import Edge
from tests.support.moto_snapshots import list_stored_items
from tests.support.moto_tables import STAGE_ENVIRONMENT
from tests.support.payloads import make_capture_id, make_capture_payload, make_nik

TABLES = [name for name in STAGE_ENVIRONMENT.values() if name.endswith("Table")]
FUNCTIONS = ("APIHandler", "RollUpDueDays", "AgeRegistrations")


class Closed:
    """The functions, schedules and stack of a stage without any but its tables.

    It has one function, one rule, and one mapping, which is still being switched until it is looked at.
    """

    class exceptions:  # noqa: N801 - the SDK's name
        ResourceInUseException = KeyError

    def __init__(self, calls: list[str], environment: Mapping[str, str]) -> None:
        self.calls = calls
        self.failing = ""
        self.mapping = "Enabled"
        self.rule = "Enabled"
        self._environment = environment

    def get_function_configuration(self, **_: str) -> dict[str, Any]:
        return {"Environment": {"Variables": {**os.environ, **self._environment}}}

    def get_paginator(self, _: str) -> "Closed":
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        kinds = ("AWS::Lambda::Function", "AWS::Lambda::EventSourceMapping", "AWS::Events::Rule")
        return [
            {"StackResourceSummaries": [{"ResourceType": kind, "PhysicalResourceId": kind} for kind in kinds]}
        ]

    def update_event_source_mapping(self, *, Enabled: bool, **_: str) -> None:  # noqa: N803 - the SDK's name
        if self.mapping.endswith("ing"):
            raise self.exceptions.ResourceInUseException
        self.mapping = "Enabling" if Enabled else "Disabling"

    def get_event_source_mapping(self, **_: str) -> dict[str, str]:
        settled = {"Enabling": "Enabled", "Disabling": "Disabled"}
        self.mapping = settled.get(self.mapping, self.mapping)
        return {"State": self.mapping}

    def disable_rule(self, **_: str) -> None:
        self.rule = "Disabled"

    def enable_rule(self, **_: str) -> None:
        self.rule = "Enabled"

    def put_function_concurrency(self, **_: Any) -> None:
        self.calls.append("closed")

    def delete_function_concurrency(self, **_: Any) -> None:
        self.calls.append("opened")

    def invoke(self, FunctionName: str, **_: Any) -> dict[str, Any]:  # noqa: N803 - the SDK's name
        self.calls.append("run")
        if FunctionName == self.failing:
            return {"Payload": BytesIO(b'{"errorMessage": "Timeout"}'), "FunctionError": "Unhandled"}
        return {"Payload": BytesIO()}


def make_stage(stack_name: str, closed: Closed, *, prefix: str = "", key: str | None = None) -> Stage:
    """Return a stage whose tables have names with a prefix."""
    client: Any = boto3.client
    outputs = {f"{name}Name": f"{prefix}{name}" for name in TABLES}
    outputs |= {f"{name}Name": name for name in FUNCTIONS}
    outputs |= {"FieldKeyArn": key or os.environ["DAFTAR_FIELD_KEY_ARN"], "PhotosBucketName": "photos"}
    return Stage(
        stack_name,
        outputs,
        lambda service: closed if service in {"lambda", "events", "cloudformation"} else client(service),
        is_local=True,
    )


class Market:
    """The market of the edge tests with its tables, at a moment and later."""

    def __init__(self, edge: Edge, directory: Path) -> None:
        self.edge = edge
        self.directory = directory
        self.calls: list[str] = []
        self.closed = Closed(self.calls, {})
        self.stage = make_stage("daftar-local", self.closed)
        self.copies = ScannedCopies()

    def register(self, number: int, **changes: Any) -> str:
        capture = make_capture_payload(
            capture_id=make_capture_id(number),
            device_sequence=number,
            worker={"nik": make_nik(7000 + number), "phone": f"0824-5550-7{number:03}"},
            **changes,
        )
        answer = self.edge.register(capture)
        assert answer.status_code in {200, 201}, answer.body
        return str(answer.json_body["reference"])

    def erase(self, number: int) -> None:
        request = {"request_id": make_capture_id(900 + number), "nik": make_nik(7000 + number)}
        answer = self.edge.send("POST", "/v1/erasures", request, caller="admin")
        assert answer.status_code == 200, answer.body

    def note_moment(self) -> None:
        self.moment = utc_now()
        self.copies.take(self.stage, self.moment)

    def begin(self, **options: Any) -> Restoration:
        """Restore in place. Nothing is under way that would have to be waited for."""
        return restore(
            self.stage,
            self.moment,
            copies=self.copies,
            directory=self.directory,
            sleep=lambda _: None,
            **options,
        )

    def restore(self, *damaged: str) -> Restoration:
        done = self.begin(damaged=damaged)
        self.edge.restart()
        return done

    def get_status(self, reference: str) -> Any:
        answer = self.edge.send("GET", f"/v1/registrations/{reference}", caller="manager")
        return answer.json_body["status"] if answer.status_code == 200 else answer.status_code


def cut_off_at(part: str) -> Callable[[str], None]:
    """Return what interrupts a restore at the step whose text has this part."""

    def cut_off(step: str) -> None:
        if part in step:
            raise InterruptedError

    return cut_off


def list_captures() -> set[str]:
    """Return the keys of the captures that were not erased."""
    items = [item for item in list_stored_items("RegistrationsTable") if item["sk"]["S"] == "CAPTURE"]
    return {item["pk"]["S"] for item in items if "fingerprint" in item}
