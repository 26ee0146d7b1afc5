"""The record of a deployment finds the tables of a stage whose stack is gone."""

from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result

from ops.cli import main
from ops.commands import restore as restore_command
from ops.deploy.stage_record import StageRecord, find_recorded_stage, write_stage_record
from ops.errors import StackUnavailable
from ops.http_server import RequestHandler
from ops.project import LOOPBACK
from tests.support.http_server import serve_in_background

LINE = ("restore", "--at", "2026-01-01T00:00:00Z", "--stack", "daftar-gone", "--into", "daftar-new", "--yes")


class NoStack(RequestHandler):
    """CloudFormation without a stack."""

    def do_POST(self) -> None:
        self.read_body()
        error = "<Code>ValidationError</Code><Message>does not exist</Message>"
        self.send(400, "text/xml", f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode())


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The directory of records, in an account without stacks."""
    monkeypatch.setattr(restore_command, "STAGES_DIR", tmp_path)
    with serve_in_background(ThreadingHTTPServer((LOOPBACK, 0), NoStack)) as url:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDFORMATION", url)
        yield tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def write_record(directory: Path) -> None:
    outputs = {"KeysTableName": "gone-KeysTable", "FieldKeyArn": "arn:aws:kms:::key/gone"}
    record = StageRecord("daftar-gone", "ap-southeast-3", "1", "https://example.org", "digest", outputs)
    write_stage_record(record, directory)


def test_a_stage_is_found_by_its_record_and_has_no_other_output(directory: Path) -> None:
    make_client: Any = boto3.client
    assert find_recorded_stage("daftar-gone", directory, make_client) is None
    write_record(directory)

    stage = find_recorded_stage("daftar-gone", directory, make_client)

    assert stage is not None
    assert stage.outputs["KeysTableName"] == "gone-KeysTable"
    with pytest.raises(StackUnavailable):
        stage.outputs["ClientsTableName"]


def test_a_stage_whose_stack_is_gone_is_restored_into_another_where_it_was_deployed(directory: Path) -> None:
    without = run(*LINE)
    write_record(directory)
    recorded = run(*LINE)
    in_place = run(*(each for each in LINE if each not in {"--into", "daftar-new"}))

    assert "no stack daftar-gone can be read" in without.output
    assert "daftar-gone is gone: its tables are looked for" in recorded.output
    assert "no stack daftar-new can be read" in recorded.output
    assert "no stack daftar-gone can be read" in in_place.output
