"""The clients of a local stack."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from chalicelib.callers import Role
from chalicelib.clock import utc_now
from ops.deploy.deployment import try_out
from ops.deploy.first_admin import enrol_first_admin
from ops.deploy.stages import Stage
from ops.errors import OperationError
from ops.local.seeding import enrol_clients
from ops.project import LOOPBACK
from tests.support.client_stores import open_clients
from tests.support.ports import find_free_port


@pytest.fixture
def stage(moto_stage: None) -> Stage:
    make_client: Any = boto3.client
    return Stage(
        "daftar-local", {"ClientsTableName": "ClientsTable", "AuditTableName": "AuditTable"}, make_client
    )


def test_a_stack_from_before_a_role_keeps_its_tokens_and_gets_one_for_the_role(
    stage: Stage, tmp_path: Path
) -> None:
    file = tmp_path / "tokens.json"
    first = enrol_clients(stage, file)
    kept = {role: token for role, token in first.roles.items() if role != Role.VIEWER}
    file.write_text(json.dumps({"roles": kept, "devices": first.devices}))

    second = enrol_clients(stage, file)

    assert second.roles.keys() == set(Role)
    assert {**second.roles, "viewer": ""} == {**first.roles, "viewer": ""}
    assert second.devices == first.devices
    assert enrol_clients(stage, file) == second


def test_the_tokens_of_a_local_stack_outlive_the_bounds_of_their_roles(stage: Stage, tmp_path: Path) -> None:
    enrol_clients(stage, tmp_path / "tokens.json")

    clients = open_clients(boto3.client("dynamodb"))
    in_years = utc_now() + timedelta(days=3_600)
    assert [role for role in Role if clients.get(role).is_revoked(in_years)] == []


def test_whoever_enrols_clients_with_rights_in_the_account_stands_in_the_audit_trail(stage: Stage) -> None:
    assert enrol_first_admin(stage) is not None
    assert enrol_first_admin(stage) is None

    [record] = boto3.client("dynamodb").scan(TableName="AuditTable")["Items"]
    shown = {name: value["S"] for name, value in record.items() if name in {"subject", "action", "client_id"}}
    assert shown == {"subject": "client:admin", "action": "enrolled", "client_id": "operator"}


def test_a_deployment_that_fails_its_test_makes_no_token_that_nobody_sees(stage: Stage) -> None:
    steps: list[str] = []

    with pytest.raises(OperationError):
        try_out(
            stage,
            f"http://{LOOPBACK}:{find_free_port()}",
            on_step=steps.append,
            with_smoke_test=True,
            with_first_admin=True,
        )

    assert steps == ["registering a synthetic worker, counting and erasing it"]
    assert enrol_first_admin(stage) is not None
